"""Connections to the origin that are used again, and close at the wrong moment (RFC 9110 9.2.2, RFC 9112 9.3.1)."""
import time

from harness.conn import Ended, Failure, Silent, short
from harness.play import BASE, GET, OK, case, want
from harness.ways import body, table

ROW = 'pooled'
H = b'Host: localhost\r\n'


def ask(method=b'GET', fields=b'', data=b''):
    return method + b' /object-store/again HTTP/1.1\r\n' + H + fields + b'\r\n' + data


def warm(p):
    """A client and an origin's connection that has served one request."""
    client, origin, _ = p.through(GET)
    origin.send(OK)
    want(client.response().body == b'ok', 'the first answer', client.raw)
    return client, origin


def second(p, client, origin):
    """The next request arrives on the connection that is there."""
    other = p.next(client, origin)
    want(other is origin, 'the second request on the same connection', 'a new one')
    head = origin.head()
    if not head.all(b'expect'):  # who gives a 100 has answered
        origin.frame(head, 'none')
        origin.body(head)


def told(p, client, status=0):
    """The client gets an error, and nothing is sent once more."""
    other = p.first(client)
    if other is not None:
        raise Failure('it was sent again: %s' % short(other.some()))
    try:
        message = client.response(may_be_cut=True)
    except Ended:
        want(not p.ours, 'an answer', client.over)
        p.nobody(0.3)
        return None
    except Silent:
        p.nobody(0)
        raise
    want(message.status >= 500 and status in (0, message.status) or message.cut, 'an error', message.start, message.body)
    p.nobody(0.3)
    return message


def answered_anew(p, client, check):
    """The request arrives once more, on a new connection, and is answered."""
    other = p.accept(client)
    request = other.request()
    want(request.target == BASE + b'/again', 'the same request', request.start)
    check(request)
    other.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % (5 if request.method != b'HEAD' else 9)
               + (b'anew!' if request.method != b'HEAD' else b''))
    message = client.response(request.method)
    want(message.status == 200 and message.body in (b'anew!', b''), 'the answer', message.start)
    p.nobody()


def on_receipt(p, sent, check, how):
    """The origin takes the request and closes without an answer."""
    client, origin = warm(p)
    p.ask(client, sent)
    second(p, client, origin)
    getattr(origin, how)()
    answered_anew(p, client, check)


def idle(p, sent, check, how):
    """The origin closes while nothing is asked."""
    client, origin = warm(p)
    getattr(origin, how)()
    time.sleep(0.15)
    p.ask(client, sent)
    answered_anew(p, client, check)


def at_once(p, sent, check, how):
    """The origin closes at the very moment of the next request."""
    client, origin = warm(p)
    getattr(origin, how)()
    p.ask(client, sent)
    answered_anew(p, client, check)


def never_again(p, sent, how):
    """It is not sent twice, and the client is told."""
    client, origin = warm(p)
    p.ask(client, sent)
    second(p, client, origin)
    getattr(origin, how)()
    message = told(p, client)
    if p.ours:
        want(message.status == 502 and message.get(b'x-gatestone-error') == b'upstream_closed', '502 upstream_closed',
             message.start, message.get(b'x-gatestone-error'))


EMPTY, HELLO = body(b''), body(b'hello')
L5 = b'Content-Length: 5\r\n'
CH = b'Transfer-Encoding: chunked\r\n'
CHUNKS = b'5\r\nhello\r\n0\r\n\r\n'
for way, word in ((on_receipt, 'on-receipt'), (idle, 'while-idle')):
    for how, verb in (('close', 'closes'), ('reset', 'resets')):
        table(ROW, lambda p, sent, check, way=way, how=how: way(p, sent, check, how), True, [
            ('get-origin-%s-%s' % (verb, word), '9112 9.3.1', ask(), EMPTY),
            ('head-origin-%s-%s' % (verb, word), '9112 9.3.1', ask(b'HEAD'), EMPTY),
            ('delete-origin-%s-%s' % (verb, word), '9112 9.3.1', ask(b'DELETE'), EMPTY),
            ('put-origin-%s-%s' % (verb, word), '9112 9.3.1', ask(b'PUT', L5, b'hello'), HELLO),
            ('empty-put-origin-%s-%s' % (verb, word), '9112 9.3.1', ask(b'PUT', b'Content-Length: 0\r\n'), EMPTY),
            ('chunked-put-origin-%s-%s' % (verb, word), '9112 9.3.1', ask(b'PUT', CH, CHUNKS), HELLO),
        ])
for how, verb in (('close', 'closes'), ('reset', 'resets')):
    # Nothing of these was sent: any method may go on another connection.
    table(ROW, lambda p, sent, check, how=how: idle(p, sent, check, how), True, [
        ('post-origin-%s-while-idle' % verb, '9110 9.2.2', ask(b'POST', L5, b'hello'), HELLO),
    ])
    table(ROW, lambda p, sent, how=how: never_again(p, sent, how), True, [
        ('post-origin-%s-on-receipt' % verb, '9110 9.2.2', ask(b'POST', L5, b'hello')),
        ('empty-post-origin-%s-on-receipt' % verb, '9110 9.2.2', ask(b'POST', b'Content-Length: 0\r\n')),
        ('patch-origin-%s-on-receipt' % verb, '9110 9.2.2', ask(b'PATCH', L5, b'hello')),
        ('lock-origin-%s-on-receipt' % verb, '9110 9.2.2', ask(b'LOCK')),
    ])
table(ROW, lambda p, sent, check: at_once(p, sent, check, 'close'), True, [
    ('get-origin-closes-at-that-moment', '9112 9.3.1', ask(), EMPTY),
    ('put-origin-closes-at-that-moment', '9112 9.3.1', ask(b'PUT', L5, b'hello'), HELLO),
])


@case('9110 9.2.2')
def post_is_sent_at_most_once_when_the_origin_closes_at_that_moment(p):
    """Ten times: an answer, or an error, and never twice."""
    for _ in range(10):
        client, origin = warm(p)
        origin.fin()
        p.ask(client, ask(b'POST', L5, b'hello'))
        first = p.first(client, 5)
        arrived = bool(origin.waiting() and origin.cut_off(0.5))
        if first is not None:
            want(not arrived, 'the POST once', origin.raw)
            first.request()
            first.send(OK.replace(b'\r\n\r\n', b'\r\nConnection: close\r\n\r\n'))
            first.fin()
        message = client.response()
        want(message.status == (200 if first else message.status) and message.status in (200, 502, 503), 'an answer',
             message.start)
        client.close()
        p.nobody(0.05)


@case('9110 9.2.2', peers=False)
def nothing_again_after_half_an_answer(p):
    client, origin = warm(p)
    p.ask(client, ask())
    second(p, client, origin)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Le')
    time.sleep(0.1)
    origin.close()
    told(p, client)


@case('9110 9.2.2')
def nothing_again_after_half_a_body(p):
    client, origin = warm(p)
    p.ask(client, ask())
    second(p, client, origin)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    time.sleep(0.1)
    origin.close()
    told(p, client)


@case('9110 9.2.2', peers=False)
def nothing_again_after_an_interim_answer(p):
    client, origin = warm(p)
    p.ask(client, ask())
    second(p, client, origin)
    origin.send(b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
    time.sleep(0.1)
    origin.close()
    told(p, client)


@case('9112 9.3.1', peers=False)
def only_one_more_attempt(p):
    client, origin = warm(p)
    p.ask(client, ask())
    second(p, client, origin)
    origin.close()
    other = p.accept(client)
    other.request()
    other.close()
    told(p, client, 502)


@case('9110 9.2.2', peers=False)
def no_second_attempt_on_a_fresh_connection(p):
    """Who closes a new connection has refused."""
    client, origin, _ = p.through(GET)
    origin.close()
    message = client.response()
    want(message.status == 502 and message.get(b'x-gatestone-error') == b'upstream_closed', '502 upstream_closed',
         message.start)
    p.nobody(0.3)


@case('9110 9.2.2')
def post_on_a_fresh_connection_is_sent_once(p):
    client = p.client(ask(b'POST', L5, b'hello'))
    origin = p.accept(client)
    origin.request()
    origin.close()
    told(p, client)


@case('9110 9.2.2')
def large_put_is_not_sent_twice(p):
    """What has streamed through cannot be sent again."""
    client, origin = warm(p)
    p.ask(client, ask(b'PUT', b'Content-Length: 4000000\r\n'))
    other = p.next(client, origin)
    if other.head().all(b'expect'):
        other.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(4000000, 50000)
    other.take(1000000)
    other.reset()
    told(p, client)
    pour.stop = True


@case('9112 9.3.1')
def forty_requests_to_an_origin_that_closes_each_time(p):
    """It never says close, and closes after each answer: no error is seen."""
    client = p.client()
    origin = None
    for i in range(40):
        p.ask(client, ask())
        origin = p.next(client, origin) if origin else p.accept(client)
        origin.request()
        origin.send(OK)
        if i % 3:
            origin.fin()
        message = client.response()
        want(message.status == 200, 'answer %d' % i, message.start)
        if i % 2:
            time.sleep(0.02)


@case('9112 9.2')
def bytes_on_an_idle_connection(p):
    """An answer that nobody asked for is nobody's."""
    client, origin = warm(p)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
    time.sleep(0.15)
    p.ask(client, ask())
    other = p.next(client, origin)
    want(other is not origin, 'a new connection', bytes(origin.raw[origin.at:]))
    other.request()
    other.send(OK)
    want(client.response().body == b'ok', 'the right answer', client.raw)


@case('9112 9.6')
def request_timeout_on_an_idle_connection(p):
    """A 408 that an origin sends before it closes an idle connection is no answer to the next request."""
    client, origin = warm(p)
    origin.send(b'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n').fin()
    time.sleep(0.15)
    p.ask(client, ask())
    answered_anew(p, client, EMPTY)
