"""Which fields of an answer reach the client, and how."""
from harness.play import want
from harness.ways import answered, framed, has, lacks, lacks_bytes, order, spelt, table

ROW = 'fields_responses'


def ok(*fields, data=b'hello', status=b'200 OK'):
    return b'HTTP/1.1 ' + status + b'\r\nContent-Length: %d\r\n' % len(data) + b''.join(f + b'\r\n' for f in fields) \
        + b'\r\n' + data


def chunks(*fields, end=b''):
    return b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n' + b''.join(f + b'\r\n' for f in fields) \
        + b'\r\n5\r\nhello\r\n0\r\n' + end + b'\r\n'


KEPT = has(b'x-kept', b'1')
K = b'X-Kept: 1'
table(ROW, answered, True, [
    ('connection-names-a-field', '9110 7.6.1', ok(b'Connection: X-A', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-names-a-later-field', '9110 7.6.1', ok(b'X-A: 1', K, b'Connection: X-A'), lacks(b'x-a'), KEPT),
    ('connection-in-two-lines', '9110 7.6.1', ok(b'Connection: X-A', b'Connection: X-B', b'X-A: 1', b'X-B: 1', K),
     lacks(b'x-a', b'x-b'), KEPT),
    ('connection-in-other-letters', '9110 7.6.1', ok(b'CONNECTION: x-A', b'X-a: 1', K), lacks(b'x-a'), KEPT),
    ('connection-with-odd-bytes', '9110 7.6.1', ok(b'Connection: \xff, X-A', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-with-empty-members', '9110 5.6.1', ok(b'Connection: ,, X-A,', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-names-the-length', '9110 7.6.1', ok(b'Connection: content-length', K), has(b'content-length', b'5'), KEPT),
    ('keep-alive', '9110 7.6.1', ok(b'Connection: keep-alive', b'Keep-Alive: timeout=5', K), lacks_bytes(b'timeout=5'), KEPT),
    ('proxy-connection', '9110 7.6.1', ok(b'Proxy-Connection: keep-alive', K), lacks(b'proxy-connection'), KEPT),
    ('upgrade', '9110 7.8', ok(b'Connection: Upgrade', b'Upgrade: h2c', K), lacks(b'upgrade'), KEPT),
    ('several-cookies', '6265 3', ok(b'Set-Cookie: a=1; Path=/', b'Set-Cookie: b=2, x', K),
     has(b'set-cookie', b'a=1; Path=/', b'b=2, x'), KEPT),
    ('two-lines-of-a-field-in-order', '9110 5.3', ok(b'X-A: 1', K, b'X-A: 2'), lambda m: want(
        b', '.join(m.all(b'x-a')) in (b'1, 2', b'1,2'), 'both in their order', m.fields)),
    ('empty-value', '9110 5.5', ok(b'X-A:', K), has(b'x-a', b'')),
    ('value-between-blanks', '9110 5.5', ok(b'X-A: \t a  b \t', K), has(b'x-a', b'a  b')),
    ('value-with-tab', '9110 5.5', ok(b'X-A: a\tb', K), has(b'x-a', b'a\tb')),
    ('value-in-utf-8', '9110 5.5', ok(b'X-A: \xe0\xb8\x92', K), has(b'x-a', b'\xe0\xb8\x92')),
    ('value-in-latin-1', '9110 5.5', ok(b'X-A: caf\xe9 \xff', K), has(b'x-a', b'caf\xe9 \xff')),
    ('name-of-all-token-bytes', '9110 5.6.2', ok(b"X-!#$%&'*+.^`|~9: 1", K), has(b"x-!#$%&'*+.^`|~9", b'1')),
    ('name-with-underscore', '9110 5.6.2', ok(b'X_A: 1', K), has(b'x_a', b'1')),
    ('challenge', '9110 11.6.1', ok(b'WWW-Authenticate: Basic realm="a, b"', K, status=b'403 Forbidden'),
     has(b'www-authenticate', b'Basic realm="a, b"'), {'status': 403}),
    ('etag-and-dates', '9110 8.8', ok(b'ETag: W/"x"', b'Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT', K),
     has(b'etag', b'W/"x"'), has(b'last-modified', b'Thu, 01 Jan 1970 00:00:00 GMT')),
    ('date', '9110 6.6.1', ok(b'Date: Thu, 01 Jan 1970 00:00:00 GMT', K), has(b'date', b'Thu, 01 Jan 1970 00:00:00 GMT')),
    ('retry-after', '9110 10.2.3', ok(b'Retry-After: 7', K, status=b'503 Service Unavailable'), has(b'retry-after', b'7'),
     {'status': 503}),
    ('content-encoding', '9110 8.4', ok(b'Content-Encoding: gzip', K), has(b'content-encoding', b'gzip')),
])
UNI = b'X-Container-Meta-uni\xe0\xb8\x92'
table(ROW, answered, False, [
    ('proxy-authenticate', '9110 11.7.1', ok(b'Proxy-Authenticate: Basic', K), lacks(b'proxy-authenticate'), KEPT),
    ('proxy-authentication-info', '9110 11.7.3', ok(b'Proxy-Authentication-Info: a', K), lacks(b'proxy-authentication-info'),
     KEPT),
    ('token', '9110 11.6.2', ok(b'X-Auth-Token: secret', K), lacks_bytes(b'secret'), KEPT),
    ('token-in-capitals', '9110 5.1', ok(b'X-AUTH-TOKEN: secret', b'x-auth-token: secret', K), lacks_bytes(b'secret'), KEPT),
    ('storage-token', '9110 11.6.2', ok(b'X-Storage-Token: secret', K), lacks_bytes(b'secret'), KEPT),
    ('service-token', '9110 11.6.2', ok(b'X-Service-Token: secret', K), lacks_bytes(b'secret'), KEPT),
    ('strict-transport-security', '6797 7.2', ok(b'Strict-Transport-Security: max-age=1', K),
     lacks(b'strict-transport-security'), KEPT),
    ('alt-svc', '7838 3', ok(b'Alt-Svc: h3=":443"', K), lacks(b'alt-svc'), KEPT),
    ('words-of-ours', '9110 7.6', ok(b'X-Gatestone-Error: overloaded', b'X-Gatestone-Retry: x', K),
     lacks(b'x-gatestone-error', b'x-gatestone-retry'), KEPT),
    ('no-via-is-added', '9110 7.6.3', ok(K), lacks(b'via'), KEPT),
    ('via-of-the-origin', '9110 7.6.3', ok(b'Via: 1.1 varnish', K), has(b'via', b'1.1 varnish'), KEPT),
    ('server', '9110 10.2.4', ok(b'Server: swift/2', K), has(b'server', b'swift/2')),
    ('no-server-is-made-up', '9110 10.2.4', ok(K), lacks(b'server'), KEPT),
    ('letters-of-names', '9110 5.1', ok(b'X-oBjEcT-mEtA-Foo: 1', b'eTAG: a', b'x-low: 1', K),
     spelt((b'X-oBjEcT-mEtA-Foo', b'1'), (b'eTAG', b'a'), (b'x-low', b'1'), (b'X-Kept', b'1'))),
    ('letters-of-a-name-in-two-lines', '9110 5.1', ok(b'X-a: 1', b'x-A: 2', K), spelt((b'X-a', b'1'), (b'x-A', b'2'))),
    ('letters-of-the-length', '9110 5.1', b'HTTP/1.1 200 OK\r\nconTENT-length: 2\r\n\r\nok', spelt((b'conTENT-length', b'2'))),
    ('utf-8-in-a-name', '9110 5.1', ok(UNI + b': \xe0\xb8\x92', K), has(UNI.lower(), b'\xe0\xb8\x92'), KEPT),
    ('utf-8-in-a-name-keeps-its-letters', '9110 5.1', ok(UNI + b': 1', K), spelt((UNI, b'1')), KEPT),
    ('utf-8-in-two-names', '9110 5.1', ok(UNI + b': 1', b'X-\xc3\xa4: 2', K), has(UNI.lower(), b'1'), has(b'x-\xc3\xa4', b'2'),
     KEPT),
    ('utf-8-in-a-name-byte-by-byte', '9110 5.1', [bytes([b]) for b in ok(UNI + b': 1', K)], has(UNI.lower(), b'1'), KEPT),
    ('bytes-that-are-no-utf-8-in-a-name', '9110 5.1', ok(b'X-\xff\xfe: 1', K), has(b'x-\xff\xfe', b'1'), KEPT),
    ('utf-8-behind-the-name-of-the-length', '9110 5.1', ok(b'Content-Length\xc3\xa9: 50', K), has(b'content-length', b'5'),
     has(b'content-length\xc3\xa9', b'50'), KEPT, {'again': 'reused'}),
    ('raw-byte-behind-the-name-of-the-coding', '9110 5.1', ok(b'Transfer-Encoding\xff: chunked', K), framed('length'),
     has(b'transfer-encoding\xff', b'chunked'), KEPT, {'again': 'reused'}),
    ('raw-byte-behind-the-name-of-the-token', '9110 5.1', ok(b'X-Auth-Token\xff: 1', K), KEPT),
    ('tilde-in-a-name', '9110 5.6.2', ok(b'X-~~: 1', b'X-\xff\xff: 2', K), has(b'x-~~', b'1'), has(b'x-\xff\xff', b'2'), KEPT),
    ('connection-names-a-field-with-utf-8', '9110 7.6.1', ok(b'Connection: x-\xc3\xa4', b'X-\xc3\xa4: 1', K), KEPT),
    ('utf-8-in-a-name-and-in-the-body', '9110 5.1', ok(UNI + b': 1', data=UNI + b': 2\r\n\r\n'), has(UNI.lower(), b'1'),
     lambda m: want(m.body == UNI + b': 2\r\n\r\n', 'the body as it came', m.body), {'again': 'reused'}),
    ('utf-8-in-a-name-in-chunks', '9110 5.1', chunks(UNI + b': 1'), has(UNI.lower(), b'1'), {'again': 'reused'}),
    ('order-of-fields', '9110 5.3', ok(b'X-1: a', b'X-2: b', b'X-3: c', b'X-4: d'), order(b'x-1', b'x-2', b'x-3', b'x-4')),
    # Between lines of different names it means nothing, and changes where fields go.
    ('order-around-what-goes', '9110 5.3', ok(b'X-1: a', b'Strict-Transport-Security: a', b'X-1: b', b'Keep-Alive: a',
                                              b'X-1: c'), has(b'x-1', b'a', b'b', b'c')),
])
