"""`Play`: one case being played against one subject, and the list of all cases."""
import socket
import time
from dataclasses import dataclass, field

from .conn import PATIENCE, Conn, Failure, Silent, readable, short

PREFIX = b'/object-store'
BASE = b'/v1/AUTH_p'
GET = b'GET /object-store/x HTTP/1.1\r\nHost: localhost\r\n\r\n'
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
CASES = []


@dataclass
class Case:
    """A name, the RFC section of its rule, and what is done."""

    name: str
    rule: str
    play: object
    peers: bool = True  # whether it applies to other proxies
    settings: dict = field(default_factory=dict)  # of a gatestone of its own
    about: str = ''

    @property
    def row(self):
        return self.name.partition('/')[0]


def add(row, name, rule, play, peers=True, settings=None, about=''):
    name = '%s/%s' % (row, name)
    if any(case.name == name for case in CASES):
        raise ValueError('two cases are called ' + name)
    CASES.append(Case(name, rule, play, peers, settings or {}, about))


def case(rule, peers=True, **settings):
    """A function that plays a case; the file is its subject, its name and text are the case's."""
    def put(function):
        row = function.__module__.rpartition('.')[2]
        add(row, function.__name__.replace('_', '-'), rule, function, peers,
            {'GATESTONE_' + k.upper(): v for k, v in settings.items()}, function.__doc__ or '')
        return function
    return put


class Drip(bytes):
    """Bytes to be sent one by one."""


class Play:
    """The two ends of one case: clients of the subject, and the origin behind it."""

    def __init__(self, subject, listener, region, token):
        self.subject, self.listener, self.token = subject, listener, token
        self.prefix = b'%b@%b' % (PREFIX, region)
        self.origin_authority = b'127.0.0.1:%d' % listener.getsockname()[1]
        self.opened = []

    @property
    def ours(self):
        return self.subject.name == 'gatestone'

    def client(self, *pieces, pause=0.0):
        """A new connection to the subject; what is given is sent."""
        sock = socket.create_connection(('127.0.0.1', self.subject.port), PATIENCE)
        conn = Conn(sock, 'client')
        self.opened.append(conn)
        return self.ask(conn, *pieces, pause=pause)

    def here(self, data):
        """The same with the prefix of this case."""
        return data.replace(PREFIX + b'/', self.prefix + b'/').replace(PREFIX + b' ', self.prefix + b' ')

    def ask(self, client, *pieces, pause=0.0):
        """Send on a connection that is there."""
        sent = []
        for piece in pieces:
            there = self.here(piece)
            sent += [there[i:i + 1] for i in range(len(there))] if isinstance(piece, Drip) else [there]
        return client.send(*sent, pause=pause)

    def accept(self, client=None, seconds=PATIENCE):
        """The next connection to the origin; a failure if the client is answered without one."""
        watched = [self.listener] + ([client.sock] if client else [])
        ready = readable(watched, seconds)
        if self.listener not in ready:
            if ready:
                client_saw = self.glance(client)
                if not readable([self.listener], 0.05):
                    raise Failure('no request at the origin; the client saw %s' % client_saw)
            else:
                raise Silent('no request at the origin within %.1f s' % seconds)
        sock, _ = self.listener.accept()
        conn = Conn(sock, 'origin')
        self.opened.append(conn)
        return conn

    @staticmethod
    def glance(client):
        try:
            client.fill(time.monotonic())
        except Silent:
            pass
        return '%s %s' % (short(client.raw[client.at:]), client.over)

    def first(self, client, seconds=PATIENCE):
        """Which comes first: a connection to the origin, or None for something at the client."""
        ready = readable([self.listener, client.sock], seconds)
        if not ready:
            raise Silent('neither an answer nor a request at the origin within %.1f s' % seconds)
        return self.accept() if self.listener in ready else None

    def once_again(self, client, pieces=(), end='close'):
        """Another proxy may try once more where an RFC lets it: the same answer on each new connection."""
        while not self.ours and (origin := self.first(client)) is not None:
            try:
                origin.request(2, go=False)
            except Failure:
                pass
            for piece in pieces:
                origin.try_send(piece)
            if end != 'keep':
                getattr(origin, {'close': 'fin'}.get(end, end))()

    def next(self, client, old, seconds=PATIENCE):
        """The origin's connection on which the next request arrives: `old`, or a new one. A failure if the client,
        where one is given, is answered without."""
        by = time.monotonic() + seconds
        while True:
            watched = [self.listener] + ([client.sock] if client else []) + ([] if old.over else [old.sock])
            ready = readable(watched, max(0, by - time.monotonic()))
            if self.listener in ready:
                return self.accept()
            if not old.over and old.sock in ready:
                try:
                    more = old.fill(time.monotonic())
                except Silent:
                    more = False
                if more:
                    return old
                continue
            if client and client.sock in ready:
                raise Failure('no second request at the origin; the client saw ' + self.glance(client))
            raise Silent('no second request at the origin within %.1f s' % seconds)

    def nobody(self, seconds=0.1):
        """No (further) connection reaches the origin."""
        if readable([self.listener], seconds):
            conn = self.accept()
            try:
                seen = conn.some(0.5)
            except Failure:
                seen = b''
            raise Failure('the origin should have been left alone but got %s' % short(seen))

    def through(self, request=GET):
        """A client, the origin's connection and the request it got, for one request."""
        client = self.client(request)
        origin = self.accept(client)
        return client, origin, origin.request()

    def close(self):
        """End everything; what reached clients must not hold the token."""
        leaked = [c for c in self.opened if c.end == 'client' and self.ours and self.token in bytes(c.raw)]
        for conn in self.opened:
            conn.close()
        while self.listener.fileno() >= 0 and readable([self.listener], 0):
            self.listener.accept()[0].close()
        if leaked:
            raise Failure('the token reached a client: %s' % short(leaked[0].raw))


def want(holds, text, *seen):
    """Fail with `text` and what was seen unless it holds."""
    if not holds:
        raise Failure('%s; seen: %s' % (text, ', '.join(
            short(s) if isinstance(s, (bytes, bytearray)) else repr(s) for s in seen)))
