"""Deadlines: each is a setting, so each case has a gatestone of its own with short ones."""
import socket
import time

from harness.conn import Ended, Silent
from harness.play import GET, OK, case, want
from harness.ways import no_last_chunk

H = b'Host: localhost\r\n'
SLACK = 2.5  # beyond a limit of one second


def within(began, least, most):
    took = time.monotonic() - began
    want(least <= took <= most, 'between %.1f and %.1f s' % (least, most), took)


def timed_out(client, began, reasons=(b'upstream_timeout',)):
    message = client.response(seconds=1 + SLACK)
    want(message.status in (502, 504) and message.get(b'x-gatestone-error') in reasons, '504 upstream_timeout', message.start,
         message.get(b'x-gatestone-error'))
    within(began, 0.7, 1 + SLACK)


def goes(client, seconds=1 + SLACK):
    """The connection ends, perhaps with a 408 before."""
    try:
        seen = client.cut_off(seconds)
    except Silent:
        raise Silent('the connection did not end within %.1f s; seen %r' % (seconds, bytes(client.raw))) from None
    want(not seen or b' 408 ' in seen.partition(b'\r\n')[0], 'an end, or 408', seen)


# ------------------------------------------------------------------ towards the origin
@case('9110 15.6.5', peers=False, response_timeout='1s')
def no_answer(p):
    client, origin, _ = p.through(GET)
    began = time.monotonic()
    timed_out(client, began)
    origin.cut_off(1)


@case('9110 15.6.5', peers=False, response_timeout='1s')
def half_an_answer_head(p):
    client, origin, _ = p.through(GET)
    began = time.monotonic()
    origin.send(b'HTTP/1.1 200 OK\r\nX-A: ')
    timed_out(client, began)
    origin.cut_off(1)


@case('9110 15.6.5', peers=False, response_timeout='1s')
def no_answer_to_a_post(p):
    client, _, _ = p.through(b'POST /object-store/x HTTP/1.1\r\n' + H + b'Content-Length: 5\r\n\r\nhello')
    timed_out(client, time.monotonic())
    p.nobody()


@case('9110 15.6.5', peers=False, response_timeout='1s')
def slow_body_is_no_slow_answer(p):
    """The limit is for the head alone."""
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
    for _ in range(4):
        time.sleep(0.6)
        origin.send(b'z')
    want(client.response().body == b'zzzz', 'the whole body', client.raw)


@case('9110 15.6.5', peers=False, response_timeout='1s')
def slow_upload_is_no_slow_answer(p):
    """The limit begins when the origin has the whole request."""
    client = p.client(b'PUT /object-store/x HTTP/1.1\r\n' + H + b'Content-Length: 4\r\n\r\n')
    origin = p.accept(client)
    head = origin.head()
    for _ in range(4):
        time.sleep(0.5)
        client.send(b'u')
    origin.frame(head, 'none')
    origin.body(head)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 15.6.5', peers=False, connect_timeout='1s')
def no_connection(p):
    """A listener whose queue is full lets nobody in."""
    own = []
    try:
        for _ in range(40):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(p.listener.getsockname())
            own.append(sock)
        time.sleep(0.1)
        client = p.client(GET)
        timed_out(client, time.monotonic(), (b'upstream_timeout', b'upstream_unreachable'))
    finally:
        for sock in own:
            sock.close()


@case('9110 15.6.3')
def nobody_listens(p):
    p.listener.close()
    client = p.client(GET)
    message = client.response()
    want(message.status in (502, 503, 504), 'an error', message.start)
    if p.ours:
        want(message.status == 502 and message.get(b'x-gatestone-error') == b'upstream_refused', '502 upstream_refused',
             message.start)


@case('9112 9.5', peers=False, upstream_idle_timeout='1s')
def idle_origin_connection(p):
    client, origin, _ = p.through(GET)
    origin.send(OK)
    client.response()
    began = time.monotonic()
    origin.ends(7 + SLACK)  # looked at every five seconds
    within(began, 0.5, 7 + SLACK)


# ------------------------------------------------------------------ bodies
@case('9110 15.5.9', peers=False, body_timeout='1s')
def silent_upload(p):
    """A client that stops in its body: the origin sees the cut, the client 408 or the end."""
    client = p.client(b'PUT /object-store/x HTTP/1.1\r\n' + H + b'Content-Length: 50\r\n\r\nhello')
    origin = p.accept(client)
    origin.head()
    origin.until(b'hello')
    began = time.monotonic()
    origin.cut_off(1 + SLACK)
    within(began, 0.7, 1 + SLACK)
    goes(client)


@case('9110 15.5.9', peers=False, body_timeout='1s')
def silent_upload_of_chunks(p):
    client = p.client(b'PUT /object-store/x HTTP/1.1\r\n' + H + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    origin.until(b'hello')
    rest = origin.cut_off(1 + SLACK)
    no_last_chunk(rest)
    goes(client)


@case('9112 8', peers=False, body_timeout='1s')
def silent_download(p):
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello')
    client.until(b'hello')
    began = time.monotonic()
    client.cut_off(1 + SLACK)
    within(began, 0.7, 1 + SLACK)
    origin.cut_off(1)


@case('9112 8', peers=False, body_timeout='1s')
def silent_download_of_chunks(p):
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
    client.until(b'hello\r\n')
    rest = client.cut_off(1 + SLACK)
    no_last_chunk(rest)
    origin.cut_off(1)


@case('9112 8', peers=False, body_timeout='1s')
def slow_download(p):
    """Slow is not silent; the whole body has no limit."""
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n')
    for _ in range(6):
        time.sleep(0.5)
        origin.send(b'z')
    want(client.response().body == b'zzzzzz', 'the whole body', client.raw)


@case('9112 8', peers=False, body_timeout='1s')
def slow_upload(p):
    client = p.client(b'PUT /object-store/x HTTP/1.1\r\n' + H + b'Content-Length: 6\r\n\r\n')
    origin = p.accept(client)
    head = origin.head()
    for _ in range(6):
        time.sleep(0.5)
        client.send(b'u')
    origin.frame(head, 'none')
    origin.body(head)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 15.6.5', peers=False, body_timeout='1s')
def slow_answer_is_no_silent_body(p):
    """After the body of the request has ended it is the origin's turn, under its own limit."""
    client, origin, _ = p.through(b'PUT /object-store/x HTTP/1.1\r\n' + H + b'Content-Length: 5\r\n\r\nhello')
    time.sleep(2)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


# ------------------------------------------------------------------ towards the client
@case('9110 15.5.9', peers=False, request_head_timeout='1s')
def half_a_head(p):
    client = p.client(b'GET /object-store/x HTTP/1.1\r\nHost: loc')
    began = time.monotonic()
    goes(client)
    within(began, 0.5, 1 + SLACK)
    p.nobody()


@case('9110 15.5.9', peers=False, request_head_timeout='1s')
def head_in_drips(p):
    """The limit is for the whole head, not for its pieces."""
    client = p.client(b'GET /object-store/x HTTP/1.1\r\n')
    began = time.monotonic()
    try:
        for i in range(12):
            client.send(b'X-%d: 1\r\n' % i)
            time.sleep(0.3)
            if client.waiting():
                break
    except Ended:
        pass
    want(time.monotonic() - began < 1 + SLACK, 'an end', time.monotonic() - began)
    p.nobody()


@case('9110 15.5.9', peers=False, request_head_timeout='1s')
def half_a_second_head(p):
    client, origin, _ = p.through(GET)
    origin.send(OK)
    client.response()
    p.ask(client, b'GET /object-store/y HTTP/1.1\r\nHo')
    goes(client)


@case('9110 15.5.9', peers=False, request_head_timeout='1s')
def head_limit_is_not_for_answers(p):
    client, origin, _ = p.through(GET)
    time.sleep(2)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9112 9.5', peers=False, idle_timeout='1s')
def idle_client(p):
    client, origin, _ = p.through(GET)
    origin.send(OK)
    client.response()
    began = time.monotonic()
    client.ends(1 + SLACK, 'fin')
    within(began, 0.5, 1 + SLACK)


@case('9112 9.5', peers=False, idle_timeout='1s')
def client_that_never_asks(p):
    client = p.client()
    goes(client)


@case('9112 9.5', peers=False, idle_timeout='1s')
def waiting_is_not_idle(p):
    client, origin, _ = p.through(GET)
    time.sleep(2.5)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9112 9.5', peers=False, idle_timeout='1s')
def body_is_not_idle(p):
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
    for _ in range(2):
        time.sleep(1.5)
        origin.send(b'zz')
    want(client.response().body == b'zzzz', 'the body', client.raw)
