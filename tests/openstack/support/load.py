"""Mixed requests to one container at a steady rate, each answer compared with what it must be.

The clients share one timetable: whoever is free takes the next place in it. A place
that no client was free for is taken late, and how late the worst was is noted.
"""
import collections
import hashlib
import os
import random
import threading
import time
from dataclasses import dataclass

from support import expect, wire

KINDS = ('GET', 'HEAD', 'PUT', 'chunked PUT', 'POST')
BIGGEST = 128 * 1024
NAMES_EACH = 4
POOL = os.urandom(2 * BIGGEST)


@dataclass
class Unexpected:
    """An answer that was not as it must be; without a status none came at all."""

    sent: float
    took: float
    request: str
    status: int | None
    ours: str | None
    why: str

    def __str__(self):
        clock = time.strftime('%H:%M:%S', time.localtime(self.sent))
        sender = 'ours, ' + self.ours if self.ours else "the cloud's" if self.status else 'none came'
        return '%s.%03d %s: %s (%s) after %.1f s: %s' % (
            clock, self.sent % 1 * 1000, self.request, self.status, sender, self.took, self.why)


@dataclass
class Stored:
    """What an object must be."""

    body: bytes
    etag: str
    note: str | None = None


class Load:
    """Clients that ask `url`, a container, for `seconds` or until `stop`."""

    def __init__(self, url, rate, clients=16, seconds=float('inf'), kinds=KINDS):
        self.url, self.rate, self.kinds = url, rate, kinds
        self.end = time.monotonic() + seconds
        self.began = time.monotonic()
        self.places = 0
        self.latest = 0.0
        self.closed = 0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.counts = collections.Counter()
        self.unexpected = []
        reply = wire.fetch(url, 'PUT')
        expect.that(reply.status in (201, 202), 'no container: %d' % reply.status)
        self.clients = [Client(self, number) for number in range(clients)]
        for client in self.clients:
            client.start()

    def next_place(self):
        """Wait for the next place in the timetable; False once the time is up."""
        with self.lock:
            due = self.began + self.places / self.rate
            self.places += 1
        if due >= self.end or self.stopped.wait(max(0, due - time.monotonic())):
            return False
        if time.monotonic() >= self.end:
            return False
        with self.lock:
            self.latest = max(self.latest, time.monotonic() - due)
        return True

    def stop(self):
        self.stopped.set()

    def join(self):
        for client in self.clients:
            client.join()
        self.took = time.monotonic() - self.began
        self.unexpected.sort(key=lambda one: one.sent)

    def senders(self):
        """How many unexpected answers there were by (status, our reason or None)."""
        return collections.Counter((one.status, one.ours) for one in self.unexpected)

    def figures(self):
        """How many requests, of which kinds, and whether the rate was held."""
        held = self.counts.total() / self.took
        note = '' if held > 0.98 * self.rate else ' (%g wanted)' % self.rate
        closed = ', %d connections closed without a word' % self.closed if self.closed else ''
        return '%d requests (%s), %.1f a second%s, at most %.1f s late%s' % (
            self.counts.total(), ', '.join('%d %s' % (n, kind) for kind, n in sorted(self.counts.items())),
            held, note, self.latest, closed)


class Client(threading.Thread):
    """One keep-alive connection with objects of its own, so that it knows what each must be."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load = load
        self.random = random.Random(number)
        self.host, self.port, self.target = wire.split(load.url)
        self.names = ['%s/%d-%d' % (self.target, number, n) for n in range(NAMES_EACH)]
        self.stored = {}
        self.connection = None

    def run(self):
        while self.load.next_place():
            name = self.random.choice(self.names)
            kinds = self.load.kinds if name in self.stored else [
                kind for kind in self.load.kinds if kind.endswith('PUT')]
            kind = self.random.choice(kinds)
            self.ask(kind, name)
        self.forget_connection()

    def ask(self, kind, name):
        """One request; what is not as it must be is noted."""
        sent, clock = time.monotonic(), time.time()
        reply = None
        try:
            if self.connection and self.connection.was_closed():
                self.forget_connection()
                self.load.closed += 1
            if not self.connection:
                self.connection = wire.Connection(self.host, self.port)
            reply = self.send(kind, name)
            why = self.judge(kind, name, reply)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is not the expected answer)
            why = repr(error)
        if reply is None or (reply.get('Connection') or '').lower() == 'close':
            self.forget_connection()
        with self.load.lock:
            self.load.counts[kind] += 1
            if why:
                self.load.unexpected.append(Unexpected(
                    clock, time.monotonic() - sent, '%s %s' % (kind, name),
                    reply.status if reply else None, reply and reply.get('X-Gatestone-Error'), why))

    def send(self, kind, name):
        """Send one request; a write leaves unknown what is stored until its answer is judged."""
        if kind in ('GET', 'HEAD'):
            return self.connection.request(kind, name)
        size = self.random.randrange(BIGGEST + 1)
        start = self.random.randrange(len(POOL) - size)
        body = POOL[start:start + size]
        before = self.stored.pop(name, None)
        if kind == 'POST':
            self.wanted = Stored(before.body, before.etag, '%d bytes at %d' % (size, start))
            return self.connection.request('POST', name, {'X-Object-Meta-Note': self.wanted.note}, body)
        self.wanted = Stored(body, hashlib.md5(body).hexdigest())
        pieces = (body[at:at + 10_000] for at in range(0, size, 10_000))
        return self.connection.request('PUT', name, {}, pieces if kind == 'chunked PUT' else body)

    def judge(self, kind, name, reply):
        """What is wrong with a reply, or None."""
        status = {'GET': 200, 'HEAD': 200, 'POST': 202}.get(kind, 201)
        if reply.status != status:
            return expect.shown(reply.body, 100)
        if kind not in ('GET', 'HEAD'):
            self.stored[name] = self.wanted
        stored = self.stored[name]
        if kind != 'POST' and reply.get('Etag') != stored.etag:
            return 'another ETag'
        if kind == 'GET' and reply.body != stored.body:
            return 'another body'
        if kind == 'HEAD' and reply.get('Content-Length') != str(len(stored.body)):
            return 'another length'
        if kind in ('GET', 'HEAD') and reply.get('X-Object-Meta-Note') != stored.note:
            return 'another note'
        return None

    def forget_connection(self):
        if self.connection:
            self.connection.close()
            self.connection = None
