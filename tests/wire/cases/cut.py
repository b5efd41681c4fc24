"""Bodies that are cut, in either direction: seen as cut at the other end, soon."""
import time

from harness.conn import Ended
from harness.play import GET, case, want
from harness.ways import no_last_chunk, table

ROW = 'cut'
H = b'Host: localhost\r\n'
SOON = 1.5  # a second, and what a busy machine takes
PATIENT = 3  # about two seconds, for clients that may have half-closed


def put(fields, data=b'', method=b'PUT'):
    return method + b' /object-store/x HTTP/1.1\r\n' + H + fields + b'\r\n' + data


def uploading(p, sent, seen):
    """A client in the middle of its body, and the origin that has got the first part."""
    client = p.client(sent)
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    origin.until(seen)
    return client, origin


def client_cuts(p, sent, how):
    """The origin sees the cut, and never the end of a body."""
    client, origin = uploading(p, sent, b'hello')
    getattr(client, how)()
    began = time.monotonic()
    rest = origin.cut_off(SOON)
    no_last_chunk(rest)
    want(b'hello' not in rest, 'nothing twice', rest)
    want(time.monotonic() - began < SOON, 'soon', time.monotonic() - began)
    p.nobody()


L = b'Content-Length: 50\r\n'
CH = b'Transfer-Encoding: chunked\r\n'
for how, words in (('close', 'client-closes'), ('fin', 'client-half-closes'), ('reset', 'client-resets')):
    table(ROW, lambda p, sent, how=how: client_cuts(p, sent, how), True, [
        (words + '-in-a-length', '9112 8', put(L, b'hello')),
        (words + '-in-a-post', '9112 8', put(L, b'hello', b'POST')),
        (words + '-in-a-chunk', '9112 8', put(CH, b'5\r\nhello\r\n20\r\nhalf')),
        (words + '-between-chunks', '9112 8', put(CH, b'5\r\nhello\r\n')),
        (words + '-in-a-chunk-size', '9112 8', put(CH, b'5\r\nhello\r\n2')),
        (words + '-before-the-end-of-trailers', '9112 8', put(CH, b'5\r\nhello\r\n0\r\nX-T: 1\r\n')),
    ])


def client_cuts_large(p, how):
    client = p.client(put(b'Content-Length: 100000000\r\n'))
    origin = p.accept(client)
    if origin.head().all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    pour = client.pour(3 << 20, 65536)
    got = origin.take(3 << 20)
    pour.done()
    getattr(client, how)()
    began = time.monotonic()
    origin.cut_off(SOON)
    want(got == 3 << 20 and time.monotonic() - began < SOON, 'all that was sent, and then the cut', got)


table(ROW, client_cuts_large, True, [('client-closes-in-a-large-body', '9112 8', 'close'),
                                     ('client-resets-in-a-large-body', '9112 8', 'reset')])


# ------------------------------------------------------------------ clients that leave
def leaves_before_the_head(p, how, request=GET):
    client, origin, _ = p.through(request)
    getattr(client, how)()
    origin.cut_off(PATIENT)
    p.nobody()


table(ROW, leaves_before_the_head, False, [
    ('client-leaves-before-the-answer', '9110 9.2.2', 'close'),
    ('client-resets-before-the-answer', '9110 9.2.2', 'reset'),
])
table(ROW, lambda p, how: leaves_before_the_head(p, how, put(b'Content-Length: 5\r\n', b'hello')), False, [
    ('client-leaves-after-its-body', '9110 9.2.2', 'close'),
    ('client-resets-after-its-body', '9110 9.2.2', 'reset'),
])


def leaves_a_download(p, how, fields=b'Content-Length: 500000000\r\n'):
    """The origin's connection ends while it sends."""
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\n' + fields + b'\r\n')
    pour = origin.pour(500000000, 65536, chunked=b'chunked' in fields)
    client.take(2 << 20)
    getattr(client, how)()
    began = time.monotonic()
    pour.done(SOON)
    want(pour.error is not None and time.monotonic() - began < SOON, 'an origin that cannot send on', pour.sent)


table(ROW, leaves_a_download, True, [('client-leaves-a-download', '9112 9.6', 'close'),
                                     ('client-resets-a-download', '9112 9.6', 'reset')])
table(ROW, lambda p, how: leaves_a_download(p, how, CH), True, [('client-leaves-a-download-of-chunks', '9112 9.6', 'close')])


def leaves_a_stalled_download(p, how):
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 500000000\r\n\r\nhello')
    client.until(b'hello')
    getattr(client, how)()
    origin.cut_off(PATIENT)


table(ROW, leaves_a_stalled_download, False, [('client-leaves-a-download-that-stalls', '9112 9.6', 'close'),
                                              ('client-resets-a-download-that-stalls', '9112 9.6', 'reset')])


@case('9112 9.6')
def proxy_serves_on_after_a_client_left(p):
    for how in ('close', 'reset'):
        client, origin, _ = p.through(GET)
        origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello')
        client.until(b'hello')
        getattr(client, how)()
        origin.close()
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    want(client.response().body == b'ok', 'the answer', client.raw)


# ------------------------------------------------------------------ origins that cut
def origin_cuts(p, sent, how, version=b'1.1'):
    """The client sees that something is missing."""
    client, origin, _ = p.through(GET.replace(b'HTTP/1.1', b'HTTP/' + version))
    origin.send(sent)
    time.sleep(0.1)
    getattr(origin, how)()
    began = time.monotonic()
    message = client.response(may_be_cut=True, seconds=SOON)
    want(message.cut in ('fin', 'reset') or message.status >= 500, 'a body that is cut', message.framing, message.body,
         message.cut, client.over)
    want(time.monotonic() - began < SOON, 'soon', time.monotonic() - began)
    if message.cut:
        want(message.status == 200 and b'hello'.startswith(message.body[:5]), 'what had come', message.body)


R = b'HTTP/1.1 200 OK\r\n'
for how, words in (('close', 'origin-closes'), ('reset', 'origin-resets')):
    rows = [
        (words + '-in-a-length', '9112 8', R + L + b'\r\nhello'),
        (words + '-at-the-start-of-a-length', '9112 8', R + L + b'\r\n'),
        (words + '-in-a-chunk', '9112 8', R + CH + b'\r\n32\r\nhello'),
        (words + '-between-chunks', '9112 8', R + CH + b'\r\n5\r\nhello\r\n'),
        (words + '-at-the-start-of-chunks', '9112 8', R + CH + b'\r\n'),
        (words + '-in-a-chunk-size', '9112 8', R + CH + b'\r\n5\r\nhello\r\n2'),
        (words + '-in-the-last-chunk', '9112 8', R + CH + b'\r\n5\r\nhello\r\n0'),
        (words + '-before-the-last-line-end', '9112 8', R + CH + b'\r\n5\r\nhello\r\n0\r\n'),
        (words + '-in-the-trailers', '9112 8', R + CH + b'Trailer: X-T\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n'),
    ]
    if how == 'reset':
        rows.append((words + '-in-a-body-up-to-the-close', '9112 8', R + b'\r\nhello'))
    table(ROW, lambda p, sent, how=how: origin_cuts(p, sent, how), True, rows)
    table(ROW, lambda p, sent, how=how: origin_cuts(p, sent, how, b'1.0'), True, [
        ('old-client-' + words + '-in-a-length', '9112 8', R + L + b'\r\nhello'),
        ('old-client-' + words + '-in-a-chunk', '9112 8', R + CH + b'\r\n32\r\nhello'),
        ('old-client-' + words + '-between-chunks', '9112 8', R + CH + b'\r\n5\r\nhello\r\n'),
    ])


@case('9112 8')
def origin_cuts_while_the_client_uploads(p):
    client, origin = uploading(p, put(L, b'hello'), b'hello')
    origin.reset()
    p.once_again(client, end='reset')
    try:
        message = client.response(seconds=SOON)
    except Ended:
        want(not p.ours, 'an answer', client.over)
        return
    want(message.status >= 500, 'an error', message.start)


@case('9112 8')
def origin_cuts_a_large_body(p):
    """All that came before the cut arrives, or a reset."""
    client, origin, _ = p.through(GET)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n')
    pour = origin.pour(2000000, 50000)
    client.head()
    got = client.take(2000000)
    pour.done()
    want(got == 2000000, 'what was sent', got)
    origin.close()
    client.cut_off(SOON)
