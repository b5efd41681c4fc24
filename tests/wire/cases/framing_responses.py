"""What an answer is, and where it ends."""
from harness.conn import Ended
from harness.play import GET, want
from harness.ways import (all_of, answered, any_of, bad_gateway, body, framed, has, lacks, table)

ROW = 'framing_responses'
HEAD = b'HEAD /object-store/x HTTP/1.1\r\nHost: localhost\r\n\r\n'
PUT = b'PUT /object-store/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n'
OLD = b'GET /object-store/x HTTP/1.0\r\nHost: localhost\r\n\r\n'


def ok(fields, data=b'', start=b'HTTP/1.1 200 OK'):
    return start + b'\r\n' + fields + b'\r\n' + data


hello, empty = body(b'hello'), body(b'')
L5 = b'Content-Length: 5\r\n'
TE = b'Transfer-Encoding: chunked\r\n'
CHUNKS = b'5\r\nhello\r\n0\r\n\r\n'
FRESH_OR_ERROR = {'again': 'fresh', 'or_error': True}
REUSED, FRESH = {'again': 'reused'}, {'again': 'fresh'}


def version_1_1(m):
    want(m.start.startswith(b'HTTP/1.1 '), 'HTTP/1.1', m.start)


def reason(text):
    return lambda m: want(m.reason == text, 'the reason phrase %r' % text, m.start)


# ------------------------------------------------------------------ what is well formed
table(ROW, answered, True, [
    ('length', '9112 6.3', ok(L5, b'hello'), hello, framed('length'), REUSED),
    ('length-zero', '9112 6.3', ok(b'Content-Length: 0\r\n'), empty, framed('length'), REUSED),
    ('length-byte-by-byte', '9112 2.2', [ok(L5, b'hello')[i:i + 1] for i in range(len(ok(L5, b'hello')))], hello, REUSED),
    ('length-between-blanks', '9110 5.5', ok(b'Content-Length: \t5 \t\r\n', b'hello'), hello, REUSED),
    ('chunked', '9112 7.1', ok(TE, CHUNKS), hello, framed('chunked'), REUSED),
    ('chunked-in-capitals', '9112 7', ok(b'TRANSFER-ENCODING: CHUNKED\r\n', CHUNKS), hello, REUSED),
    ('chunks-without-any', '9112 7.1', ok(TE, b'0\r\n\r\n'), empty, REUSED),
    ('chunks-byte-by-byte', '9112 7.1', [ok(TE)] + [CHUNKS[i:i + 1] for i in range(len(CHUNKS))], hello, REUSED),
    ('three-chunks', '9112 7.1', ok(TE, b'1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n'), hello, REUSED),
    ('chunk-extensions', '9112 7.1.1', ok(TE, b'5;a="b;c";d\r\nhello\r\n0;e=f\r\n\r\n'), hello, REUSED),
    ('chunk-sizes-with-zeros', '9112 7.1', ok(TE, b'00005\r\nhello\r\n0000\r\n\r\n'), hello, REUSED),
    ('chunk-size-in-capitals', '9112 7.1', ok(TE, b'A\r\n0123456789\r\n0\r\n\r\n'), body(b'0123456789'), REUSED),
    ('chunk-of-line-ends', '9112 7.1', ok(TE, b'9\r\n0\r\n\r\n\r\n\r\n\r\n0\r\n\r\n'), body(b'0\r\n\r\n\r\n\r\n'), REUSED),
    ('unasked-trailers', '9110 6.5', ok(TE, b'5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n'), hello, lacks(b'x-t')),
    ('up-to-the-close', '9112 6.3', ok(b'', b'hello'), hello, version_1_1, {'end': 'close', 'again': 'fresh'}),
    ('empty-up-to-the-close', '9112 6.3', ok(b''), empty, {'end': 'close', 'again': 'fresh'}),
    ('up-to-the-close-that-says-so', '9112 9.6', ok(b'Connection: close\r\n', b'hello'), hello,
     {'end': 'close', 'again': 'fresh'}),
    ('length-and-close', '9112 9.6', ok(L5 + b'Connection: close\r\n', b'hello'), hello, FRESH),
    ('length-and-close-in-capitals', '9110 7.6.1', ok(L5 + b'CONNECTION: Foo, CLOSE\r\n', b'hello'), hello, FRESH),
    ('chunked-and-close', '9112 9.6', ok(TE + b'Connection: close\r\n', CHUNKS), hello, FRESH),
    ('large-length', '9112 6.3', ok(b'Content-Length: 300000\r\n', b'z' * 300000), body(b'z' * 300000), REUSED),
    ('large-chunk', '9112 7.1', ok(TE, b'493e0\r\n' + b'z' * 300000 + b'\r\n0\r\n\r\n'), body(b'z' * 300000), REUSED),
    ('no-content', '9110 15.3.5', ok(b'', start=b'HTTP/1.1 204 No Content'), lacks(b'content-length', b'transfer-encoding'),
     {'status': 204, 'again': 'reused'}),
    ('no-content-with-length-zero', '9110 8.6', ok(b'Content-Length: 0\r\n', start=b'HTTP/1.1 204 No Content'),
     lacks(b'content-length', b'transfer-encoding'), {'status': 204, 'again': 'reused'}),
    ('not-modified', '9110 15.4.5', ok(b'ETag: "a"\r\n', start=b'HTTP/1.1 304 Not Modified'), has(b'etag', b'"a"'),
     {'status': 304, 'again': 'reused'}),
    ('not-modified-with-length', '9110 8.6', ok(L5, start=b'HTTP/1.1 304 Not Modified'),
     any_of(has(b'content-length', b'5'), lacks(b'content-length')), {'status': 304, 'again': 'reused'}),
    ('not-modified-with-coding', '9112 6.1', ok(TE, start=b'HTTP/1.1 304 Not Modified'), {'status': 304, 'again': 'reused'}),
    ('reset-content', '9110 15.3.6', ok(b'Content-Length: 0\r\n', start=b'HTTP/1.1 205 Reset Content'), empty,
     {'status': 205, 'again': 'reused'}),
    ('head', '9110 9.3.2', ok(L5), has(b'content-length', b'5'), {'ask': HEAD, 'again': 'reused'}),
    ('head-of-a-large-length', '9110 9.3.2', ok(b'Content-Length: 5368709120\r\n'), has(b'content-length', b'5368709120'),
     {'ask': HEAD, 'again': 'reused'}),
    ('head-of-chunked', '9110 9.3.2', ok(TE), lacks(b'content-length'), {'ask': HEAD, 'again': 'reused'}),
    ('head-without-length', '9110 9.3.2', ok(b'X-A: 1\r\n'), any_of(lacks(b'content-length')),
     {'ask': HEAD, 'again': 'reused'}),
    ('head-of-not-found', '9110 9.3.2', ok(L5, start=b'HTTP/1.1 404 Not Found'), has(b'content-length', b'5'),
     {'ask': HEAD, 'status': 404, 'again': 'reused'}),
    ('answer-to-put', '9110 9.3.4', ok(b'Content-Length: 0\r\nETag: a\r\n', start=b'HTTP/1.1 201 Created'), empty,
     {'ask': PUT, 'status': 201, 'again': 'reused'}),
    ('created-with-a-body', '9110 15.3.2', ok(L5, b'hello', b'HTTP/1.1 201 Created'), hello,
     {'ask': PUT, 'status': 201, 'again': 'reused'}),
    ('partial-content', '9110 15.3.7', ok(L5 + b'Content-Range: bytes 0-4/10\r\n', b'hello', b'HTTP/1.1 206 Partial Content'),
     hello, has(b'content-range', b'bytes 0-4/10'), {'status': 206}),
    ('status-299', '9110 15', ok(L5, b'hello', b'HTTP/1.1 299 Odd'), hello, {'status': 299}),
    ('status-418', '9110 15.5.19', ok(L5, b'hello', b'HTTP/1.1 418 Teapot'), hello, {'status': 418}),
    ('status-507', '4918 11.5', ok(L5, b'hello', b'HTTP/1.1 507 Insufficient Storage'), hello, {'status': 507}),
    ('status-599', '9110 15', ok(L5, b'hello', b'HTTP/1.1 599 Odd'), hello, {'status': 599}),
    ('reason-phrase-empty', '9112 4', ok(L5, b'hello', b'HTTP/1.1 200 '), hello),
    ('no-reason-phrase-and-no-blank', '9112 4', ok(L5, b'hello', b'HTTP/1.1 200'), hello),
])
table(ROW, answered, False, [
    ('reason-phrase', '9112 4', ok(L5, b'hello', b'HTTP/1.1 200 All is well, Sir'), hello, reason(b'All is well, Sir')),
    # The phrase itself is lost in hyper; clients are to ignore it.
    ('reason-phrase-in-utf-8', '9112 4', ok(L5, b'hello', b'HTTP/1.1 200 Gut gew\xc3\xa4hlt'), hello),
    ('reason-phrase-with-tab', '9112 4', ok(L5, b'hello', b'HTTP/1.1 404 Not\tFound'), hello, reason(b'Not\tFound'),
     {'status': 404}),
])

# ------------------------------------------------------------------ HTTP/1.0 origins
table(ROW, answered, True, [
    ('old-origin-up-to-the-close', '9110 2.5', ok(b'', b'hello', b'HTTP/1.0 200 OK'), hello, version_1_1,
     {'end': 'close', 'again': 'fresh'}),
    ('old-origin-with-length', '9112 9.3', ok(L5, b'hello', b'HTTP/1.0 200 OK'), hello, version_1_1, FRESH),
    ('old-origin-answers-head', '9110 9.3.2', ok(L5, start=b'HTTP/1.0 200 OK'), has(b'content-length', b'5'), version_1_1,
     {'ask': HEAD, 'end': 'close', 'again': 'fresh'}),
    ('old-origin-no-content', '9110 15.3.5', ok(b'', start=b'HTTP/1.0 204 No Content'), version_1_1,
     {'status': 204, 'end': 'close', 'again': 'fresh'}),
])
table(ROW, answered, False, [
    ('old-origin-with-keep-alive', '9112 9.3', ok(L5 + b'Connection: keep-alive\r\n', b'hello', b'HTTP/1.0 200 OK'), hello,
     version_1_1, FRESH),
])

# ------------------------------------------------------------------ more than was announced
table(ROW, answered, True, [
    ('bytes-after-a-length', '9112 6.3', ok(L5, b'helloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), hello, FRESH),
    ('bytes-after-length-zero', '9112 6.3', ok(b'Content-Length: 0\r\n', b'evil'), empty, FRESH),
    ('bytes-after-the-last-chunk', '9112 7.1', ok(TE, CHUNKS + b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), hello,
     FRESH),
    ('body-of-no-content', '9110 15.3.5', ok(L5, b'hello', b'HTTP/1.1 204 No Content'), lacks(b'content-length'),
     {'status': 204, 'again': 'fresh', 'or_error': True}),
    ('chunks-of-no-content', '9112 6.1', ok(TE, CHUNKS, b'HTTP/1.1 204 No Content'), lacks(b'transfer-encoding'),
     {'status': 204, 'again': 'fresh', 'or_error': True}),
    ('body-of-not-modified', '9110 15.4.5', ok(L5, b'hello', b'HTTP/1.1 304 Not Modified'), {'status': 304, 'again': 'fresh'}),
    ('body-of-head', '9110 9.3.2', ok(L5, b'hello'), has(b'content-length', b'5'), {'ask': HEAD, 'again': 'fresh'}),
    ('chunks-of-head', '9110 9.3.2', ok(TE, CHUNKS), {'ask': HEAD, 'again': 'fresh'}),
    ('an-answer-nobody-asked-for', '9112 9.2', [ok(L5, b'hello'), ok(b'Content-Length: 4\r\n', b'evil')], hello, FRESH),
])

# ------------------------------------------------------------------ more than one meaning
table(ROW, answered, True, [
    ('length-before-coding', '9112 6.3', ok(b'Content-Length: 3\r\n' + TE, CHUNKS), hello, FRESH_OR_ERROR),
    ('coding-before-length', '9112 6.3', ok(TE + b'Content-Length: 3\r\n', CHUNKS), hello, FRESH_OR_ERROR),
    ('large-length-beside-coding', '9112 6.3', ok(b'Content-Length: 5000\r\n' + TE, CHUNKS), hello, FRESH_OR_ERROR),
])


def answer_or_none(p, raw, check, end='keep'):
    """An answer with one meaning, or a refusal of it."""
    bad_gateway(p, raw, end=end, either=check)


PASSED = all_of(lambda m: want(m.status == 200, '200', m.start), hello)
table(ROW, answer_or_none, True, [
    ('two-equal-lengths', '9110 8.6', ok(L5 + L5, b'hello'), PASSED),
    ('length-with-a-leading-zero', '9110 8.6', ok(b'Content-Length: 05\r\n', b'hello'), PASSED),
    ('length-list-of-equals', '9110 8.6', ok(b'Content-Length: 5, 5\r\n', b'hello'), PASSED),
    ('bare-lf-in-the-head', '9112 2.2', b'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', PASSED),
    ('bare-lf-after-a-field', '9112 2.2', b'HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 5\r\n\r\nhello', PASSED),
    ('folded-field', '9112 5.2', ok(b'X-A: 1\r\n 2\r\n' + L5, b'hello'), PASSED),
    ('space-before-the-colon', '9112 5.1', ok(b'X-A : 1\r\n' + L5, b'hello'), PASSED),
    ('space-before-the-colon-of-a-length', '9112 5.1', ok(b'Content-Length : 5\r\n', b'hello'), PASSED, {'end': 'close'}),
    ('space-before-the-colon-of-a-coding', '9112 5.1', ok(b'Transfer-Encoding : chunked\r\n', CHUNKS), PASSED, {'end': 'close'}),
    ('folded-coding', '9112 5.2', ok(b'Transfer-Encoding:\r\n chunked\r\n', CHUNKS), PASSED, {'end': 'close'}),
    ('control-byte-in-a-value', '9110 5.5', ok(b'X-A: a\x01b\r\n' + L5, b'hello'), PASSED),
    ('bare-cr-in-a-value', '9112 2.2', ok(b'X-A: a\rb\r\n' + L5, b'hello'), PASSED),
    ('nul-in-a-value', '9110 5.5', ok(b'X-A: a\0b\r\n' + L5, b'hello'), PASSED),
    ('empty-line-before-the-answer', '9112 2.2', b'\r\n' + ok(L5, b'hello'), PASSED),
])
table(ROW, bad_gateway, True, [
    ('two-different-lengths', '9112 6.3', ok(L5 + b'Content-Length: 3\r\n', b'hello')),
    ('two-different-lengths-far-apart', '9112 6.3', ok(b'content-length: 3\r\nX-A: 1\r\n' + L5, b'hello')),
    ('length-list-of-others', '9112 6.3', ok(b'Content-Length: 3, 5\r\n', b'hello')),
    ('length-in-words', '9112 6.3', ok(b'Content-Length: five\r\n', b'hello')),
    ('length-with-plus', '9112 6.3', ok(b'Content-Length: +5\r\n', b'hello')),
    ('length-with-minus', '9112 6.3', ok(b'Content-Length: -5\r\n', b'hello')),
    ('length-in-hexadecimal', '9112 6.3', ok(b'Content-Length: 0x5\r\n', b'hello')),
    ('empty-length', '9112 6.3', ok(b'Content-Length:\r\n', b'hello')),
    ('length-beyond-64-bits', '9112 6.3', ok(b'Content-Length: 18446744073709551621\r\n', b'hello')),
    ('length-of-two-words', '9112 6.3', ok(b'Content-Length: 5 5\r\n', b'hello')),
    ('coding-gzip', '9112 6.1', ok(b'Transfer-Encoding: gzip\r\n', b'hello')),
    ('coding-before-chunked', '9112 6.1', ok(b'Transfer-Encoding: gzip, chunked\r\n', CHUNKS)),
    ('coding-after-chunked', '9112 6.1', ok(b'Transfer-Encoding: chunked, gzip\r\n', CHUNKS)),
    ('chunked-twice', '9112 7', ok(b'Transfer-Encoding: chunked, chunked\r\n', CHUNKS)),
    ('chunked-twice-in-two-lines', '9112 7', ok(TE + TE, CHUNKS)),
    ('coding-identity', '9112 6.1', ok(b'Transfer-Encoding: identity\r\n', b'hello')),
    ('coding-identity-and-length', '9112 6.1', ok(b'Transfer-Encoding: identity\r\n' + L5, b'hello')),
    ('chunked-with-a-parameter', '9112 7', ok(b'Transfer-Encoding: chunked;a=b\r\n', CHUNKS)),
    ('coding-xchunked', '9112 6.1', ok(b'Transfer-Encoding: xchunked\r\n', CHUNKS)),
    ('empty-coding', '9112 6.1', ok(b'Transfer-Encoding:\r\n' + L5, b'hello')),
    ('coding-of-an-old-origin', '9112 6.1', ok(TE, CHUNKS, b'HTTP/1.0 200 OK'), {'may': hello}),
    ('status-of-two-digits', '9112 4', ok(L5, b'hello', b'HTTP/1.1 20 OK')),
    ('status-of-four-digits', '9112 4', ok(L5, b'hello', b'HTTP/1.1 2000 OK')),
    ('status-in-letters', '9112 4', ok(L5, b'hello', b'HTTP/1.1 OK')),
    ('status-with-minus', '9112 4', ok(L5, b'hello', b'HTTP/1.1 -20 OK')),
    ('status-0', '9110 15', ok(L5, b'hello', b'HTTP/1.1 000 OK')),
    ('version-2-0', '9110 2.5', ok(L5, b'hello', b'HTTP/2.0 200 OK'), {'may': PASSED}),
    ('version-of-another-protocol', '9112 4', ok(L5, b'hello', b'ICY 200 OK')),
    ('nul-in-the-status-line', '9112 4', ok(L5, b'hello', b'HTTP/1.1 200 O\0K'), {'may': PASSED}),
    ('not-http-at-all', '9112 4', b'220 mail.example ESMTP\r\n'),
    ('a-tls-alert', '9112 4', b'\x15\x03\x01\x00\x02\x02\x46'),
    ('no-colon', '9112 5', ok(b'X-A\r\n' + L5, b'hello'), {'may': all_of(PASSED, lacks(b'x-a'))}),
    ('empty-name', '9110 5.1', ok(b': 1\r\n' + L5, b'hello'), {'may': PASSED}),
    ('nul-in-a-name', '9110 5.1', ok(b'X\0A: 1\r\n' + L5, b'hello'), {'may': PASSED}),
    ('space-in-a-name', '9110 5.1', ok(b'X A: 1\r\n' + L5, b'hello'), {'may': PASSED}),
    ('nothing', '9112 9.5', b''),
    ('half-a-status-line', '9112 9.5', b'HTTP/1.1 20'),
    ('half-a-head', '9112 8', b'HTTP/1.1 200 OK\r\nContent-Len'),
    ('head-without-end', '9112 8', b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n'),
    ('reset-after-half-a-head', '9112 8', b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', {'end': 'reset'}),
    ('head-of-300-kib', '9110 5.4', ok(b''.join(b'X-F-%d: %b\r\n' % (i, b'v' * 1000) for i in range(300)) + L5, b'hello')),
    ('switching-protocols-nobody-asked-for', '9110 15.2.2',
     ok(b'Connection: upgrade\r\nUpgrade: websocket\r\n', b'hello', b'HTTP/1.1 101 Switching Protocols'), {'end': 'keep'}),
])


def many(p, count):
    fields = b''.join(b'X-Object-Meta-%d: v%d\r\n' % (i, i) for i in range(count))
    answered(p, ok(fields + L5, b'hello'), hello, *(has(b'x-object-meta-%d' % i, b'v%d' % i) for i in (0, count - 1)))


table(ROW, many, True, [('one-hundred-and-fifty-fields', '9110 5.4', 150), ('four-hundred-fields', '9110 5.4', 400)])
table(ROW, answered, True, [
    ('field-of-30-kib', '9110 5.4', ok(b'X-A: ' + b'v' * 30000 + b'\r\n' + L5, b'hello'), has(b'x-a', b'v' * 30000)),
])


# ------------------------------------------------------------------ chunks that are none
def bad_chunk(p, data):
    """The client sees that the body is cut, or that there is no answer."""
    client, origin, _ = p.through(GET)
    origin.send(ok(TE + b'X-A: 1\r\n', b'5\r\nfirst\r\n'))
    origin.try_send(data)
    try:
        message = client.response(may_be_cut=True, seconds=3)
    except Ended:
        return
    if message.status >= 500:
        return
    want(message.cut in ('fin', 'reset'), 'a body that is cut', message.body, message.cut)
    want(message.framing == 'chunked' or message.cut == 'reset', 'a cut that can be seen', message.framing)
    want(b'evil' not in message.body, 'nothing of what is behind it', message.body)


table(ROW, bad_chunk, True, [
    ('chunk-size-g', '9112 7.1', b'g\r\nevil\r\n0\r\n\r\n'),
    ('chunk-size-5g', '9112 7.1', b'4g\r\nevil\r\n0\r\n\r\n'),
    ('chunk-size-with-minus', '9112 7.1', b'-4\r\nevil\r\n0\r\n\r\n'),
    ('chunk-size-with-plus', '9112 7.1', b'+4\r\nevil\r\n0\r\n\r\n'),
    ('chunk-size-with-0x', '9112 7.1', b'0x4\r\nevil\r\n0\r\n\r\n'),
    ('empty-chunk-size', '9112 7.1', b'\r\nevil\r\n0\r\n\r\n'),
    ('chunk-size-beyond-64-bits', '9112 7.1', b'10000000000000004\r\nevil\r\n0\r\n\r\n'),
    ('chunk-size-in-two-words', '9112 7.1', b'4 4\r\nevil\r\n0\r\n\r\n'),
])


def bad_chunk_end(p, data):
    """As `bad_chunk`; the chunk itself was well formed and may have been passed on."""
    client, origin, _ = p.through(GET)
    origin.send(ok(TE, b'5\r\nhello'))
    origin.try_send(data)
    try:
        message = client.response(may_be_cut=True, seconds=3)
    except Ended:
        return
    want(message.status >= 500 or message.cut in ('fin', 'reset'), 'a body that is cut', message.body, message.cut)


table(ROW, bad_chunk_end, True, [
    ('chunk-longer-than-its-size', '9112 7.1', b'!!\r\n0\r\n\r\n'),
    ('chunk-without-line-end', '9112 7.1', b'0\r\n\r\n'),
    ('bare-cr-after-a-chunk', '9112 7.1', b'\rX0\r\n\r\n'),
    ('nul-in-a-trailer', '9112 7.1.2', b'\r\n0\r\nX-T: a\0b\r\n\r\n', {'peers': False}),
])
table(ROW, answered, False, [
    ('old-client-of-chunks', '9112 6.1', ok(TE, CHUNKS), hello, framed('close', 'length'), lacks(b'transfer-encoding'),
     {'ask': OLD}),
])
