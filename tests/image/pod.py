"""A network namespace that containers share, as those of a pod do: its loopback, and nothing else.

The lab listens on the machine's loopback, so each of its ports has a relay here: a socket that listens
inside the pod and connects outside. A name server of the pod's own answers on port 53.
"""
import ctypes
import os
import socket
import struct
import subprocess
import threading

from image import run

CLONE_NEWNET = 0x40000000
LOOPBACK = '127.0.0.1'
# The domain whose names all lead to the pod's loopback.
DOMAIN = 'cloud.test'
RESOLV_CONF = 'nameserver %s\nsearch default.svc.cluster.local %s\noptions ndots:5\n' % (LOOPBACK, DOMAIN)


class Pod:
    """The namespace, with relays to these ports of the machine's loopback."""

    def __init__(self, ports):
        self.name = 'gatestone-image-%d' % os.getpid()
        self.path = '/run/netns/' + self.name
        run('ip', 'netns', 'add', self.name)
        run('ip', '-n', self.name, 'link', 'set', 'lo', 'up')
        self.names = Names(self.socket(socket.SOCK_DGRAM, 53), self.listener(53))
        for port in ports:
            serve(self.listener(port), lambda client, port=port: relay(client, port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run('ip', 'netns', 'delete', self.name)

    def socket(self, kind, port):
        """A bound socket that lives in the pod. Only this thread goes there, and it comes back."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open('/proc/thread-self/ns/net', 'rb') as here, open(self.path, 'rb') as there:
            if libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), 'cannot enter the network namespace')
            try:
                bound = socket.socket(socket.AF_INET, kind)
                bound.bind((LOOPBACK, port))
                return bound
            finally:
                libc.setns(here.fileno(), CLONE_NEWNET)

    def listener(self, port):
        listening = self.socket(socket.SOCK_STREAM, port)
        listening.listen(64)
        return listening

    def run(self, *command, **options):
        """Run a program of this machine inside; the result has returncode, stdout, stderr."""
        return subprocess.run(['ip', 'netns', 'exec', self.name, *command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=60, **options)


def serve(listening, handle):
    """Give each connection a thread of its own, for as long as this process lives."""
    def accept():
        while True:
            client = listening.accept()[0]
            threading.Thread(target=handle, args=(client,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def relay(client, port):
    """Pass bytes on both ways until each side has ended."""
    with client, socket.create_connection((LOOPBACK, port)) as server:
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # either side may go whenever it likes


class Names:
    """A name server (RFC 1035): every name in DOMAIN has the address of loopback, no other exists.

    With `truncated`, an answer by UDP says only that it is too long, so that it is asked for by TCP.
    """

    def __init__(self, datagrams, listening):
        self.truncated = False
        self.asked = []
        threading.Thread(target=self.by_udp, args=(datagrams,), daemon=True).start()
        serve(listening, self.by_tcp)

    def by_udp(self, datagrams):
        while True:
            query, client = datagrams.recvfrom(4096)
            datagrams.sendto(self.answer(query, 'UDP'), client)

    def by_tcp(self, client):
        with client, client.makefile('rb') as reader:
            while length := reader.read(2):
                answer = self.answer(reader.read(struct.unpack('>H', length)[0]), 'TCP')
                client.sendall(struct.pack('>H', len(answer)) + answer)

    def answer(self, query, transport):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode('ascii').lower())
            at += 1 + query[at]
        name, kind = '.'.join(labels), struct.unpack('>H', query[at + 1:at + 3])[0]
        self.asked.append((transport, name))
        known = name.endswith('.' + DOMAIN) and 'svc' not in labels
        cut = known and self.truncated and transport == 'UDP'
        records = known and not cut and kind == 1
        # A response, recursion asked for and available; 0x0200: truncated; 3: no such name.
        flags = 0x8180 | 0x0200 * cut | 3 * (not known)
        record = b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 60, 4) + socket.inet_aton(LOOPBACK)
        return query[:2] + struct.pack('>5H', flags, 1, records, 0, 0) + query[12:at + 5] + record * records
