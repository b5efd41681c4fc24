"""What the commands of this folder share: the program between clients and an origin that may misbehave.

The Keystone is a stand-in that knows one answer; the origin is whatever a command does with
each connection that it gets.
"""
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'openstack'))

from seen.common import control, expect, gatestone, main, seen, show  # noqa: E402, F401
from support import wire  # noqa: E402, F401

# so that what was started is ended then as well
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

MIB = 1 << 20
ACCOUNT = '/v1/AUTH_p'


class Content:
    """Bytes without end that repeat at an odd length, so that none can be missing, twice or elsewhere unseen."""

    def __init__(self):
        self.length = MIB + 7
        self.once = os.urandom(self.length)
        self.twice = memoryview(self.once * 2)

    def piece(self, start, size):
        """So many bytes, 1 MiB at most, from an offset on."""
        start %= self.length
        return self.twice[start:start + size]

    def pieces(self, size, each=MIB):
        """The first `size` bytes of it."""
        for at in range(0, size, each):
            yield self.piece(at, min(each, size - at))


# ---------------------------------------------------------------- the origin


@dataclass
class Request:
    """The head of a request, as the origin got it."""

    method: str
    target: str
    fields: dict

    def get(self, name):
        return self.fields.get(name)


class Peer:
    """One connection at the origin."""

    def __init__(self, connection):
        self.socket = connection
        self.reader = connection.makefile('rb')

    def request(self):
        """The next request's head, or None at the end."""
        line = self.reader.readline().decode('latin-1').split()
        if len(line) != 3:
            return None
        fields = {}
        while (row := self.reader.readline()) not in (b'\r\n', b''):
            name, _, value = row.decode('latin-1').partition(':')
            fields[name.lower()] = value.strip()
        return Request(line[0], line[1].removeprefix(ACCOUNT), fields) if row else None

    def body(self, request, size=262144):
        """The body of a request, piece by piece, asked for if that is waited for; an OSError if it is cut."""
        if request.get('expect'):
            self.socket.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        if request.get('transfer-encoding'):
            while (left := self.chunk()):
                yield from self.exactly(left, size)
                self.reader.readline()
            self.reader.readline()
        else:
            yield from self.exactly(int(request.get('content-length') or 0), size)

    def chunk(self):
        line = self.reader.readline()
        if not line:
            raise wire.Cut('the body has no end')
        return int(line, 16)

    def exactly(self, left, size):
        while left:
            piece = self.reader.read1(min(left, size))
            if not piece:
                raise wire.Cut('%d bytes of the body are missing' % left)
            left -= len(piece)
            yield piece

    def answer(self, status, body=b'', fields=(), length=None):
        """A whole answer; with `length`, and no body, the head of one."""
        lines = ['HTTP/1.1 %d Whatever' % status, *('%s: %s' % field for field in fields)]
        if status != 204:
            lines.append('Content-Length: %d' % (len(body) if length is None else length))
        self.socket.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1') + body)

    def answer_chunked(self, pieces, fields=()):
        lines = ['HTTP/1.1 200 Whatever', *('%s: %s' % field for field in fields), 'Transfer-Encoding: chunked']
        self.socket.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1'))
        for piece in pieces:
            self.socket.sendall(b'%x\r\n' % len(piece))
            self.socket.sendall(piece)
            self.socket.sendall(b'\r\n')
        self.socket.sendall(b'0\r\n\r\n')

    def reset(self):
        """Close so that the other end gets a reset, whatever it does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()


class Origin:
    """Gives each connection, as a Peer, to `serve` on a thread of its own."""

    def __init__(self, serve, tls=None):
        self.serve, self.tls = serve, tls
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=256)
        self.url = '%s://127.0.0.1:%d' % ('https' if tls else 'http', self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:  # closed
                return
            threading.Thread(target=self.attend, args=(connection,), daemon=True).start()

    def attend(self, connection):
        # A proxy that leaves, or is cut, is no fault of the origin's; what it got is noted before.
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            peer = Peer(connection)
            try:
                self.serve(peer)
            finally:
                peer.close()


class Keystone(ThreadingHTTPServer):
    """A login that always succeeds; its catalog names one object store."""

    daemon_threads = True

    def __init__(self, store):
        super().__init__(('127.0.0.1', 0), KeystoneHandler)
        self.url = 'http://127.0.0.1:%d/v3' % self.server_port
        self.catalog = [{'id': 'c', 'type': 'object-store', 'name': 'swift', 'endpoints': [
            {'id': 'e', 'interface': 'public', 'region': 'R', 'region_id': 'R', 'url': store + ACCOUNT}]}]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class KeystoneHandler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        now = time.time()
        self.reply(201, {'token': {
            'methods': ['password'], 'issued_at': moment(now), 'expires_at': moment(now + getattr(self.server, 'life', 3600)),
            'user': {'id': 'u', 'name': 'user', 'domain': {'id': 'default', 'name': 'Default'}},
            'project': {'id': 'p', 'name': 'project', 'domain': {'id': 'default', 'name': 'Default'}},
            'roles': [{'id': 'm', 'name': 'member'}], 'catalog': self.server.catalog}})

    def do_GET(self):
        self.reply(404, {'error': {'code': 404, 'title': 'Not Found', 'message': 'not here'}})

    def reply(self, status, document):
        body = json.dumps(document).encode()
        self.send_response_only(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('X-Subject-Token', 'a-token')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def moment(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime(seconds))


# ---------------------------------------------------------------- the program between


@contextlib.contextmanager
def proxy(origin, *arguments, ca=None, variables=(), **settings):
    """`gatestone run` in front of an origin; settings by their names, and other variables."""
    with Keystone(origin.url) as keystone:
        login = {'OS_AUTH_URL': keystone.url, 'OS_USERNAME': 'user', 'OS_PASSWORD': 'a-password',
                 'OS_PROJECT_NAME': 'project', 'OS_USER_DOMAIN_ID': 'default',
                 'OS_PROJECT_DOMAIN_ID': 'default', 'OS_REGION_NAME': 'R'}
        if ca:
            login['OS_CACERT'] = str(ca)
        login.update({'GATESTONE_%s' % name.upper(): str(value) for name, value in settings.items()})
        login.update(variables)
        with gatestone.Proxy(login, *arguments) as running:
            yield running


@contextlib.contextmanager
def authority():
    """A private CA: (its certificate, a TLS context for 127.0.0.1 that it vouches for)."""
    with tempfile.TemporaryDirectory(prefix='gatestone-tls-') as folder:
        path = Path(folder)

        def openssl(*arguments):
            subprocess.run(['openssl', *arguments], cwd=path, check=True, capture_output=True)

        key = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes')
        openssl('req', '-x509', *key, '-days', '2', '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.pem')
        openssl('req', *key, '-subj', '/CN=127.0.0.1', '-keyout', 'own.key', '-out', 'own.csr')
        (path / 'extensions').write_text('subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n')
        openssl('x509', '-req', '-in', 'own.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
                '-days', '2', '-extfile', 'extensions', '-out', 'own.pem')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path / 'own.pem', path / 'own.key')
        yield path / 'ca.pem', context


def pss_kib(pid):
    """What a process holds in memory, pages that it shares counted by their part (PSS)."""
    return int(re.search(r'^Pss:\s+(\d+)', Path('/proc/%d/smaps_rollup' % pid).read_text(), re.MULTILINE)[1])
