"""What the commands of this folder share: the program before an object store, and its instructions counted."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'tests/wire/seen'))

from common import Origin, expect, gatestone, main, proxy, seen, wire  # noqa: E402, F401

BODY = b'x' * 1024
REQUESTS, AT_ONCE = 2000, 20
# As curl sends them; what a command adds comes behind.
FIELDS = {'Host': 'localhost', 'User-Agent': 'curl/8.5.0', 'Accept': '*/*'}
# As Swift answers the GET of an object.
SWIFT = (
    ('Content-Type', 'application/octet-stream'),
    ('Etag', 'b2ca678b4c936f905fb82f2733f5297f'),
    ('Last-Modified', 'Thu, 26 Nov 2026 10:00:00 GMT'),
    ('X-Timestamp', '1795687199.00000'),
    ('Accept-Ranges', 'bytes'),
    ('X-Trans-Id', 'tx0123456789abcdef01234-0065f0c0de'),
    ('X-Openstack-Request-Id', 'tx0123456789abcdef01234-0065f0c0de'),
    ('Date', 'Thu, 26 Nov 2026 10:00:01 GMT'),
)


ANSWER = ('HTTP/1.1 200 OK\r\n' + ''.join('%s: %s\r\n' % field for field in (('Content-Length', len(BODY)), *SWIFT))
          + '\r\n').encode() + BODY


def store(peer):
    """An origin that has every object."""
    while (request := peer.request()):
        for _ in peer.body(request):
            pass
        peer.socket.sendall(ANSWER)


@contextlib.contextmanager
def running(settings, *arguments, serve=store):
    """The program with these settings, before an origin."""
    with tempfile.TemporaryDirectory(prefix='gatestone-bench-') as folder, Origin(serve) as origin:
        file = Path(folder) / 'gatestone.toml'
        file.write_text(settings.replace('{origin}', origin.url))
        with proxy(origin, '--config', str(file), *arguments) as it:
            yield it


def ask(connection, count, fields=FIELDS):
    for i in range(count):
        reply = connection.request('GET', '/object-store/photos/%d.jpg' % i, fields)
        expect.equal(reply.status, 200, 'status')


@contextlib.contextmanager
def under(command):
    """What is started meanwhile runs under this; `%s` in it is the folder that is given."""
    binary = gatestone.binary()
    with tempfile.TemporaryDirectory(prefix='gatestone-bench-') as folder:
        script = Path(folder) / 'gatestone'
        script.write_text('#!/bin/sh\nexec %s "%s" "$@"\n' % (command % folder, binary))
        script.chmod(0o755)
        before = os.environ.get('GATESTONE_BIN')
        os.environ['GATESTONE_BIN'] = str(script)
        try:
            yield Path(folder)
        finally:
            os.environ.pop('GATESTONE_BIN')
            if before:
                os.environ['GATESTONE_BIN'] = before


def need(tool):
    """Installs what is missing from the distribution's packages."""
    if shutil.which(tool) is None:
        apt = ['apt-get', '-qq']
        subprocess.run([*apt, 'update'], capture_output=True)
        subprocess.run([*apt, 'install', '-y', '--no-install-recommends', tool], check=True, capture_output=True)


CALLGRIND = 'valgrind --tool=callgrind --instr-atstart=no --quiet --callgrind-out-file=%s/out.%%p'


class Clients:
    """Connections on which requests are under way at once, so that the program rests as seldom as under load."""

    def __init__(self, port, count, fields=FIELDS, paths=('/object-store/photos/%d.jpg',)):
        self.paths = paths
        self.head = ''.join('%s: %s\r\n' % field for field in fields.items())
        self.sockets = [socket.create_connection(('127.0.0.1', port)) for _ in range(count)]
        self.asked = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.sockets:
            client.close()

    def ask(self, rounds):
        """So many requests on each."""
        for _ in range(rounds):
            for client in self.sockets:
                self.send(client)
            for client in self.sockets:
                self.receive(client)

    def ask_in_turn(self, count):
        """So many requests, each after the answer to the one before, on one connection after the other."""
        for i in range(count):
            client = self.sockets[i % len(self.sockets)]
            self.send(client)
            self.receive(client)

    def send(self, client):
        self.asked += 1
        path = self.paths[self.asked % len(self.paths)] % (self.asked % 1000)
        client.sendall(('GET %s HTTP/1.1\r\n%s\r\n' % (path, self.head)).encode())

    @staticmethod
    def receive(client):
        answer = b''
        while not (begun := answer.partition(b'\r\n\r\n'))[1] or len(begun[2]) < len(BODY):
            piece = client.recv(65536)
            expect.that(piece, 'the proxy closed a connection')
            answer += piece
        expect.that(answer.startswith(b'HTTP/1.1 200 '), 'an answer begins with %r' % answer[:40])


def counted(settings, *annotate, requests=REQUESTS, at_once=AT_ONCE, **clients):
    """Instructions in user space of one request on connections that are kept, and what callgrind has to say of them.

    With `{origin}` in the settings for the origin's URL.
    """
    need('valgrind')
    with under(CALLGRIND) as folder, running(settings, '--workers', '1') as it, \
            Clients(it.port, at_once, **clients) as clients:
        def tell(*what):
            subprocess.run(['callgrind_control', *what, str(it.pid)], check=True, capture_output=True)
        rounds = requests // at_once
        clients.ask(max(1, rounds // 10))
        tell('-i', 'on')
        clients.ask(rounds)
        tell('-i', 'off')
        tell('-d')
        out = max(folder.glob('out.*'), key=lambda path: path.stat().st_mtime_ns)
        text = subprocess.run(['callgrind_annotate', *annotate, str(out)], check=True, capture_output=True,
                              text=True).stdout
    return number(re.search(r'(?m)^([\d,]+) .*PROGRAM TOTALS', text)[1]) / (rounds * at_once), text


def cpu_micros(pid):
    """CPU time of all threads of a process so far."""
    return sum(int((task / 'schedstat').read_text().split()[0]) for task in Path('/proc/%d/task' % pid).iterdir()) / 1000


def number(text):
    return int(text.replace(',', ''))
