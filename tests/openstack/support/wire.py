"""A small HTTP/1.1 client: sends exactly the bytes it is given, shows exactly what came back.

The standard library's client tidies paths, refuses more than 100 header
fields and hides interim replies; the tests need all three as they are.
"""
import select
import socket
from dataclasses import dataclass, field


@dataclass
class Reply:
    """One reply: header fields in the order and spelling they came in."""

    status: int
    fields: list
    body: bytes = b''
    interim: list = field(default_factory=list)
    reason: str = ''

    def all(self, name):
        """Every value of a field, by its name in any case."""
        return [v for k, v in self.fields if k.lower() == name.lower()]

    def get(self, name):
        """The first value of a field, or None."""
        return next(iter(self.all(name)), None)


class Cut(OSError):
    """The other end closed before the reply was whole."""


class Connection:
    """One connection, kept alive between requests."""

    def __init__(self, host, port, timeout=60):
        self.authority = '%s:%d' % (host, port)
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def was_closed(self):
        """Whether the other end closed it while nothing was asked; a client looks before it sends."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def request(self, method, target, headers=None, body=None):
        """Send one request and read its reply to the end.

        `body` is bytes (sent with Content-Length) or an iterable of bytes
        (sent chunked). With `Expect: 100-continue` it is sent only once asked for.
        """
        headers = dict(headers or {})
        interim = []
        if self.send_head(method, target, headers, body):
            reply = self.read_head()
            while reply.status != 100:
                if reply.status >= 200:
                    return self.finish(method, reply, interim)
                interim.append(reply.status)
                reply = self.read_head()
            interim.append(100)
        if body is not None:
            self.send_body(body)
        return self.finish(method, self.read_head(), interim)

    def send_head(self, method, target, headers, body=None):
        """Send the head; whether the body must wait for a 100."""
        names = {k.lower() for k in headers}
        lines = ['%s %s HTTP/1.1' % (method, target)]
        if 'host' not in names:
            lines.append('Host: ' + self.authority)
        if isinstance(body, bytes) and 'content-length' not in names:
            lines.append('Content-Length: %d' % len(body))
        elif body is not None and 'content-length' not in names:
            lines.append('Transfer-Encoding: chunked')
        lines += ['%s: %s' % kv for kv in headers.items()]
        self.socket.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode('utf-8'))
        return 'expect' in names

    def send_body(self, body):
        if isinstance(body, bytes):
            self.socket.sendall(body)
            return
        for chunk in body:
            self.socket.sendall(b'%x\r\n%b\r\n' % (len(chunk), chunk))
        self.socket.sendall(b'0\r\n\r\n')

    def read_head(self):
        line = self.reader.readline()
        if not line:
            raise Cut('closed before a reply')
        fields = []
        while (row := self.reader.readline().rstrip(b'\r\n')):
            name, _, value = row.decode('latin-1').partition(':')
            fields.append((name, value.strip()))
        status, _, reason = line.decode('latin-1').strip().partition(' ')[2].partition(' ')
        return Reply(int(status), fields, reason=reason)

    def finish(self, method, reply, interim):
        """The final reply with its body; replies before it are noted by status."""
        while reply.status < 200:
            interim.append(reply.status)
            reply = self.read_head()
        reply.interim = interim
        reply.body = b''.join(self.pieces(method, reply))
        return reply

    def pieces(self, method, reply, size=262144):
        """The body of a reply, piece by piece."""
        if method == 'HEAD' or reply.status in (204, 304):
            return
        if 'chunked' in (reply.get('Transfer-Encoding') or '').lower():
            while (left := int(self.reader.readline().split(b';')[0], 16)):
                yield from self.exactly(left, size)
                self.reader.readline()
            while self.reader.readline().strip():
                pass
        elif (length := reply.get('Content-Length')) is not None:
            yield from self.exactly(int(length), size)
        else:
            while (piece := self.reader.read(size)):
                yield piece

    def exactly(self, left, size):
        while left:
            piece = self.reader.read1(min(left, size))
            if not piece:
                raise Cut('%d bytes of the body are missing' % left)
            left -= len(piece)
            yield piece


def split(url):
    """(host, port, raw target) of an http URL."""
    rest = url.removeprefix('http://')
    authority, slash, target = rest.partition('/')
    host, _, port = authority.rpartition(':')
    return host, int(port), slash + target or '/'


def fetch(url, method='GET', headers=None, body=None):
    """One request on a connection of its own."""
    host, port, target = split(url)
    with Connection(host, port) as connection:
        return connection.request(method, target, headers, body)
