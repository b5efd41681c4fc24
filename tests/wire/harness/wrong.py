"""Proxies that are wrong in one simple way each. A case that all of them pass could not fail (`run --control`)."""
import re
import socket
import threading
import time

KINDS = ('closes', 'refuses', 'answers', 'relays')
REFUSAL = b'{"error":{"code":400,"title":"Bad Request","message":"no","reason":"bad_request"}}'


class Wrong:
    """Passes for gatestone, so that all of a case is asked of it."""

    name = 'gatestone'

    def __init__(self, kind, origins, token):
        self.kind, self.origins, self.token = getattr(self, kind), origins, token.encode()
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            self.kind(client)
        except (OSError, LookupError):
            pass
        finally:
            client.close()

    def stop(self):
        self.listener.close()

    @staticmethod
    def died():
        return False

    @staticmethod
    def head(client):
        """What comes up to an empty line, or within a second."""
        seen = b''
        client.settimeout(1)
        try:
            while b'\n\r\n' not in seen and b'\n\n' not in seen and (more := client.recv(65536)):
                seen += more
        except OSError:
            pass
        return seen

    @staticmethod
    def closes(_):
        time.sleep(0.01)

    def refuses(self, client):
        self.head(client)
        client.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Gatestone-Error: bad_request\r\n'
                       b'Connection: close\r\nContent-Length: %d\r\n\r\n' % len(REFUSAL) + REFUSAL)
        client.shutdown(socket.SHUT_WR)
        time.sleep(0.05)

    def answers(self, client):
        while self.head(client):
            client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

    def relays(self, client):
        """The path, Host and the token, and nothing else: all bytes pass as they are."""
        first = self.head(client)
        if not (region := re.search(rb'/object-store@(r\d+)', first)):
            return
        port = self.origins[region[1].decode()]
        origin = socket.create_connection(('127.0.0.1', port))

        def turned(data):
            data = re.sub(rb'(?:http://localhost)?/object-store@r\d+', b'/v1/AUTH_p', data)
            return re.sub(rb'(?i)host:[^\r\n]*localhost[^\r\n]*', b'Host: 127.0.0.1:%d\r\nX-Auth-Token: %b' % (
                port, self.token), data)

        def pump(source, sink, change):
            try:
                while (data := source.recv(65536)):
                    sink.sendall(change(data))
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                for end in (source, sink):
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

        try:
            origin.sendall(turned(first))
            client.settimeout(None)
            upward = threading.Thread(target=pump, args=(client, origin, turned), daemon=True)
            upward.start()
            pump(origin, client, bytes)
            upward.join(20)
        finally:
            origin.close()
