"""What a request is, and where it ends."""
from harness.play import BASE, Drip, want
from harness.ways import (all_of, any_of, anything, body, broken, forwarded, framed, has, lacks, line, no_last_chunk, refused,
                          table)

ROW = 'framing_requests'
H = b'Host: localhost\r\n'


def get(fields=b'', target=b'/object-store/x', host=H):
    return b'GET ' + target + b' HTTP/1.1\r\n' + host + fields + b'\r\n'


def put(fields, data=b'', method=b'PUT', version=b'1.1'):
    return method + b' /object-store/x HTTP/' + version + b'\r\n' + H + fields + b'\r\n' + data


hello = body(b'hello')
empty = body(b'')

# ------------------------------------------------------------------ the request line
table(ROW, refused, True, [
    ('no-method', '9112 3', b' /object-store/x HTTP/1.1\r\n' + H + b'\r\n'),
    ('two-spaces-before-the-target', '9112 3', b'GET  /object-store/x HTTP/1.1\r\n' + H + b'\r\n', {'may': anything}),
    ('tab-before-the-target', '9112 3', b'GET\t/object-store/x HTTP/1.1\r\n' + H + b'\r\n', {'may': anything}),
    ('two-spaces-before-the-version', '9112 3', b'GET /object-store/x  HTTP/1.1\r\n' + H + b'\r\n', {'may': anything}),
    ('blank-after-the-version', '9112 3', b'GET /object-store/x HTTP/1.1 \r\n' + H + b'\r\n', {'may': anything}),
    ('no-version', '9112 3', b'GET /object-store/x\r\n' + H + b'\r\n', {'peers': False}),
    ('version-1-2', '9110 2.5', b'GET /object-store/x HTTP/1.2\r\n' + H + b'\r\n', {'may': anything}),
    ('version-2-0', '9110 2.5', b'GET /object-store/x HTTP/2.0\r\n' + H + b'\r\n', {'may': anything}),
    ('version-3-7', '9110 2.5', b'GET /object-store/x HTTP/3.7\r\n' + H + b'\r\n', {'may': anything}),
    ('version-in-lower-case', '9112 2.3', b'GET /object-store/x http/1.1\r\n' + H + b'\r\n'),
    ('version-of-two-digits', '9112 2.3', b'GET /object-store/x HTTP/1.10\r\n' + H + b'\r\n', {'may': anything}),
    ('version-with-a-comma', '9112 2.3', b'GET /object-store/x HTTP/1,1\r\n' + H + b'\r\n'),
    ('version-of-another-protocol', '9112 2.3', b'GET /object-store/x ICAP/1.1\r\n' + H + b'\r\n'),
    ('nul-in-the-target', '9112 3.2', get(target=b'/object-store/a\0b')),
    ('control-byte-in-the-target', '9112 3.2', get(target=b'/object-store/a\x01b')),
    ('delete-in-the-target', '9112 3.2', get(target=b'/object-store/a\x7fb')),
    ('space-in-the-target', '9112 3.2', get(target=b'/object-store/a b')),
    ('angle-bracket-in-the-target', '3986 2', get(target=b'/object-store/a<b'), {'may': anything}),
    ('bytes-that-are-no-utf-8-in-the-target', '3986 2', get(target=b'/object-store/a\xff\xfeb'), {'may': anything}),
    ('bracket-in-the-method', '9110 9.1', b'G(T /object-store/x HTTP/1.1\r\n' + H + b'\r\n'),
    ('nul-in-the-method', '9110 9.1', b'G\0T /object-store/x HTTP/1.1\r\n' + H + b'\r\n'),
    ('colon-in-the-method', '9110 9.1', b'GET: /object-store/x HTTP/1.1\r\n' + H + b'\r\n'),
    ('bare-cr-in-the-request-line', '9112 2.2', b'GET /object-store/x\rHTTP/1.1\r\n' + H + b'\r\n'),
    ('a-tls-hello', '9112 3', b'\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n'),
    ('http-2-preface', '9113 3.4', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', {'bare': True, 'peers': False}),
    ('target-without-slash', '9112 3.2', get(target=b'object-store'), {'close': False}),
    ('authority-form', '9112 3.2.3', get(target=b'localhost:80'), {'close': False}),
    ('connect', '9110 9.3.6', b'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', {'close': False}),
    ('connect-with-a-path', '9110 9.3.6', put(b'', method=b'CONNECT'), {'bare': True, 'close': False}),
    ('asterisk-with-get', '9112 3.2.4', get(target=b'*'), {'close': False}),
])
table(ROW, refused, False, [
    ('trace', '9110 9.3.8', put(b'', method=b'TRACE'), {'close': False}),
    ('lower-case-method', '9110 9.1', put(b'', method=b'get'), {'close': False}),
    ('mixed-case-method', '9110 9.1', put(b'', method=b'Get'), {'close': False}),
    ('options-asterisk', '9110 9.3.7', b'OPTIONS * HTTP/1.1\r\n' + H + b'\r\n', {'close': False}),
])

# ------------------------------------------------------------------ field lines
table(ROW, refused, True, [
    ('folded-by-a-space', '9112 5.2', get(b'X-A: one\r\n two\r\n'), {'may': anything}),
    ('folded-by-a-tab', '9112 5.2', get(b'X-A: one\r\n\ttwo\r\n'), {'may': anything}),
    ('folded-first-field', '9112 2.2', b'GET /object-store/x HTTP/1.1\r\n X-A: 1\r\n' + H + b'\r\n',
     {'may': lacks(b'x-a')}),
    ('space-before-the-colon', '9112 5.1', get(b'X-A : 1\r\n')),
    ('tab-before-the-colon', '9112 5.1', get(b'X-A\t: 1\r\n')),
    ('no-colon', '9112 5', get(b'X-A\r\n')),
    ('empty-name', '9110 5.1', get(b': 1\r\n')),
    ('space-in-a-name', '9110 5.1', get(b'X A: 1\r\n')),
    ('bracket-in-a-name', '9110 5.1', get(b'X(A: 1\r\n'), {'may': lacks(b'x(a')}),
    ('nul-in-a-name', '9110 5.1', get(b'X\0A: 1\r\n')),
    ('nul-in-a-value', '9110 5.5', get(b'X-A: a\0b\r\n'), {'may': anything}),
    ('bare-cr-in-a-value', '9112 2.2', get(b'X-A: a\rb\r\n'), {'may': anything}),
    ('bare-cr-in-a-name', '9112 2.2', get(b'X\rA: 1\r\n')),
    ('bare-cr-as-line-end', '9112 2.2', get(b'X-A: 1\rX-B: 2\r\n'), {'may': lacks(b'x-b')}),
    ('control-byte-in-a-value', '9110 5.5', get(b'X-A: a\x01b\r\n'), {'may': anything}),
    ('delete-in-a-value', '9110 5.5', get(b'X-A: a\x7fb\r\n'), {'may': anything}),
    ('vertical-tab-before-a-name', '9110 5.1', put(b'\x0bTransfer-Encoding: chunked\r\n', b'0\r\n\r\n')),
    ('vertical-tab-before-a-coding', '9112 6.1', put(b'Transfer-Encoding:\x0bchunked\r\n', b'0\r\n\r\n')),
    ('space-before-the-colon-of-a-length', '9112 5.1', put(b'Content-Length : 5\r\n', b'hello')),
    ('space-before-the-colon-of-a-coding', '9112 5.1', put(b'Transfer-Encoding : chunked\r\n', b'0\r\n\r\n')),
    ('folded-coding', '9112 5.2', put(b'Transfer-Encoding:\r\n chunked\r\n', b'5\r\nhello\r\n0\r\n\r\n'),
     {'may': hello}),
    ('folded-length', '9112 5.2', put(b'Content-Length:\r\n 5\r\n', b'hello'), {'may': hello}),
])
table(ROW, refused, True, [
    ('six-hundred-fields', '6585 5', get(b''.join(b'X-F-%d: v\r\n' % i for i in range(600))), {'status': 431, 'may': anything}),
    ('head-of-80-kib', '6585 5', get(b''.join(b'X-F-%d: %b\r\n' % (i, b'v' * 1000) for i in range(80))),
     {'status': 431, 'may': anything}),
    ('field-of-100-kib', '6585 5', get(b'X-F: ' + b'v' * 102400 + b'\r\n'), {'status': 431, 'may': anything}),
])
table(ROW, refused, False, [
    ('target-of-66-kb', '9110 15.5.15', get(target=b'/object-store/' + b'a' * 66000), {'status': 414, 'may': anything}),
])


# ------------------------------------------------------------------ what may be written anew
def either(p, sent, check):
    """Refused, or passed on with one meaning."""
    pieces = sent if isinstance(sent, list) else [sent]
    client = p.client(*pieces)
    origin = p.first(client)
    if origin is None:
        status = client.response().status
        want(400 <= status < 600, 'a refusal', status)
        return p.nobody()
    request = origin.request()
    check(request)
    want(not p.ours or request.get(b'content-length') in (None, b'0') or not request.get(b'content-length').startswith(b'0'),
         'a length without leading zeros', request.fields)
    want(request.target.startswith(BASE), 'a target below %s' % BASE.decode(), request.start)
    origin.quiet(0.05)
    origin.send(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    want(client.response().status == 200, 'the answer', client.raw)
    return None


def smuggled(p, sent, check):
    """As `either`; what follows the request is none, and the connection closes after the answer."""
    either(p, sent, check)
    client = p.opened[0]
    try:
        client.ends(3)
    finally:
        p.nobody()


plain = all_of(line(b'GET /v1/AUTH_p/x HTTP/1.1'), has(b'x-a', b'1'))
table(ROW, either, True, [
    ('bare-lf-in-the-whole-head', '9112 2.2', b'GET /object-store/x HTTP/1.1\nHost: localhost\nX-A: 1\n\n', plain),
    ('bare-lf-after-the-request-line', '9112 2.2', b'GET /object-store/x HTTP/1.1\n' + H + b'X-A: 1\r\n\r\n', plain),
    ('bare-lf-after-a-field', '9112 2.2', get(b'X-B: 2\nX-A: 1\r\n'), plain),
    ('bare-lf-at-the-end-of-the-head', '9112 2.2', b'GET /object-store/x HTTP/1.1\r\n' + H + b'X-A: 1\r\n\n', plain),
    ('bare-lf-before-a-coding', '9112 2.2', put(b'X-A: 1\nTransfer-Encoding: chunked\r\n', b'5\r\nhello\r\n0\r\n\r\n'),
     hello),
    ('two-equal-lengths', '9110 8.6', put(b'Content-Length: 5\r\nContent-Length: 5\r\n', b'hello'),
     all_of(hello, framed('length'))),
    ('length-with-a-leading-zero', '9110 8.6', put(b'Content-Length: 05\r\n', b'hello'), all_of(hello, framed('length'))),
    ('length-with-many-leading-zeros', '9110 8.6', put(b'Content-Length: 0000000000000000000000005\r\n', b'hello'), hello),
    ('fragment-in-the-target', '9112 3.2.1', get(target=b'/object-store/a#b'),
     any_of(line(b'GET /v1/AUTH_p/a HTTP/1.1'), line(b'GET /v1/AUTH_p/a%23b HTTP/1.1'))),
    ('backslash-in-the-target', '3986 2', get(target=b'/object-store/a\\b'), anything),
    ('quote-in-the-target', '3986 2', get(target=b'/object-store/a"b'), anything),
    ('utf-8-in-the-target', '3986 2', get(target=b'/object-store/\xe0\xb8\x92'), anything),
])
STRAY = b'GET /object-store/stray HTTP/1.1\r\n' + H + b'\r\n'
table(ROW, smuggled, True, [
    ('length-before-coding', '9112 6.1', put(b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
                                             b'5\r\nhello\r\n0\r\n\r\n'), hello),
    ('coding-before-length', '9112 6.1', put(b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
                                             b'5\r\nhello\r\n0\r\n\r\n'), hello),
    ('length-and-empty-chunks', '9112 6.1', put(b'Content-Length: 40\r\nTransfer-Encoding: chunked\r\n',
                                                b'0\r\n\r\n' + STRAY), empty),
    ('length-and-coding-with-get', '9112 6.1', b'GET /object-store/x HTTP/1.1\r\n' + H + b'Content-Length: 5\r\n'
     b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', hello),
    ('length-and-coding-in-capitals', '9112 6.1', put(b'CONTENT-LENGTH: 3\r\nTRANSFER-ENCODING: CHUNKED\r\n',
                                                      b'5\r\nhello\r\n0\r\n\r\n'), hello),
])

# ------------------------------------------------------------------ Content-Length
table(ROW, refused, True, [
    ('two-different-lengths', '9112 6.3', put(b'Content-Length: 5\r\nContent-Length: 6\r\n', b'hello!')),
    ('two-different-lengths-far-apart', '9112 6.3', put(b'Content-Length: 5\r\nX-A: 1\r\ncontent-length: 0\r\n', b'hello')),
    ('length-list-of-equals', '9110 8.6', put(b'Content-Length: 5, 5\r\n', b'hello'), {'may': hello}),
    ('length-list-of-others', '9112 6.3', put(b'Content-Length: 5, 6\r\n', b'hello!')),
    ('length-in-words', '9110 8.6', put(b'Content-Length: five\r\n', b'hello')),
    ('length-with-plus', '9110 8.6', put(b'Content-Length: +5\r\n', b'hello')),
    ('length-with-minus', '9110 8.6', put(b'Content-Length: -5\r\n', b'hello')),
    ('length-in-hexadecimal', '9110 8.6', put(b'Content-Length: 0x5\r\n', b'hello')),
    ('length-of-two-words', '9110 8.6', put(b'Content-Length: 5 5\r\n', b'hello')),
    ('length-with-a-fraction', '9110 8.6', put(b'Content-Length: 5.0\r\n', b'hello')),
    ('length-with-an-exponent', '9110 8.6', put(b'Content-Length: 1e1\r\n', b'hellohello')),
    ('length-with-a-semicolon', '9110 8.6', put(b'Content-Length: 5;\r\n', b'hello')),
    ('length-with-a-comma', '9110 8.6', put(b'Content-Length: 5,\r\n', b'hello'), {'may': hello}),
    ('empty-length', '9110 8.6', put(b'Content-Length: \r\n', b'')),
    ('quoted-length', '9110 8.6', put(b'Content-Length: "5"\r\n', b'hello')),
    ('length-beyond-64-bits', '9110 8.6', put(b'Content-Length: 18446744073709551621\r\n', b'hello')),
    ('length-of-forty-nines', '9110 8.6', put(b'Content-Length: ' + b'9' * 40 + b'\r\n', b'hello')),
    ('length-in-other-digits', '9110 8.6', put('Content-Length: \u0665\r\n'.encode(), b'hello')),
    ('length-with-a-control-byte', '9110 5.5', put(b'Content-Length: 5\x01\r\n', b'hello')),
    ('length-with-a-vertical-tab', '9110 8.6', put(b'Content-Length: \x0b5\r\n', b'hello')),
])
table(ROW, forwarded, True, [
    ('length', '9112 6.3', put(b'Content-Length: 5\r\n', b'hello'), hello, framed('length')),
    ('length-between-blanks', '9110 5.5', put(b'Content-Length: \t 5 \t\r\n', b'hello'), hello),
    ('length-without-blank', '9112 5', put(b'Content-Length:5\r\n', b'hello'), hello),
    ('length-in-capitals', '9110 5.1', put(b'CONTENT-LENGTH: 5\r\n', b'hello'), hello),
    ('length-zero', '9110 8.6', put(b'Content-Length: 0\r\n'), empty, framed('none', 'length')),
    ('post-of-length-zero', '9110 8.6', put(b'Content-Length: 0\r\n', method=b'POST'), empty, has(b'content-length', b'0')),
    ('no-length', '9112 6.3', put(b''), empty),
    ('post-without-length', '9112 6.3', put(b'', method=b'POST'), empty),
    ('length-with-get', '9110 9.3.1', put(b'Content-Length: 5\r\n', b'hello', method=b'GET'), hello),
    ('length-with-head', '9110 9.3.2', put(b'Content-Length: 5\r\n', b'hello', method=b'HEAD'), hello),
    ('length-with-delete', '9110 9.3.5', put(b'Content-Length: 5\r\n', b'hello', method=b'DELETE'), hello),
    ('length-with-an-unknown-method', '9110 9.1', put(b'Content-Length: 5\r\n', b'hello', method=b'REPORT'), hello),
    ('body-that-looks-like-a-request', '9112 6.3', put(b'Content-Length: %d\r\n' % len(STRAY), STRAY),
     lambda m: want(m.body.startswith(b'GET /object-store'), 'the body as it came', m.body)),
    ('body-of-all-bytes', '9112 6.3', put(b'Content-Length: 256\r\n', bytes(range(256))), body(bytes(range(256)))),
    ('body-in-a-segment-of-its-own', '9112 6.3', [put(b'Content-Length: 5\r\n'), b'he', b'llo'], hello),
    ('head-byte-by-byte', '9112 2.2', Drip(put(b'Content-Length: 5\r\n', b'hello')), hello),
])

# ------------------------------------------------------------------ Transfer-Encoding
CHUNKS = b'5\r\nhello\r\n0\r\n\r\n'
table(ROW, refused, True, [
    ('coding-gzip', '9112 6.3', put(b'Transfer-Encoding: gzip\r\n', CHUNKS)),
    ('coding-after-chunked', '9112 6.3', put(b'Transfer-Encoding: chunked, gzip\r\n', CHUNKS)),
    ('coding-identity', '9112 6.3', put(b'Transfer-Encoding: identity\r\n', CHUNKS)),
    ('coding-identity-and-length', '9112 6.3', put(b'Transfer-Encoding: identity\r\nContent-Length: 5\r\n', b'hello')),
    ('chunked-with-a-parameter', '9112 7', put(b'Transfer-Encoding: chunked;q=1\r\n', CHUNKS)),
    ('coding-xchunked', '9112 6.3', put(b'Transfer-Encoding: xchunked\r\n', CHUNKS)),
    ('coding-chunkedx', '9112 6.3', put(b'Transfer-Encoding: chunkedx\r\n', CHUNKS)),
    ('quoted-coding', '9112 7', put(b'Transfer-Encoding: "chunked"\r\n', CHUNKS)),
    ('coding-in-apostrophes', '9112 7', put(b"Transfer-Encoding: 'chunked'\r\n", CHUNKS)),
    ('empty-coding', '9112 6.1', put(b'Transfer-Encoding: \r\n', CHUNKS)),
    ('empty-coding-and-length', '9112 6.1', put(b'Transfer-Encoding:\r\nContent-Length: 5\r\n', b'hello')),
    ('coding-in-two-words', '9112 7', put(b'Transfer-Encoding: chunked foo\r\n', CHUNKS)),
    ('coding-with-raw-bytes', '9112 7', put(b'Transfer-Encoding: chunked\xff\r\n', CHUNKS)),
    ('coding-in-http-1-0', '9112 6.1', put(b'Transfer-Encoding: chunked\r\n', CHUNKS, version=b'1.0'), {'may': hello}),
    ('coding-and-length-in-http-1-0', '9112 6.1', put(b'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', CHUNKS,
                                                      version=b'1.0'), {'may': hello}),
    ('two-codings-in-two-lines', '9112 6.3', put(b'Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n', CHUNKS)),
])
# Codings before a last `chunked` are a request whose end is known; who does not know them answers 501.
table(ROW, refused, True, [
    ('coding-before-chunked', '9112 6.1', put(b'Transfer-Encoding: gzip, chunked\r\n', CHUNKS), {'status': 501}),
    ('coding-before-chunked-in-two-lines', '9112 6.1', put(b'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n',
                                                           CHUNKS)),
    ('unknown-coding-before-chunked', '9112 6.1', put(b'Transfer-Encoding: x, chunked\r\n', CHUNKS), {'status': 501}),
    ('chunked-twice', '9112 7', put(b'Transfer-Encoding: chunked, chunked\r\n', CHUNKS), {'may': hello}),
    ('chunked-twice-in-two-lines', '9112 7', put(b'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', CHUNKS),
     {'may': hello}),
    ('identity-before-chunked', '9112 7', put(b'Transfer-Encoding: identity, chunked\r\n', CHUNKS), {'may': hello}),
])
table(ROW, either, True, [
    ('comma-before-chunked', '9110 5.6.1', put(b'Transfer-Encoding: ,chunked\r\n', CHUNKS), hello),
    ('comma-after-chunked', '9110 5.6.1', put(b'Transfer-Encoding: chunked,\r\n', CHUNKS), hello),
])
table(ROW, forwarded, True, [
    ('chunked', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', CHUNKS), hello),
    ('chunked-in-capitals', '9112 7', put(b'Transfer-Encoding: CHUNKED\r\n', CHUNKS), hello),
    ('chunked-between-blanks', '9110 5.5', put(b'Transfer-Encoding: \t chunked \t\r\n', CHUNKS), hello),
    ('chunked-with-get', '9110 9.3.1', put(b'Transfer-Encoding: chunked\r\n', CHUNKS, method=b'GET'), hello),
    ('chunked-with-head', '9110 9.3.2', put(b'Transfer-Encoding: chunked\r\n', CHUNKS, method=b'HEAD'), hello),
    ('chunked-with-delete', '9110 9.3.5', put(b'Transfer-Encoding: chunked\r\n', CHUNKS, method=b'DELETE'), hello),
    ('chunked-with-an-unknown-method', '9110 9.1', put(b'Transfer-Encoding: chunked\r\n', CHUNKS, method=b'REPORT'),
     hello),
    ('chunks-without-any', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'0\r\n\r\n'), empty),
    ('three-chunks', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n'),
     hello),
    ('chunk-size-in-capitals', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'A\r\n0123456789\r\n0\r\n\r\n'),
     body(b'0123456789')),
    ('chunk-size-in-small-letters', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'a\r\n0123456789\r\n0\r\n\r\n'),
     body(b'0123456789')),
    ('chunk-size-with-zeros', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'0005\r\nhello\r\n000\r\n\r\n'), hello),
    ('chunk-extension', '9112 7.1.1', put(b'Transfer-Encoding: chunked\r\n', b'5;a=b\r\nhello\r\n0;c\r\n\r\n'), hello),
    ('quoted-chunk-extension', '9112 7.1.1', put(b'Transfer-Encoding: chunked\r\n', b'5;a="b;c"\r\nhello\r\n0\r\n\r\n'),
     hello),
    ('chunk-of-line-ends', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'9\r\n0\r\n\r\n\r\n\r\n\r\n0\r\n\r\n'),
     body(b'0\r\n\r\n\r\n\r\n')),
    ('chunk-of-70000-bytes', '9112 7.1', put(b'Transfer-Encoding: chunked\r\n', b'%x\r\n' % 70000 + b'c' * 70000
                                             + b'\r\n0\r\n\r\n'), body(b'c' * 70000)),
    ('chunks-byte-by-byte', '9112 7.1', Drip(put(b'Transfer-Encoding: chunked\r\n', CHUNKS)), hello),
    ('coding-named-by-connection', '9110 7.6.1', put(b'Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n',
                                                     CHUNKS), hello),
    ('length-named-by-connection', '9110 7.6.1', put(b'Connection: content-length\r\nContent-Length: 5\r\n', b'hello'),
     hello),
])
table(ROW, forwarded, False, [
    ('coding-with-an-underscore', '9112 6.1', put(b'Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', b'hello'),
     hello, lacks(b'transfer_encoding')),
    ('length-with-an-underscore', '9112 6.1', put(b'Content_Length: 50\r\nContent-Length: 5\r\n', b'hello'),
     hello, lacks(b'content_length')),
])


# ------------------------------------------------------------------ chunks that are none
def bad_chunk(p, data):
    broken(p, put(b'Transfer-Encoding: chunked\r\n', data))


def bad_chunk_later(p, data):
    """The first chunk is good and was passed on."""
    client = p.client(put(b'Transfer-Encoding: chunked\r\n', b'5\r\nfirst\r\n'))
    origin = p.accept(client)
    request = origin.head()
    if request.all(b'expect'):
        origin.send(b'HTTP/1.1 100 Continue\r\n\r\n')
    origin.until(b'first')
    client.try_send(data)
    origin.cut_off(3)
    no_last_chunk(bytes(origin.raw))
    message = client.cut_off(3)
    want(b' 200 ' not in message, 'no success', message)
    if p.ours:
        p.nobody()


table(ROW, bad_chunk, True, [
    ('chunk-size-g', '9112 7.1', b'g\r\nhello\r\n0\r\n\r\n'),
    ('chunk-size-5g', '9112 7.1', b'5g\r\nhello\r\n0\r\n\r\n'),
    ('chunk-size-with-minus', '9112 7.1', b'-5\r\nhello\r\n0\r\n\r\n'),
    ('chunk-size-with-plus', '9112 7.1', b'+5\r\nhello\r\n0\r\n\r\n'),
    ('chunk-size-with-0x', '9112 7.1', b'0x5\r\nhello\r\n0\r\n\r\n'),
    ('empty-chunk-size', '9112 7.1', b'\r\nhello\r\n0\r\n\r\n'),
    ('blank-before-a-chunk-size', '9112 7.1', b' 5\r\nhello\r\n0\r\n\r\n'),
    ('chunk-size-in-two-words', '9112 7.1', b'5 5\r\nhello\r\n0\r\n\r\n'),
    ('chunk-size-beyond-64-bits', '9112 7.1', b'10000000000000005\r\nhello\r\n0\r\n\r\n'),
    ('bare-lf-after-a-chunk-size', '9112 7.1', b'5\nhello\r\n0\r\n\r\n'),
    ('bare-cr-after-a-chunk-size', '9112 7.1', b'5\rhello\r\n0\r\n\r\n'),
    ('bare-lf-in-a-chunk-extension', '9112 7.1.1', b'5;a\nhello\r\n0\r\n\r\n'),
    ('bare-cr-in-a-chunk-extension', '9112 7.1.1', b'5;a\rb\r\nhello\r\n0\r\n\r\n'),
])
table(ROW, bad_chunk_later, True, [
    ('second-chunk-size-g', '9112 7.1', b'g\r\nhello\r\n0\r\n\r\n'),
    ('second-chunk-size-beyond-64-bits', '9112 7.1', b'10000000000000005\r\nhello\r\n0\r\n\r\n'),
    ('chunk-longer-than-its-size', '9112 7.1', b'5\r\nhello!!\r\n0\r\n\r\n'),
    ('chunk-without-line-end', '9112 7.1', b'5\r\nhello0\r\n\r\n'),
    ('bare-lf-after-a-chunk', '9112 7.1', b'5\r\nhello\n0\r\n\r\n'),
    ('bare-cr-after-a-chunk', '9112 7.1', b'5\r\nhello\rX0\r\n\r\n'),
    ('bare-lf-after-the-last-chunk-size', '9112 7.1', b'0\n\r\n'),
    ('nul-in-a-trailer', '9112 7.1.2', b'0\r\nX-T: a\0b\r\n\r\n', {'peers': False}),
    ('trailer-without-colon', '9112 7.1.2', b'0\r\nX-T\r\n\r\n', {'peers': False}),
])

# ------------------------------------------------------------------ Host and the target
table(ROW, refused, True, [
    ('no-host', '9112 3.2', get(host=b''), {'close': False}),
    ('two-hosts', '9112 3.2', get(b'Host: localhost\r\n'), {'close': False}),
    ('two-different-hosts', '9112 3.2', get(b'Host: 127.0.0.1\r\n'), {'close': False}),
    ('host-with-a-path', '9112 3.2', get(host=b'Host: localhost/x\r\n'), {'close': False}),
    ('host-with-a-user', '9112 3.2', get(host=b'Host: u@localhost\r\n'), {'close': False}),
    ('host-list', '9112 3.2', get(host=b'Host: localhost, localhost\r\n'), {'close': False}),
    ('host-with-a-blank', '9112 3.2', get(host=b'Host: local host\r\n'), {'close': False}),
    ('host-with-a-bad-port', '9112 3.2', get(host=b'Host: localhost:x\r\n'), {'close': False}),
    ('blank-before-the-colon-of-host', '9112 5.1', get(host=b'Host : localhost\r\n')),
])
table(ROW, refused, False, [
    ('empty-host', '9112 3.2', get(host=b'Host:\r\n'), {'close': False}),
    ('foreign-host', '9110 7.4', get(host=b'Host: evil.example\r\n'), {'status': 403, 'close': False}),
    ('absolute-form-of-another-host', '9112 3.2.2', get(target=b'http://127.0.0.2/object-store/x'), {'close': False}),
    ('absolute-form-of-a-foreign-host', '9112 3.2.2',
     get(target=b'http://evil.example/object-store/x', host=b'Host: evil.example\r\n'), {'status': 403, 'close': False}),
    ('absolute-form-with-ftp', '9112 3.2.2', get(target=b'ftp://localhost/object-store/x'), {'close': False}),
    ('absolute-form-with-https', '9112 3.2.2', get(target=b'https://localhost/object-store/x'), {'close': False}),
    ('absolute-form-with-a-user', '9110 4.2.4', get(target=b'http://u:p@localhost/object-store/x'), {'close': False}),
    ('step-above-the-account', '3986 5.2.4', get(target=b'/object-store/../AUTH_q/x'), {'close': False}),
    ('encoded-step-above-the-account', '3986 5.2.4', get(target=b'/object-store/%2e%2E%2fAUTH_q/x'), {'close': False}),
])
table(ROW, forwarded, True, [
    ('host-last', '9110 7.2', b'GET /object-store/x HTTP/1.1\r\nX-A: 1\r\n' + H + b'\r\n', has(b'x-a', b'1')),
    ('host-in-capitals', '9110 5.1', get(host=b'HOST: localhost\r\n')),
    ('host-with-a-port', '9110 7.2', get(host=b'Host: localhost:5050\r\n')),
    ('empty-line-before-the-request', '9112 2.2', b'\r\n' + get(b'X-A: 1\r\n'), has(b'x-a', b'1')),
    ('absolute-form', '9112 3.2.2', get(target=b'http://localhost/object-store/x'), line(b'GET /v1/AUTH_p/x HTTP/1.1')),
    ('absolute-form-in-capitals', '3986 6.2.2.1', get(target=b'HTTP://LOCALHOST/object-store/x'),
     line(b'GET /v1/AUTH_p/x HTTP/1.1')),
    ('absolute-form-with-a-query', '9112 3.2.2', get(target=b'http://localhost/object-store/x?a=b'),
     line(b'GET /v1/AUTH_p/x?a=b HTTP/1.1')),
    ('options-of-a-path', '9110 9.3.7', put(b'', method=b'OPTIONS'), line(b'OPTIONS /v1/AUTH_p/x HTTP/1.1')),
    ('propfind', '9110 9.1', put(b'Depth: 1\r\n', method=b'PROPFIND'), line(b'PROPFIND /v1/AUTH_p/x HTTP/1.1')),
    ('method-copy', '9110 9.1', put(b'Destination: c/y\r\n', method=b'COPY'), line(b'COPY /v1/AUTH_p/x HTTP/1.1')),
])


def unknown_method(p, method):
    """Passed on; others may answer that they do not know it."""
    (forwarded if p.ours else either)(p, put(b'', method=method), line(method + b' /v1/AUTH_p/x HTTP/1.1'))


table(ROW, unknown_method, True, [
    ('m-search', '9110 9.1', b'M-SEARCH'),
    ('method-of-odd-letters', '9110 9.1', b"A!#$%&'*+.^_`|~9"),
    ('method-of-sixty-letters', '9110 9.1', b'A' * 60),
])


def same_path(p, target):
    """The bytes behind the prefix arrive as they came; an unreserved byte may be decoded (RFC 3986 6.2.2.2)."""
    allowed = [target] if p.ours else [target, target.replace(b'%7e', b'~').replace(b'%7E', b'~'),
                                       target.replace(b'%2f', b'%2F').replace(b'%c3%a4', b'%C3%A4'), target.rstrip(b'?')]
    forwarded(p, get(target=b'/object-store' + target), lambda m: want(
        m.target in [BASE + each for each in allowed], 'the target %r' % (BASE + target), m.target))


table(ROW, same_path, True, [
    ('encoded-slash-in-the-path', '3986 2.2', b'/c/a%2fb'),
    ('double-slash-in-the-path', '3986 3.3', b'/c//a///b'),
    ('encoded-percent-in-the-path', '3986 2.4', b'/c/a%252Fb'),
    ('encoded-question-mark-in-the-path', '3986 2.2', b'/c/a%3Fb%23c'),
    ('encoded-space-in-the-path', '3986 2.1', b'/c/a%20b+c'),
    ('encoded-letters-in-the-path', '3986 6.2.2.2', b'/c/%7euser'),
    ('encoded-utf-8-in-the-path', '3986 2.5', b'/c/%c3%a4'),
    ('subdelims-in-the-path', '3986 2.2', b"/c/a!$&'()*+,;=:@b"),
    ('query-of-odd-bytes', '3986 3.4', b'/c/a?x=%2F&y=/?&z=[]&&='),
    ('empty-query', '3986 6.2.3', b'/c/a?'),
    ('path-of-7-kib', '9112 3', b'/c/' + b'a' * 7000 + b'/' + b'b' * 500),
])


def many_fields(p, count):
    fields = b''.join(b'X-Object-Meta-%d: v%d\r\n' % (i, i) for i in range(count))
    forwarded(p, get(fields), *(has(b'x-object-meta-%d' % i, b'v%d' % i) for i in (0, count // 2, count - 1)))


table(ROW, many_fields, True, [
    ('one-hundred-and-fifty-fields', '9110 5.4', 150),
    ('four-hundred-fields', '9110 5.4', 400),
])
table(ROW, forwarded, True, [
    ('field-of-30-kib', '9110 5.4', get(b'X-A: ' + b'v' * 30000 + b'\r\n'), has(b'x-a', b'v' * 30000)),
])

