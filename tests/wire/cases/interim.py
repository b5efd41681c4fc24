"""1xx answers of the origin on their way to the client (RFC 9110 15.2: a proxy forwards them)."""
import time

from harness.play import GET, OK, case, want
from harness.ways import answered, has, lacks, lacks_bytes, spelt, table

ROW = 'interim'
HINTS = b'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
OLD = b'GET /object-store/x HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n'


def came(*statuses):
    def check(m):
        seen = [i.status for i in m.interim]
        want(seen == list(statuses), 'the interim answers %r' % (statuses,), seen)
    return check


def first(*checks):
    """Checks on the first interim answer."""
    def check(m):
        want(m.interim, 'an interim answer', m.start)
        for each in checks:
            each(m.interim[0])
    return check


def hint(*fields, status=b'103 Early Hints'):
    return b'HTTP/1.1 ' + status + b'\r\n' + b''.join(f + b'\r\n' for f in fields) + b'\r\n'


LINK = first(has(b'link', b'</a.css>; rel=preload'))
REUSED = {'again': 'reused'}
table(ROW, answered, True, [
    ('early-hints', '8297 2', [HINTS, OK], came(103), LINK, REUSED),
    ('early-hints-in-one-segment', '8297 2', HINTS + OK, came(103), LINK, REUSED),
    ('early-hints-byte-by-byte', '8297 2', [bytes([b]) for b in HINTS + OK], came(103), LINK),
    ('two-early-hints', '8297 2', [HINTS, HINTS, OK], came(103, 103), LINK, REUSED),
    ('processing', '2518 10.1', [hint(status=b'102 Processing'), OK], came(102), REUSED),
    ('an-unknown-interim-answer', '9110 15.2', [hint(b'X-A: 1', status=b'150 Odd'), OK], came(150), first(has(b'x-a', b'1'))),
    ('interim-answer-199', '9110 15.2', [hint(status=b'199 Last'), OK], came(199)),
    ('several-kinds-in-order', '9110 15.2', [hint(status=b'102 Processing'), HINTS, hint(status=b'102 Processing'), OK],
     came(102, 103, 102)),
    ('interim-answer-without-reason', '9112 4', [hint(status=b'103 '), OK], came(103)),
    ('connection-names-a-field', '9110 7.6.1', [hint(b'Connection: X-A', b'X-A: 1', b'X-B: 2'), OK], came(103),
     first(lacks(b'x-a'), has(b'x-b', b'2'))),
    ('before-no-content', '9110 15.2', [HINTS, b'HTTP/1.1 204 No Content\r\n\r\n'], came(103), {'status': 204}),
    ('before-not-found', '9110 15.2', [HINTS, b'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'], came(103),
     {'status': 404}),
    ('before-the-answer-to-head', '9110 15.2', [HINTS, b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'], came(103),
     {'ask': b'HEAD /object-store/x HTTP/1.1\r\nHost: localhost\r\n\r\n'}),
    ('before-chunks', '9110 15.2', [HINTS, b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
     came(103)),
    ('before-an-answer-up-to-the-close', '9110 15.2', [HINTS, b'HTTP/1.1 200 OK\r\n\r\nok'], came(103), {'end': 'close'}),
    ('interim-answer-with-a-length', '9110 8.6', [hint(b'Content-Length: 5'), OK], came(103), first(lacks(b'content-length')),
     {'or_error': True}),
    ('old-client-of-early-hints', '9110 15.2', [HINTS, OK], came(), {'ask': OLD}),
    ('old-client-of-processing', '9110 15.2', [hint(status=b'102 Processing'), OK], came(), {'ask': OLD}),
    ('old-client-of-continue', '9110 15.2', [hint(status=b'100 Continue'), OK], came(), {'ask': OLD}),
])
table(ROW, answered, False, [
    ('continue-nobody-asked-for', '9110 15.2.1', [hint(status=b'100 Continue'), OK], came(), REUSED),
    ('token', '9110 11.6.2', [hint(b'X-Auth-Token: secret', b'X-A: 1'), OK], came(103),
     first(lacks_bytes(b'secret'), has(b'x-a', b'1'))),
    ('strict-transport-security', '6797 7.2', [hint(b'Strict-Transport-Security: max-age=1', b'Alt-Svc: x', b'X-A: 1'), OK],
     came(103), first(lacks(b'strict-transport-security', b'alt-svc'), has(b'x-a', b'1'))),
    ('keep-alive', '9110 7.6.1', [hint(b'Keep-Alive: timeout=5', b'Proxy-Authenticate: x', b'X-A: 1'), OK], came(103),
     first(lacks(b'keep-alive', b'proxy-authenticate'), has(b'x-a', b'1'))),
    # hyper tells nothing of their letter case.
    ('letters-of-names', '9110 5.1', [hint(b'lInK: </a>'), OK], came(103), first(has(b'link', b'</a>'))),
    ('utf-8-in-a-value', '9110 5.5', [hint(b'X-A: \xe0\xb8\x92'), OK], came(103), first(has(b'x-a', b'\xe0\xb8\x92'))),
    ('utf-8-in-a-name', '9110 5.1', [hint(b'X-\xe0\xb8\x92: 1', b'X-A: 1'), OK], came(103), first(has(b'x-a', b'1'), lacks(b'x-~~~'))),
])


@case('9112 2.2', peers=False)
def continue_with_bare_line_ends(p):
    """The head behind it is one of its own, and its body not looked at."""
    body = b'\xc3\xa4: 1\n' * 10
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
    want(client.response().body == body, 'the body as it came', client.raw)


@case('8297 2')
def comes_before_the_answer_is_there(p):
    client, origin, _ = p.through(GET)
    origin.send(HINTS)
    message = client.head(1.5)
    want(message.status == 103, 'the 103 at once', message.start)
    client.quiet(0.3)
    origin.send(OK)
    want(client.response().body == b'ok', 'the answer', client.raw)


@case('9110 15.2')
def flood(p):
    """Three thousand of them do not break the answer, nor the connection."""
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 102 Processing\r\n\r\n' * 3000 + OK)
    message = client.response()
    want(message.status == 200 and message.body == b'ok', 'the answer', message.start)


@case('9110 15.2', peers=False)
def flood_to_a_client_that_does_not_read(p):
    """The proxy stays up and the answer comes, or the connection ends; it is bounded."""
    client, origin, _ = p.through(GET)
    for _ in range(20):
        origin.try_send((b'HTTP/1.1 103 Early Hints\r\nX-A: ' + b'v' * 900 + b'\r\n\r\n') * 200)
    origin.try_send(OK)
    time.sleep(0.2)
    want(client.response().body == b'ok', 'the answer', client.raw[-300:])


@case('9110 15.2')
def during_an_upload(p):
    client = p.client(b'PUT /object-store/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello')
    origin = p.accept(client)
    head = origin.head()
    origin.frame(head, 'none')
    origin.until(b'hello')
    origin.send(HINTS)
    want(client.head(2).status == 103, 'the 103 while the body is on its way', client.raw)
    client.send(b'world')
    origin.until(b'world')
    origin.send(OK)
    want(client.response().status == 200, 'the answer', client.raw)


@case('9112 9.3.2')
def pipelined(p):
    """Each goes with its own answer."""
    client = p.client(GET + GET.replace(b'/x', b'/y'))
    origin = p.accept(client)
    origin.request()
    origin.send(HINTS + OK)
    message = client.response()
    want([m.status for m in message.interim] == [103] and message.body == b'ok', 'the first answer', message)
    other = p.next(client, origin)
    other.request()
    other.send(HINTS + HINTS + OK)
    message = client.response()
    want([m.status for m in message.interim] == [103, 103] and message.body == b'ok', 'the second answer', message)


@case('9110 15.2')
def then_the_origin_closes(p):
    client, origin, _ = p.through(GET)
    origin.send(HINTS)
    time.sleep(0.1)
    origin.close()
    p.once_again(client, [HINTS])
    message = client.response(seconds=4)
    want(message.status >= 500, 'an error', message.start)


@case('9112 5')
def malformed(p):
    """A head that is none ends it, also in an interim answer."""
    client, origin, _ = p.through(GET)
    origin.try_send(b'HTTP/1.1 103 Early Hints\r\nX A: 1\r\n\r\n' + OK)
    p.once_again(client, [b'HTTP/1.1 103 Early Hints\r\nX A: 1\r\n\r\n' + OK], 'keep')
    message = client.response(seconds=4)
    want(message.status >= 500 or not any(m.all(b'x a') for m in message.interim), 'an error', message.start)
