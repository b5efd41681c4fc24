"""Clients that come one after the other, each with a connection of its own, while something happens to the proxy."""
import contextlib
import socket
import threading
import time

ADDRESSES = (('127.0.0.1', 5050), ('::1', 5050))
REQUEST = b'GET /-/livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
# A login and a start are well within it.
PATIENCE = 20


class Visitors:
    """How many were served, and what befell the others."""

    def __init__(self):
        self.served = 0
        self.longest = 0.0
        self.failures = []

    def come(self, address, until):
        while not until.is_set():
            began = time.monotonic()
            try:
                answer = visit(address)
                if answer.startswith(b'HTTP/1.1 200'):
                    self.served += 1
                else:
                    self.failures.append('%s: %r' % (address[0], answer[:80]))
            except OSError as error:
                self.failures.append('%s: %s' % (address[0], error))
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.002)


def visit(address):
    """All that comes back on a connection; an OSError if it was refused or cut."""
    with socket.create_connection(address, PATIENCE) as connection:
        connection.sendall(REQUEST)
        pieces = []
        while (piece := connection.recv(65536)):
            pieces.append(piece)
    return b''.join(pieces)


@contextlib.contextmanager
def visitors():
    """While this is held they come, two at a time to each address."""
    them, until = Visitors(), threading.Event()
    threads = [threading.Thread(target=them.come, args=(address, until)) for address in ADDRESSES * 2]
    for thread in threads:
        thread.start()
    try:
        yield them
    finally:
        until.set()
        for thread in threads:
            thread.join()
