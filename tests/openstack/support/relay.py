"""Relays that count: logins at Keystone, bytes that reach another service.

The one in front of Keystone reads the head of each reply, so that a test can say
how often the proxy logged in and search what it wrote for tokens it should not
have shown. The other knows nothing of HTTP.
"""
import http.client
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import wire


class Relay(ThreadingHTTPServer):
    """`auth_url` of the relay stands for the real one."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, real_auth_url):
        super().__init__(('127.0.0.1', 0), Handler)
        self.host, self.real_port, self.path = wire.split(real_auth_url)
        self.auth_url = 'http://127.0.0.1:%d%s' % (self.server_port, self.path)
        self.lock = threading.Lock()
        self.logins = 0
        self.tokens = []
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """A client may go before its answer: a proxy that is stopped does."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Passes one request on, then the reply back."""

    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def pass_on(self):
        if self.command == 'POST' and self.path.split('?')[0].endswith('/auth/tokens'):
            with self.server.lock:
                self.server.logins += 1
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        upstream = http.client.HTTPConnection(self.server.host, self.server.real_port, timeout=60)
        upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
        reply = upstream.getresponse()
        content = reply.read()
        token = reply.getheader('X-Subject-Token')
        if token and token not in self.server.tokens:
            self.server.tokens.append(token)
        self.send_response_only(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ('connection', 'keep-alive', 'transfer-encoding', 'content-length'):
                self.send_header(name, value)
        self.send_header('Content-Length', reply.getheader('Content-Length') if self.command == 'HEAD'
                         and reply.getheader('Content-Length') else str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on


class ByteRelay:
    """`url` of the relay stands for the real one; `sent` counts the bytes towards the service."""

    def __init__(self, real_url):
        host, port, path = wire.split(real_url)
        self.upstream = (host, port)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d%s' % (self.listener.getsockname()[1], path)
        self.lock = threading.Lock()
        self.sent = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:  # closed
                return
            far = socket.create_connection(self.upstream)
            threading.Thread(target=self.pump, args=(near, far, self.count), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, lambda _: None), daemon=True).start()

    def count(self, size):
        with self.lock:
            self.sent += size

    @staticmethod
    def pump(source, sink, count):
        """Pass on what comes until an end, then pass on the end."""
        try:
            while (piece := source.recv(262144)):
                count(len(piece))
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:  # one end is gone: the other must not wait for it
            source.close()
            sink.close()
