"""One client connection and many requests: keep-alive, pipelining, HTTP/1.0, half-closed clients."""
import time

from harness.play import BASE, GET, OK, Drip, case, want
from harness.ways import has, lacks, once_more, own_answer, table

ROW = 'connections'
H = b'Host: localhost\r\n'


def get(name, fields=b'', version=b'1.1', method=b'GET'):
    return method + b' /object-store/' + name + b' HTTP/' + version + b'\r\n' + H + fields + b'\r\n'


def reply(text, fields=b''):
    return b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n' % len(text) + fields + b'\r\n' + text


def serve(p, client, names, origin=None, bodies=None):
    """Answer requests as they come, in whatever order connections bring them."""
    for i, name in enumerate(names):
        origin = p.next(client, origin) if origin else p.accept(client)
        request = origin.request()
        want(request.target == BASE + b'/' + name, 'the request for %r' % name, request.start)
        want(request.body == (bodies or {}).get(i, b''), 'its body', request.body)
        origin.send(reply(name))
        message = client.response(request.method)
        want(message.body == (b'' if request.method == b'HEAD' else name), 'the answer to %r' % name, message.body)
    return origin


@case('9112 9.3')
def ten_requests_in_turn(p):
    client, origin = p.client(), None
    for i in range(10):
        p.ask(client, get(b'%d' % i))
        origin = serve(p, client, [b'%d' % i], origin)


@case('9112 9.3.2')
def pipelined(p):
    """Five requests in one segment; the answers come in order."""
    names = [b'%d' % i for i in range(5)]
    client = p.client(b''.join(get(n) for n in names))
    serve(p, client, names)
    client.quiet(0.1)


@case('9112 9.3.2')
def pipelined_fifty(p):
    names = [b'%d' % i for i in range(50)]
    client = p.client(b''.join(get(n) for n in names))
    serve(p, client, names)


@case('9112 9.3.2')
def pipelined_with_a_body_in_between(p):
    client = p.client(get(b'a') + get(b'b', b'Content-Length: 5\r\n', method=b'PUT') + b'hello' + get(b'c'))
    serve(p, client, [b'a', b'b', b'c'], bodies={1: b'hello'})


@case('9112 9.3.2')
def pipelined_with_chunks_in_between(p):
    client = p.client(get(b'a', b'Transfer-Encoding: chunked\r\n', method=b'PUT') + b'5\r\nhello\r\n0\r\n\r\n' + get(b'b'))
    serve(p, client, [b'a', b'b'], bodies={0: b'hello'})


@case('9112 2.2', peers=False)
def no_head_behind_a_request_of_an_old_client(p):
    """It is answered as any other that is none."""
    client = p.client(b'GET /object-store/x HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n')
    origin = p.accept(client)
    origin.request()
    origin.send(OK)
    client.response()
    p.ask(client, b'NONE\r\n\r\n')
    own_answer(client.response(), 400, b'bad_request')
    client.ends(3)


@case('9112 9.3.2')
def pipelined_with_head(p):
    client = p.client(get(b'a', method=b'HEAD') + get(b'b'))
    serve(p, client, [b'a', b'b'])


@case('9112 9.3.2')
def pipelined_byte_by_byte(p):
    client = p.client(Drip(get(b'a') + get(b'b')))
    serve(p, client, [b'a', b'b'])


@case('9112 2.2')
def empty_lines_between_requests(p):
    client = p.client(get(b'a', b'Content-Length: 2\r\n', method=b'POST') + b'ok\r\n' + get(b'b'))
    serve(p, client, [b'a', b'b'], bodies={0: b'ok'})


@case('9112 9.3.2', peers=False)
def pipelined_with_a_refusal_in_between(p):
    """The good one is answered, then the bad one, and what is behind it is lost with the connection."""
    client = p.client(get(b'a') + b'GET /object-store/b HTTP/1.1\r\nHost : localhost\r\n\r\n' + get(b'c'))
    serve(p, client, [b'a'])
    message = client.response()
    want(message.status == 400, '400', message.start)
    client.ends(3)
    p.nobody()


@case('9112 9.3.2')
def pipelined_behind_close(p):
    """What follows a request that says close is not served."""
    client = p.client(get(b'a', b'Connection: close\r\n') + get(b'b'))
    origin = serve(p, client, [b'a'])
    client.ends(3)
    p.nobody()
    want(origin.at == len(origin.raw), 'nothing more at the origin', bytes(origin.raw[origin.at:]))


@case('9112 9.6')
def close_of_the_client(p):
    client = p.client(get(b'a', b'Connection: close\r\n'))
    origin = p.accept(client)
    origin.request()
    origin.send(reply(b'a'))
    message = client.response()
    want(b'close' in (message.get(b'connection') or b'').lower(), 'Connection: close', message.fields)
    client.ends(3)


@case('9112 9.6')
def close_among_other_members(p):
    client = p.client(get(b'a', b'Connection: foo, CLOSE\r\n'))
    serve(p, client, [b'a'])
    client.ends(3)


@case('9112 9.3')
def no_close_is_said_without_need(p):
    client, origin, _ = p.through(GET)
    origin.send(OK)
    lacks(b'proxy-connection')(message := client.response())
    want(b'close' not in (message.get(b'connection') or b'').lower(), 'no close', message.fields)
    once_more(p, client, origin, 'reused')


@case('9112 9.3')
def origin_connection_serves_the_next_client(p):
    """Whether it does or not, the answers are right."""
    client, origin, _ = p.through(get(b'a'))
    origin.send(reply(b'a'))
    want(client.response().body == b'a', 'the answer', client.raw)
    client.close()
    other = p.client(get(b'b'))
    serve(p, other, [b'b'], origin)


# ------------------------------------------------------------------ HTTP/1.0 clients
@case('9112 9.3')
def old_client(p):
    """The answer is whole and the connection closes after it."""
    client = p.client(get(b'a', version=b'1.0'))
    origin = p.accept(client)
    request = origin.request()
    want(request.start.endswith(b'HTTP/1.1'), 'HTTP/1.1 at the origin', request.start)
    origin.send(reply(b'a'))
    message = client.response()
    want(message.body == b'a' and message.framing in ('length', 'close'), 'the answer', message)
    client.ends(3, 'fin')


@case('9112 9.3')
def old_client_without_host(p):
    client = p.client(b'GET /object-store/a HTTP/1.0\r\n\r\n')
    serve(p, client, [b'a'])
    client.ends(3)


@case('9112 C.2.2')
def old_client_with_keep_alive(p):
    client = p.client(get(b'a', b'Connection: keep-alive\r\n', b'1.0'))
    origin = p.accept(client)
    origin.request()
    origin.send(reply(b'a'))
    message = client.response()
    if p.ours:
        want(b'keep-alive' in (message.get(b'connection') or b'').lower(), 'Connection: keep-alive', message.fields)
    if b'keep-alive' in (message.get(b'connection') or b'').lower():
        p.ask(client, get(b'b', b'Connection: keep-alive\r\n', b'1.0'))
        serve(p, client, [b'b'], origin)


@case('9112 6.1')
def old_client_of_an_answer_without_length(p):
    """No chunks; up to the close."""
    client = p.client(get(b'a', b'Connection: keep-alive\r\n', b'1.0'))
    origin = p.accept(client)
    origin.request()
    origin.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n')
    message = client.response()
    lacks(b'transfer-encoding')(message)
    want(message.body == b'abcd', 'the body', message.body)
    if message.framing == 'close':
        want(client.over == 'fin', 'a clean end', client.over)


@case('9112 6.3')
def old_client_with_a_body(p):
    client = p.client(get(b'a', b'Content-Length: 5\r\n', b'1.0', b'POST') + b'hello')
    serve(p, client, [b'a'], bodies={0: b'hello'})


@case('9110 9.3.2')
def old_client_with_head(p):
    client = p.client(get(b'a', version=b'1.0', method=b'HEAD'))
    origin = p.accept(client)
    origin.request()
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
    has(b'content-length', b'5')(client.response(b'HEAD'))
    client.ends(3)


# ------------------------------------------------------------------ half-closed clients
def half_closed(p, sent, answer, seconds, pieces=1):
    """The client closes its writing side at once and still gets the whole answer."""
    client = p.client(sent).fin()
    origin = p.accept(client)
    request = origin.request()
    want(request.body in (b'', b'hello'), 'the body', request.body)
    time.sleep(seconds)
    origin.send(answer)
    for _ in range(pieces - 1):
        time.sleep(0.4)
        origin.send(b'z' * 1000)
    message = client.response(request.method)
    want(message.status == 200, 'the answer', message.start)
    want(len(message.body) == (2 if pieces == 1 else pieces * 1000), 'the whole body', len(message.body))


PUT = get(b'x', b'Content-Length: 5\r\n', method=b'PUT') + b'hello'
CHUNKED = get(b'x', b'Transfer-Encoding: chunked\r\n', method=b'PUT') + b'5\r\nhello\r\n0\r\n\r\n'
LARGE = b'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n' + b'z' * 1000
table(ROW, lambda p, args: half_closed(p, *args), True, [
    ('half-closed-client', '9112 9.6', (get(b'x'), OK, 0)),
    ('half-closed-client-of-a-slow-origin', '9112 9.6', (get(b'x'), OK, 2)),
    ('half-closed-client-with-a-length', '9112 9.6', (PUT, OK, 2)),
    ('half-closed-client-with-chunks', '9112 9.6', (CHUNKED, OK, 2)),
    ('half-closed-client-of-a-long-answer', '9112 9.6', (get(b'x'), LARGE, 0.5, 4)),
    ('half-closed-old-client', '9112 9.6', (get(b'x', version=b'1.0'), OK, 1)),
    ('half-closed-client-that-says-close', '9112 9.6', (get(b'x', b'Connection: close\r\n'), OK, 1)),
])


@case('9112 9.6')
def half_closed_client_that_pipelined(p):
    """All it asked before is answered."""
    client = p.client(get(b'a') + get(b'b') + get(b'c')).fin()
    serve(p, client, [b'a', b'b', b'c'])
    client.ends(3)


@case('9110 9.1')
def slow_reader(p):
    """8 MiB to a client that begins to read after a second, whole."""
    size = 8 << 20
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
    pour = origin.pour(size, 65536)
    time.sleep(1)
    head = client.head()
    want(head.get(b'content-length') == b'%d' % size, 'the length', head.fields)
    want(client.take(size) == size, 'the whole body')
    pour.done()


@case('9293 3.8.6')
def backpressure_of_a_download(p):
    """A client that does not read stops the origin: what is under way is bounded."""
    size = 256 << 20
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
    pour = origin.pour(size, 65536)
    time.sleep(1.5)
    before = pour.sent
    time.sleep(0.5)
    pour.stop = True
    want(pour.sent == before and pour.sent < 40 << 20, 'an origin that is stopped', before, pour.sent)
    client.close()


@case('9293 3.8.6')
def backpressure_of_an_upload(p):
    """An origin that does not read stops the client."""
    size = 256 << 20
    client = p.client(get(b'x', b'Content-Length: %d\r\n' % size, method=b'PUT'))
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(size, 65536)
    time.sleep(1.5)
    before = pour.sent
    time.sleep(0.5)
    pour.stop = True
    want(pour.sent == before and pour.sent < 40 << 20, 'a client that is stopped', before, pour.sent)
    origin.close()


@case('9112 7.1')
def bodies_stream(p):
    """Each part arrives when it is sent, not when the body is whole."""
    client = p.client(get(b'x', b'Transfer-Encoding: chunked\r\n', method=b'PUT'))
    origin = None
    for i in range(3):
        client.send(b'5\r\npart%d\r\n' % i)
        if origin is None:
            origin = p.accept(client)
            if origin.head().all(b'expect'):
                origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        origin.until(b'part%d' % i, 2)
    client.send(b'0\r\n\r\n')
    origin.until(b'0\r\n\r\n', 2)
    origin.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    want(client.until(b' 200 '), 'the head')
    for i in range(3):
        origin.send(b'5\r\npart%d\r\n' % i)
        client.until(b'part%d' % i, 2)
    origin.send(b'0\r\n\r\n')
    client.until(b'0\r\n\r\n', 2)
