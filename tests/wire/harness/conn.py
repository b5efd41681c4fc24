"""`Conn`: one end of a connection, byte by byte; and the messages read from it, strictly.

Strictly means: what a proxy has written has exactly one meaning. A bare LF, a blank before a colon, a
folded line, two lengths, a length beside a coding, another coding than one `chunked` are `Malformed` here,
on whichever side they are seen (RFC 9112 2.2, 5.1, 5.2, 6.1, 6.3, 7.1). Bytes above 127 are let through,
in names too: what may be done with those is for the cases to say.
"""
import re
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

PATIENCE = 8  # seconds for what has to happen but has no deadline of its own
TOKEN_BYTES = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z\x80-\xff]+"


class Failure(Exception):
    """What was expected, and what was seen."""


class Silent(Failure):
    """Nothing more came in time."""


class Ended(Failure):
    """The other end closed, or reset, before the message was whole."""


class Malformed(Failure):
    """What came is no message, or has more than one meaning."""


def readable(socks, seconds):
    """Those of the sockets that have something to read, after `seconds` at most; `select` knows 1024 files."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    ready = {number for number, _ in poll.poll(seconds * 1000)}
    return [sock for sock in socks if sock.fileno() in ready]


def short(data, most=200):
    """Bytes as repr, without the middle if there are many."""
    data = bytes(data)
    if len(data) > most:
        return '%r...%d bytes...%r' % (data[:most * 2 // 3], len(data) - most, data[-most // 3:])
    return repr(data)


@dataclass
class Message:
    """A request or a response: its first line, its fields as spelt, how it is framed, its body."""

    start: bytes
    fields: list
    framing: str = 'none'  # none, length, chunked or close
    body: bytes = b''
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)  # heads before it, of a response
    cut: str = ''  # how a body ended that is not whole: fin, reset or silence

    def all(self, name):
        return [v for k, v in self.fields if k.lower() == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), None)

    @property
    def status(self):
        return int(self.start.split(b' ')[1])

    @property
    def reason(self):
        return self.start.split(b' ', 2)[2]

    @property
    def method(self):
        return self.start.split(b' ')[0]

    @property
    def target(self):
        return self.start.split(b' ')[1]


class Conn:
    """One end of a connection. Everything that came is kept in `raw`."""

    def __init__(self, sock, end):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(True)
        self.sock, self.end = sock, end  # end: client or origin, for messages
        self.raw, self.at, self.over = bytearray(), 0, ''

    # ------------------------------------------------------------------ writing
    def send(self, *pieces, pause=0.0):
        """Send; several pieces go in segments of their own."""
        for i, piece in enumerate(pieces):
            if i:
                time.sleep(pause or 0.02)
            self.sock.settimeout(PATIENCE * 3)
            try:
                self.sock.sendall(piece)
            except OSError as error:
                raise Ended('the %s could not send: %s; it had seen %s' % (
                    self.end, error, short(self.raw))) from error
        return self

    def try_send(self, data):
        """Send what the other end may not want any more."""
        try:
            self.sock.settimeout(PATIENCE)
            self.sock.sendall(data)
        except OSError:
            pass
        return self

    def pour(self, total, piece=65536, chunked=False, pause=0.0):
        """Send `total` bytes in a thread of its own."""
        return Pour(self, total, piece, chunked, pause)

    def fin(self):
        """Close the writing side."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return self

    def close(self):
        self.sock.close()

    def reset(self):
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()

    # ------------------------------------------------------------------ reading
    def fill(self, by):
        """Read once; False at the end of the connection. Silent after `by`."""
        if self.over:
            return False
        left = by - time.monotonic()
        if not readable([self.sock], max(left, 0)):
            raise Silent('the %s waited for more after %s' % (self.end, short(self.raw[self.at:])))
        try:
            data = self.sock.recv(262144)
        except OSError:
            self.over = 'reset'
            return False
        if not data:
            self.over = 'fin'
            return False
        self.raw += data
        return True

    def need(self, by):
        if not self.fill(by):
            raise Ended('the %s saw %s after %s' % (self.end, self.over, short(self.raw[self.at:])))

    def waiting(self):
        """Whether there is something to read: bytes, or the end."""
        return self.at < len(self.raw) or bool(self.over) or bool(readable([self.sock], 0))

    def line(self, by):
        while (found := self.raw.find(b'\n', self.at)) < 0:
            self.need(by)
        text = bytes(self.raw[self.at:found])
        self.at = found + 1
        if not text.endswith(b'\r') or b'\r' in text[:-1]:
            raise Malformed('the %s got a line that does not end in CRLF alone: %s' % (self.end, short(text + b'\n')))
        return text[:-1]

    def exactly(self, count, by):
        while len(self.raw) - self.at < count:
            self.need(by)
        self.at += count
        return bytes(self.raw[self.at - count:self.at])

    def some(self, seconds=PATIENCE):
        """Whatever came and was not read as a message yet, at least one byte."""
        by = time.monotonic() + seconds
        if self.at == len(self.raw):
            self.need(by)
        return self.rest()

    def until(self, what, seconds=PATIENCE):
        """Everything up to and with `what`."""
        by = time.monotonic() + seconds
        while (found := self.raw.find(what, self.at)) < 0:
            self.need(by)
        begin, self.at = self.at, found + len(what)
        return bytes(self.raw[begin:self.at])

    def rest(self):
        begin, self.at = self.at, len(self.raw)
        return bytes(self.raw[begin:])

    def fields(self, by):
        found = []
        while (text := self.line(by)):
            name, colon, value = text.partition(b':')
            if not colon or not re.fullmatch(TOKEN_BYTES, name):
                raise Malformed('the %s got the field line %s' % (self.end, short(text)))
            if b'\0' in value:  # CR and LF cannot be there; others may be kept (RFC 9110 5.5)
                raise Malformed('the %s got a NUL in %s' % (self.end, short(text)))
            found.append((name, value.strip(b' \t')))
        return found

    def head(self, seconds=PATIENCE):
        """The next head."""
        by = time.monotonic() + seconds
        start = self.line(by)
        pattern = (rb'HTTP/1\.[01] \d\d\d .*' if self.end == 'client' else
                   rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [^\x00-\x20\x7f]+ HTTP/1\.[01]")
        if not re.fullmatch(pattern, start, re.DOTALL):
            raise Malformed('the %s got the first line %s' % (self.end, short(start)))
        return Message(start, self.fields(by))

    def request(self, seconds=PATIENCE, go=True):
        """The next request, whole. `go`: give a 100 where it is asked for."""
        message = self.head(seconds)
        self.frame(message, 'none')
        if go and message.framing != 'none' and message.all(b'expect'):
            self.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        self.body(message, seconds)
        return message

    def response(self, method=b'GET', seconds=PATIENCE, may_be_cut=False):
        """The next final response; interim ones before it are in `interim`."""
        interim = []
        while (message := self.head(seconds)).status < 200 and message.status != 101:
            interim.append(message)
        message.interim = interim
        if method == b'HEAD' or message.status in (101, 204, 304):
            return message
        self.frame(message, 'close')
        self.body(message, seconds, may_be_cut)
        return message

    def frame(self, message, otherwise):
        lengths, codings = message.all(b'content-length'), message.all(b'transfer-encoding')
        if codings and (lengths or len(codings) > 1 or codings[0].lower() != b'chunked'):
            raise Malformed('the %s got Transfer-Encoding %r, Content-Length %r' % (self.end, codings, lengths))
        if len(lengths) > 1 or (lengths and not re.fullmatch(rb'\d{1,40}', lengths[0])):
            raise Malformed('the %s got Content-Length %r' % (self.end, lengths))
        message.framing = 'chunked' if codings else 'length' if lengths else otherwise

    def body(self, message, seconds=PATIENCE, may_be_cut=False):
        """Read the body of a message whose head has been read; each part has `seconds`."""
        parts = []
        try:
            if message.framing == 'length':
                left = int(message.get(b'content-length'))
                while left:
                    if self.at == len(self.raw):
                        self.need(time.monotonic() + seconds)
                    parts.append(bytes(self.raw[self.at:self.at + left]))
                    self.at += len(parts[-1])
                    left -= len(parts[-1])
            elif message.framing == 'chunked':
                while True:
                    by = time.monotonic() + seconds
                    size = self.line(by)
                    if not re.match(rb'[0-9A-Fa-f]{1,16}(?![0-9A-Fa-f])[ \t]*(;|$)', size):
                        raise Malformed('the %s got the chunk size %s' % (self.end, short(size)))
                    size = int(size.partition(b';')[0], 16)
                    if size == 0:
                        break
                    parts.append(self.exactly(size, by))
                    if self.exactly(2, by) != b'\r\n':
                        raise Malformed('the %s got a chunk without CRLF at its end' % self.end)
                message.trailers = self.fields(by)
            elif message.framing == 'close':
                while self.fill(time.monotonic() + seconds):
                    pass
                parts.append(self.rest())
                if self.over == 'reset':
                    raise Ended('the %s saw a reset in a body up to the close' % self.end)
        except (Ended, Silent) as failure:
            if not may_be_cut:
                raise
            parts.append(self.rest())
            message.cut = self.over or 'silence'
            del failure
        message.body = b''.join(parts)

    def take(self, count, seconds=PATIENCE):
        """Read `count` bytes, or to the end, and forget them; how many there were."""
        taken = len(self.raw) - self.at
        self.rest()
        by = time.monotonic() + seconds
        while taken < count:
            before = len(self.raw)
            if not self.fill(by):
                break
            taken += len(self.raw) - before
            del self.raw[before:]
            by = time.monotonic() + seconds
        return taken

    # ------------------------------------------------------------------ the end
    def quiet(self, seconds=0.3):
        """Nothing comes, not even the end."""
        if self.at < len(self.raw) or self.over:
            raise Failure('the %s should have seen nothing but saw %s %s' % (
                self.end, short(self.raw[self.at:]), self.over))
        try:
            self.fill(time.monotonic() + seconds)
        except Silent:
            return
        raise Failure('the %s should have seen nothing but saw %s %s' % (
            self.end, short(self.raw[self.at:]), self.over))

    def ends(self, seconds=PATIENCE, how=''):
        """The other end closes, and sends nothing more before; how it did."""
        by = time.monotonic() + seconds
        while self.at == len(self.raw):
            try:
                if not self.fill(by):
                    break
            except Silent:
                raise Silent('the %s saw no end of the connection within %.1f s' % (self.end, seconds)) from None
        if self.at < len(self.raw):
            raise Failure('the %s should have seen the end but saw %s' % (self.end, short(self.raw[self.at:])))
        if how and self.over != how:
            raise Failure('the %s should have seen %s but saw %s' % (self.end, how, self.over))
        return self.over

    def cut_off(self, seconds):
        """All that comes until the other end closes."""
        by = time.monotonic() + seconds
        try:
            while self.fill(by):
                pass
        except Silent:
            raise Silent('the %s saw no end within %.1f s; it has %s' % (
                self.end, seconds, short(self.raw))) from None
        return self.rest()


class Pour:
    """A long body on its way."""

    def __init__(self, conn, total, piece, chunked, pause):
        self.conn, self.total, self.piece, self.chunked, self.pause = conn, total, piece, chunked, pause
        self.sent, self.error, self.stop = 0, None, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        conn = self.conn.sock
        data = b'u' * self.piece
        if self.chunked:
            data = b'%x\r\n%b\r\n' % (self.piece, data)
        try:
            conn.settimeout(PATIENCE * 2)
            while self.sent < self.total and not self.stop:
                conn.sendall(data)
                self.sent += self.piece
                time.sleep(self.pause)
            if self.chunked and not self.stop:
                conn.sendall(b'0\r\n\r\n')
        except (OSError, ValueError) as error:
            self.error = error

    def done(self, seconds=PATIENCE):
        self.thread.join(seconds)
        if self.thread.is_alive():
            raise Silent('the client still sends its body: %d of %d bytes' % (self.sent, self.total))
        return self
