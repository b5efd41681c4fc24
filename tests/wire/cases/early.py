"""A final answer before the request's body has ended: the client gets it whole, and the upload stops."""
import socket
import struct
import time
from pathlib import Path

from harness.play import add, case, want
from harness.ways import once_more, table

ROW = 'early'
SIZE = 400 << 20
PUT = b'PUT /object-store/x HTTP/1.1\r\nHost: localhost\r\n'
LENGTH = b'Content-Length: %d\r\n\r\n' % SIZE
CHUNKED = b'Transfer-Encoding: chunked\r\n\r\n'
TEXT = b'the quota of this account is used up; ' * 400


def answer(status, fields=b''):
    return b'HTTP/1.1 ' + status + b'\r\nContent-Length: %d\r\n' % len(TEXT) + fields + b'\r\n' + TEXT


def early(p, head, reply, then):
    """The origin answers when a megabyte has come, and goes on as `then` says."""
    client = p.client(PUT + head)
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(SIZE, 65536, chunked=head is CHUNKED)
    origin.take(1 << 20)
    origin.send(reply)
    if then == 'closes':
        origin.close()  # with bytes unread: a reset follows the answer
    elif then == 'says-close-and-ends':
        origin.fin()
    message = client.response(b'PUT', seconds=6)
    want(message.status == int(reply[9:12]), 'the answer of the origin', message.start)
    want(message.body == TEXT, 'all of it', len(message.body))
    if then == 'reads-on':
        # Both may go on, or stop; what must not be is an end of the body that is none.
        rest = origin.cut_off(8) if client.over else b''
        want(b'\r\n0\r\n\r\n' not in rest[-20:] or pour.sent == SIZE, 'no last chunk', rest[-40:])
    elif p.ours:
        # The client is told to stop, and does.
        want(message.get(b'connection') == b'close', 'Connection: close', message.fields)
        pour.stop = True
        client.ends(3)
        if then == 'stops-reading':
            origin.cut_off(3)
    pour.stop = True


TOO_LARGE = answer(b'413 Content Too Large')
REFUSED = answer(b'401 Unauthorized', b'WWW-Authenticate: Basic realm="a"\r\n')
FULL = answer(b'507 Insufficient Storage', b'Connection: close\r\n')
for then in ('stops-reading', 'closes', 'says-close-and-ends', 'reads-on'):
    table(ROW, lambda p, args, then=then: early(p, *args, then), True, [
        ('413-and-origin-' + then, '9112 9.6', (LENGTH, TOO_LARGE)),
        ('401-and-origin-' + then, '9112 9.6', (LENGTH, REFUSED)),
        ('507-to-chunks-and-origin-' + then, '9112 9.6', (CHUNKED, FULL)),
    ])


@case('9112 9.6', peers=False)
def client_that_does_not_stop(p):
    """It sends on after the answer, and the end, without ever looking: that has an end."""
    client = p.client(PUT + LENGTH)
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(SIZE, 4096, pause=0.02)
    origin.until(b'u' * 4096)
    origin.send(TOO_LARGE).close()
    pour.done(16)
    want(pour.error is not None, 'an end', pour.sent)


def small(p, then):
    """The same with a body that the sockets hold: the client sends on after the answer."""
    client = p.client(PUT + b'Content-Length: 100000\r\n\r\n' + b'u' * 1000)
    origin = p.accept(client)
    origin.head()
    origin.until(b'u' * 1000)
    origin.send(TOO_LARGE)
    if then == 'closes':
        origin.close()
    message = client.response(b'PUT', seconds=4)
    want(message.status == 413 and message.body == TEXT, 'the answer of the origin', message.start, len(message.body))


table(ROW, small, True, [('413-to-a-small-body', '9112 9.6', 'keeps'),
                         ('413-to-a-small-body-and-origin-closes', '9112 9.6', 'closes')])


@case('9112 9.6')
def answer_before_the_first_byte(p):
    """The origin answers the head, and closes."""
    client = p.client(PUT + b'Content-Length: 100000\r\n\r\n')
    origin = p.accept(client)
    origin.head()
    origin.send(TOO_LARGE).close()
    message = client.response(b'PUT', seconds=4)
    want(message.status == 413 and message.body == TEXT, 'the answer of the origin', message.start, len(message.body))


@case('9112 9.6')
def answer_in_chunks(p):
    client = p.client(PUT + LENGTH)
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(SIZE, 65536)
    origin.take(1 << 20)
    origin.send(b'HTTP/1.1 413 Content Too Large\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    time.sleep(0.2)
    origin.send(b'5\r\nworld\r\n0\r\n\r\n')
    message = client.response(b'PUT', seconds=4)
    want(message.status == 413 and message.body == b'helloworld', 'the answer of the origin', message.start, message.body)
    pour.stop = True


@case('9110 9.3.4')
def answer_while_both_go_on(p):
    """An origin may answer and still read: then both bodies are whole."""
    client = p.client(PUT + b'Content-Length: 10\r\n\r\nhello')
    origin = p.accept(client)
    origin.head()
    origin.until(b'hello')
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst')
    client.until(b'first', 2)
    client.send(b'world')
    origin.until(b'world', 2)
    origin.send(b'then!')
    want(client.until(b'then!', 2), 'the rest of the answer', client.raw)


@case('9112 9.6')
def next_request_after_an_early_answer(p):
    """What is left of the body is not taken for a request, and the origin's connection is not used again with it missing."""
    client = p.client(PUT + b'Content-Length: 40\r\n\r\nhello')
    origin = p.accept(client)
    origin.head()
    origin.until(b'hello')
    origin.send(b'HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno')
    message = client.response(b'PUT')
    want(message.status == 413, 'the answer of the origin', message.start)
    client.close()
    time.sleep(0.2)
    fresh = p.client()
    once_more(p, fresh, origin, 'fresh')


def held(conn):
    """Whether a process holds the other end of an origin's connection, as the kernel's table has it."""
    def place(address):
        return '%08X:%04X' % (struct.unpack('=I', socket.inet_aton(address[0]))[0], address[1])
    ends = [place(conn.sock.getpeername()), place(conn.sock.getsockname())]
    rows = [line.split() for line in Path('/proc/net/tcp').read_text().splitlines()]
    return any(row[1:3] == ends and row[9] != '0' for row in rows)


def stalled(p, reply, status):
    """The origin takes nothing any more, nor closes: its connection is given up when the body limit has passed."""
    client = p.client(PUT + LENGTH)
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(SIZE)
    time.sleep(0.7)
    origin.send(reply)
    message = client.response(b'PUT')
    want(message.status == status, 'the status %d' % status, message.start)
    pour.stop = True
    client.close()
    by = time.monotonic() + 12  # idle connections are looked through every 5 s
    while held(origin):
        want(time.monotonic() < by, 'an end of the connection to the origin')
        time.sleep(0.1)


SHORT = {'GATESTONE_RESPONSE_TIMEOUT': '2s', 'GATESTONE_BODY_TIMEOUT': '2s', 'GATESTONE_UPSTREAM_IDLE_TIMEOUT': '1s'}
for name, reply, status in (('413', TOO_LARGE, 413), ('201', answer(b'201 Created'), 201), ('nothing', b'', 504)):
    add(ROW, name + '-and-origin-stalls', '9112 9.6', lambda p, args=(reply, status): stalled(p, *args), False, SHORT,
        stalled.__doc__)
