"""A wire tap between a client and the proxy: counts connections, notes tokens, looks for secrets.

The client is given the tap's address and nothing else, so whatever it learns has come through here.
"""
import re
import socket
import threading

from support import wire

SENT_TOKEN = re.compile(rb'\r\nX-(?:Auth|Storage)-Token: *([^\r\n]+)', re.IGNORECASE)
# a request's head comes at the start of what a client sends at once
HEAD = 16 * 1024
PIECE = 256 * 1024


class Tap:
    """`url` stands for the real one. `secrets()` gives what no client may see."""

    def __init__(self, real_url, secrets):
        host, port, _ = wire.split(real_url + '/')
        self.upstream = (host, port)
        self.secrets = secrets
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = 'http://127.0.0.1:%d' % self.port
        self.lock = threading.Lock()
        self.connections = 0
        self.tokens = set()
        self.given_away = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:  # closed
                return
            self.connections += 1
            try:
                far = socket.create_connection(self.upstream)
            except OSError:  # the proxy is gone: so is this connection
                near.close()
                continue
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=pump, args=(near, far, self.look_for_token), daemon=True).start()
            threading.Thread(target=pump, args=(far, near, self.look_for_secret), daemon=True).start()

    def look_for_token(self, _, piece):
        """The tokens that the client sends are those that it was given."""
        self.tokens.update(found.decode('latin-1') for found in SENT_TOKEN.findall(piece[:HEAD]))

    def look_for_secret(self, before, piece):
        """Also one that is spread over two pieces."""
        for secret in self.secrets():
            needle = secret.encode()
            if needle in piece or needle in before[-len(needle) + 1:] + piece[:len(needle) - 1]:
                with self.lock:
                    self.given_away += 1


def pump(source, sink, look):
    """Pass on what comes until an end, then pass on the end."""
    before = b''
    try:
        while (piece := source.recv(PIECE)):
            look(before, piece)
            sink.sendall(piece)
            before = piece
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # one end is gone: the other must not wait for it
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:  # gone as well
                pass
