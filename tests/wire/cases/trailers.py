"""Trailer sections, both ways (RFC 9110 6.5). Who does not pass a field there may drop it."""
from harness.play import want
from harness.ways import answered, body, forwarded, lacks, lacks_bytes, table, trailers

ROW = 'trailers'
H = b'Host: localhost\r\n'


def put(announced, *fields):
    return (b'PUT /object-store/x HTTP/1.1\r\n' + H + (b'Trailer: ' + announced + b'\r\n' if announced else b'')
            + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n' + b''.join(f + b'\r\n' for f in fields) + b'\r\n')


def ok(announced, *fields):
    return (b'HTTP/1.1 200 OK\r\n' + (b'Trailer: ' + announced + b'\r\n' if announced else b'')
            + b'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n' + b''.join(f + b'\r\n' for f in fields) + b'\r\n')


WANTS = {'ask': b'GET /object-store/x HTTP/1.1\r\n' + H + b'TE: trailers\r\nConnection: TE\r\n\r\n'}
WANTS_PLAIN = {'ask': b'GET /object-store/x HTTP/1.1\r\n' + H + b'TE: trailers\r\n\r\n'}
hello = body(b'hello')


def at_most(*pairs):
    """These trailers, or fewer."""
    def check(m):
        seen = [(k.lower(), v) for k, v in m.trailers]
        want(all(pair in pairs for pair in seen), 'no other trailers than %r' % (pairs,), seen)
    return check


def outside(*names):
    """They stand in no head: neither merged into the fields nor passed at the end."""
    def check(m):
        seen = [k for k, _ in m.fields + m.trailers if k.lower() in names]
        want(not seen, 'no %r' % (names,), seen)
    return check


table(ROW, forwarded, True, [
    ('request-with-an-announced-trailer', '9110 6.5', put(b'X-T', b'X-T: 1'), hello, at_most((b'x-t', b'1')),
     {'ours': [trailers((b'x-t', b'1'))]}),
    ('request-with-two-announced-trailers', '9110 6.5', put(b'X-T, X-U', b'X-T: 1', b'X-U: 2'), hello,
     {'ours': [trailers((b'x-t', b'1'), (b'x-u', b'2'))]}),
    ('request-with-an-unannounced-trailer', '9110 6.5', put(b'', b'X-T: 1'), hello, at_most((b'x-t', b'1')), lacks(b'x-t')),
    ('request-that-announces-and-sends-none', '9110 6.6.2', put(b'X-T'), hello, trailers()),
    ('request-trailer-with-the-length', '9110 6.5.1', put(b'Content-Length', b'Content-Length: 9'), hello,
     outside(b'content-length'), {'peers': False}),
    ('request-trailer-with-the-coding', '9110 6.5.1', put(b'Transfer-Encoding', b'Transfer-Encoding: gzip'), hello,
     lambda m: want(not m.trailers, 'no framing field in the trailers', m.trailers), {'peers': False}),
    ('request-trailer-with-host', '9110 6.5.1', put(b'Host', b'Host: evil'), hello, lacks_bytes(b'evil'), {'peers': False}),
    ('request-trailer-of-ninety-lines', '9112 7.1.2', put(b'X-T', *(b'X-T: %d' % i for i in range(90))), hello),
])
table(ROW, forwarded, False, [
    ('request-trailer-with-a-token', '9110 6.5.1', put(b'X-Auth-Token, X-T', b'X-Auth-Token: mine', b'X-T: 1'), hello,
     lacks_bytes(b'mine'), trailers((b'x-t', b'1'))),
    ('request-trailer-with-a-claim', '9110 6.5.1', put(b'X-Roles, X_Roles, X-T', b'X-Roles: admin', b'X_Roles: admin', b'X-T: 1'),
     hello, lacks_bytes(b'admin'), trailers((b'x-t', b'1'))),
    ('request-trailer-with-authorization', '9110 6.5.1', put(b'Authorization', b'Authorization: Basic mine'), hello,
     lacks_bytes(b'mine')),
    ('request-trailer-with-connection', '9110 7.6.1', put(b'Connection, X-T', b'Connection: X-T', b'X-T: 1'), hello,
     outside(b'connection')),
])
table(ROW, answered, True, [
    ('announced-trailer', '9110 6.5', ok(b'X-T', b'X-T: 1'), hello, at_most((b'x-t', b'1')), lacks(b'x-t'),
     dict(WANTS, ours=[trailers((b'x-t', b'1'))])),
    ('announced-trailer-for-te-without-connection', '9110 6.5', ok(b'X-T', b'X-T: 1'), hello, at_most((b'x-t', b'1')),
     dict(WANTS_PLAIN, ours=[trailers((b'x-t', b'1'))])),
    ('two-announced-trailers', '9110 6.5', ok(b'X-T, X-U', b'X-T: 1', b'X-U: 2'), hello,
     dict(WANTS, ours=[trailers((b'x-t', b'1'), (b'x-u', b'2'))])),
    ('trailers-announced-in-two-lines', '9110 6.6.2', ok(b'X-T\r\nTrailer: X-U', b'X-T: 1', b'X-U: 2'), hello,
     dict(WANTS, ours=[trailers((b'x-t', b'1'), (b'x-u', b'2'))])),
    ('unannounced-trailer', '9110 6.5', ok(b'', b'X-T: 1'), hello, at_most((b'x-t', b'1')), lacks(b'x-t'), dict(WANTS)),
    ('trailer-for-a-client-that-wants-none', '9110 6.5.1', ok(b'X-T', b'X-T: 1'), hello, at_most((b'x-t', b'1')),
     lacks(b'x-t')),
    ('announced-but-not-there', '9110 6.6.2', ok(b'X-T'), hello, trailers(), dict(WANTS)),
    ('trailer-with-the-length', '9110 6.5.1', ok(b'Content-Length', b'Content-Length: 9'), hello, outside(b'content-length'),
     dict(WANTS, peers=False)),
    ('trailer-with-the-coding', '9110 6.5.1', ok(b'Transfer-Encoding', b'Transfer-Encoding: gzip'), hello,
     lambda m: want(not m.trailers, 'no framing field in the trailers', m.trailers), dict(WANTS, peers=False)),
    ('trailer-for-an-old-client', '9110 6.5', ok(b'X-T', b'X-T: 1'), hello, outside(b'x-t'),
     {'ask': b'GET /object-store/x HTTP/1.0\r\n' + H + b'TE: trailers\r\n\r\n'}),
    ('trailer-after-chunks-in-segments', '9110 6.5', [ok(b'X-T', b'X-T: 1')[i:i + 7] for i in range(
        0, len(ok(b'X-T', b'X-T: 1')), 7)], hello, dict(WANTS, ours=[trailers((b'x-t', b'1'))])),
])
table(ROW, answered, False, [
    ('trailer-with-a-token', '9110 6.5.1', ok(b'X-Auth-Token, X-T', b'X-Auth-Token: secret', b'X-T: 1'), hello,
     lacks_bytes(b'secret'), trailers((b'x-t', b'1')), dict(WANTS)),
    ('trailer-with-strict-transport-security', '6797 7.2', ok(b'Strict-Transport-Security, X-T',
                                                              b'Strict-Transport-Security: max-age=1', b'X-T: 1'), hello,
     trailers((b'x-t', b'1')), dict(WANTS)),
    ('trailer-with-a-cookie', '9110 6.5.1', ok(b'Set-Cookie, X-T', b'Set-Cookie: a=b', b'X-T: 1'), hello,
     trailers((b'x-t', b'1')), dict(WANTS)),
    ('trailer-with-an-error-of-ours', '9110 6.5.1', ok(b'X-Gatestone-Error, X-T', b'X-Gatestone-Error: overloaded', b'X-T: 1'),
     hello, trailers((b'x-t', b'1')), dict(WANTS)),
    ('trailer-with-keep-alive', '9110 7.6.1', ok(b'Keep-Alive, X-T', b'Keep-Alive: a', b'X-T: 1'), hello,
     trailers((b'x-t', b'1')), dict(WANTS)),
])
