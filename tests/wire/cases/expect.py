"""`Expect: 100-continue`, end to end."""
import time

from harness.conn import Silent
from harness.play import OK, case, want
from harness.ways import anything, body, forwarded, lacks, no_last_chunk, refused, table

ROW = 'expect'
H = b'Host: localhost\r\n'
CONTINUE = b'HTTP/1.1 100 Continue\r\n\r\n'
CHUNKS = b'5\r\nhello\r\n0\r\n\r\n'


def put(fields=b'Content-Length: 5\r\n', data=b'', method=b'PUT', version=b'1.1', expect=b'Expect: 100-continue\r\n'):
    return method + b' /object-store/x HTTP/' + version + b'\r\n' + H + expect + fields + b'\r\n' + data


def asked(p, sent):
    """A client that waits, and the origin's connection with the head it got."""
    client = p.client(sent)
    origin = p.accept(client)
    head = origin.head()
    want(not p.ours or [v.lower() for v in head.all(b'expect')] == [b'100-continue'], 'Expect: 100-continue at the origin',
         head.fields)
    origin.frame(head, 'none')
    return client, origin, head


def go(origin, head):
    """Ask for the body, where a proxy has left that to the origin."""
    if head.all(b'expect'):
        origin.send(CONTINUE)


def end_to_end(p, sent, data):
    """The 100 is the origin's, and comes when it does."""
    client, origin, head = asked(p, sent)
    client.quiet(0.3)
    origin.quiet(0.05)
    origin.send(CONTINUE)
    want(client.head().status == 100, 'the 100', client.raw)
    client.send(data)
    origin.body(head)
    want(head.body == b'hello', 'the body', head.body)
    origin.send(OK)
    message = client.response()
    want(message.status == 200 and not message.interim, 'the answer', message.start, message.interim)


table(ROW, lambda p, sent, data=b'hello': end_to_end(p, *sent), True, [
    ('length', '9110 10.1.1', (put(), b'hello')),
    ('chunked', '9110 10.1.1', (put(b'Transfer-Encoding: chunked\r\n'), CHUNKS)),
    ('post', '9110 10.1.1', (put(method=b'POST'), b'hello')),
    ('in-capitals', '9110 10.1.1', (put(expect=b'EXPECT: 100-CONTINUE\r\n'), b'hello')),
])


def refusal(p, answer):
    """A final answer before the 100: it reaches the client, and no byte of the body the origin."""
    client, origin, _ = asked(p, put())
    origin.send(answer)
    message = client.response(seconds=3)
    want(message.status == int(answer[9:12]), 'the refusal', message.start)
    want(not message.interim, 'no 100 before it', message.interim)
    if not p.ours:
        return  # whoever says that a body comes may send it all the same
    client.try_send(b'hello')
    try:
        while origin.fill(time.monotonic() + 0.4):
            pass
    except Silent:
        pass
    want(origin.at == len(origin.raw), 'no byte of the body at the origin', bytes(origin.raw[origin.at:]))


def no(status, fields=b''):
    return b'HTTP/1.1 ' + status + b'\r\nContent-Length: 2\r\n' + fields + b'\r\nno'


table(ROW, refusal, True, [
    ('refused-by-401', '9110 10.1.1', no(b'401 Unauthorized', b'WWW-Authenticate: Basic realm="a"\r\n')),
    ('refused-by-403', '9110 10.1.1', no(b'403 Forbidden')),
    ('refused-by-413', '9110 10.1.1', no(b'413 Content Too Large')),
    ('refused-by-417', '9110 15.5.18', no(b'417 Expectation Failed')),
    ('refused-by-507-that-closes', '9110 10.1.1', no(b'507 Insufficient Storage', b'Connection: close\r\n')),
    ('answered-by-201-before-the-body', '9110 10.1.1', no(b'201 Created')),
])


@case('9110 10.1.1')
def origin_that_never_asks(p):
    """The body flows after about a second."""
    client, origin, head = asked(p, put())
    began = time.monotonic()
    time.sleep(0.1)
    client.send(b'hello')
    origin.body(head, 4)
    want(head.body == b'hello', 'the body', head.body)
    if p.ours:
        want(0.4 < time.monotonic() - began < 3, 'about a second', time.monotonic() - began)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 10.1.1', peers=False)
def client_that_waits_for_an_origin_that_never_asks(p):
    """Nobody waits for ever."""
    client, origin, head = asked(p, put())
    want(client.head(4).status == 100, 'a 100', client.raw)
    client.send(b'hello')
    origin.body(head, 4)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 10.1.1')
def late_100(p):
    """It comes half a second later, and so does the client's."""
    client, origin, head = asked(p, put())
    client.quiet(0.5)
    origin.send(CONTINUE)
    want(client.head(1).status == 100, 'the 100', client.raw)
    client.send(b'hello')
    origin.body(head)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 10.1.1')
def body_sent_without_waiting(p):
    client = p.client(put(data=b'hello'))
    origin = p.accept(client)
    request = origin.request()
    want(request.body == b'hello', 'the body', request.body)
    origin.send(OK)
    message = client.response()
    want(message.status == 200 and all(m.status == 100 for m in message.interim), 'the answer', message)


@case('9110 10.1.1')
def large_body_of_a_client_that_waits(p):
    client, origin, head = asked(p, put(b'Content-Length: 3000000\r\n'))
    go(origin, head)
    want(client.head().status == 100, 'the 100', client.raw)
    pour = client.pour(3000000, 50000)
    origin.body(head)
    want(len(head.body) == 3000000, 'the whole body', len(head.body))
    pour.done()
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 10.1.1')
def second_request_after_a_body(p):
    client, origin, head = asked(p, put())
    go(origin, head)
    want(client.head().status == 100, 'the 100', client.raw)
    client.send(b'hello')
    origin.body(head)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)
    p.ask(client, put())
    again = p.next(None, origin)
    head = again.head()
    again.frame(head, 'none')
    if p.ours:
        client.quiet(0.2)
    go(again, head)
    want(client.head().status == 100, 'the second 100', client.raw)
    client.send(b'world')
    again.body(head)
    want(head.body == b'world', 'the second body', head.body)
    again.send(OK)
    want(client.response().status == 200, 'the second answer', client.raw)


@case('9110 10.1.1')
def early_hints_before_the_100(p):
    client, origin, head = asked(p, put())
    origin.send(b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' + CONTINUE)
    first = client.head()
    second = client.head() if first.status == 103 else first
    want(second.status == 100 and (first.status == 103 or not p.ours), '103, then 100', first.start, second.start)
    client.send(b'hello')
    origin.body(head)
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9110 10.1.1')
def client_that_leaves_instead_of_its_body(p):
    """The origin sees no end of a body, but the cut."""
    client, origin, _ = asked(p, put(b'Transfer-Encoding: chunked\r\n'))
    client.close()
    rest = origin.cut_off(4)
    no_last_chunk(rest)


@case('9110 10.1.1')
def origin_that_closes_instead_of_a_100(p):
    client, origin, _ = asked(p, put())
    origin.close()
    p.once_again(client)
    message = client.response(seconds=4)
    want(message.status >= 500 and not message.interim, 'an error without a 100', message.start, message.interim)


@case('9110 10.1.1')
def two_hundreds(p):
    """The client sees one, or both, and then the answer."""
    client, origin, head = asked(p, put())
    origin.send(CONTINUE + CONTINUE)
    want(client.head().status == 100, 'the 100', client.raw)
    client.send(b'hello')
    origin.body(head)
    origin.send(OK)
    message = client.response()
    want(message.status == 200 and message.body == b'ok', 'the answer', message.start)


def old_client(p, sent):
    client = p.client(sent)
    origin = p.accept(client)
    request = origin.request()
    want(request.body == b'hello', 'the body', request.body)
    origin.send(OK)
    message = client.response()
    want(message.status == 200 and not message.interim, 'the answer without a 100', message.start, message.interim)


table(ROW, old_client, True, [
    ('old-client', '9110 10.1.1', put(data=b'hello', version=b'1.0')),
    ('old-client-with-keep-alive', '9110 10.1.1', put(b'Content-Length: 5\r\nConnection: keep-alive\r\n', b'hello',
                                                      version=b'1.0')),
])
table(ROW, forwarded, False, [
    ('old-clients-expect-means-nothing', '9110 10.1.1', put(data=b'hello', version=b'1.0'), lacks(b'expect'), body(b'hello')),
])
table(ROW, forwarded, True, [
    ('without-a-body', '9110 10.1.1', put(b'', method=b'GET')),
    ('with-length-zero', '9110 10.1.1', put(b'Content-Length: 0\r\n'), body(b'')),
])
table(ROW, refused, True, [
    ('another-expectation', '9110 10.1.1', put(expect=b'Expect: 200-ok\r\n', data=b'hello'),
     {'status': 417, 'may': anything, 'close': False}),
    ('two-expectations', '9110 10.1.1', put(expect=b'Expect: 100-continue, 200-ok\r\n', data=b'hello'),
     {'status': 417, 'may': anything, 'close': False}),
    ('another-expectation-in-a-second-line', '9110 10.1.1',
     put(expect=b'Expect: 100-continue\r\nExpect: x\r\n', data=b'hello'), {'status': 417, 'may': anything, 'close': False}),
    ('expectation-with-a-parameter', '9110 10.1.1', put(expect=b'Expect: 100-continue;a=b\r\n', data=b'hello'),
     {'status': 417, 'may': anything, 'close': False}),
])
