"""Clients that ask without a pause on connections that stay, and note each request that gets no answer, or a wrong one."""
import select
import socket
import threading

BODY = b'x' * 1000
REQUEST = b'GET /object-store/o HTTP/1.1\r\nHost: localhost\r\n\r\n'


def store(peer):
    """An origin's part: the same answer to all."""
    while peer.request():
        peer.answer(200, BODY)


class Load:
    """So many requests in all; `lost` tells what became of those that failed."""

    def __init__(self, port, requests, clients=8):
        self.port, self.left, self.lock = port, requests, threading.Lock()
        self.answered, self.lost, self.connections = 0, [], 0
        self.threads = [threading.Thread(target=self.client, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        with self.lock:
            self.left = 0
        self.wait()

    def wait(self):
        for thread in self.threads:
            thread.join()

    @property
    def is_over(self):
        return not any(thread.is_alive() for thread in self.threads)

    def take(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def client(self):
        connection = None
        while self.take():
            try:
                connection = connection if connection and is_open(connection) else self.connect()
                connection.sendall(REQUEST)
                if not answer(connection):
                    connection = None
                self.answered += 1
            except (OSError, ValueError) as error:
                self.lost.append(repr(error))
                connection = None

    def connect(self):
        connection = socket.create_connection(('127.0.0.1', self.port), timeout=30)
        with self.lock:
            self.connections += 1
        return connection


def is_open(connection):
    """An end that has come already is no surprise: whoever keeps connections looks before using one."""
    return not select.select([connection], [], [], 0)[0]


def answer(connection):
    """Reads one; whether the connection stays."""
    head, body = b'', b''
    while b'\r\n\r\n' not in head:
        piece = connection.recv(65536)
        if not piece:
            raise ValueError('closed after %r' % head)
        head += piece
    head, _, body = head.partition(b'\r\n\r\n')
    while len(body) < len(BODY):
        piece = connection.recv(65536)
        if not piece:
            raise ValueError('cut after %d bytes' % len(body))
        body += piece
    if not head.startswith(b'HTTP/1.1 200 ') or body != BODY:
        raise ValueError('answered %r' % head.partition(b'\r\n')[0])
    if b'connection: close' in head.lower():
        connection.close()
        return False
    return True
