"""Which fields of a request reach the origin, and how."""
from harness.play import OK, case, want
from harness.ways import forwarded, has, lacks, lacks_bytes, order, refused, spelt, table

ROW = 'fields_requests'
H = b'Host: localhost\r\n'


def get(*fields, method=b'GET', version=b'1.1'):
    return (method + b' /object-store/x HTTP/' + version + b'\r\n' + H + b''.join(f + b'\r\n' for f in fields) + b'\r\n')


KEPT = has(b'x-kept', b'1')
K = b'X-Kept: 1'

# ------------------------------------------------------------------ what Connection names
table(ROW, forwarded, True, [
    ('connection-names-a-field', '9110 7.6.1', get(b'Connection: X-A', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-names-two-fields', '9110 7.6.1', get(b'Connection: X-A, X-B', b'X-A: 1', b'X-B: 1', K),
     lacks(b'x-a', b'x-b'), KEPT),
    ('connection-names-a-later-field', '9110 7.6.1', get(b'X-A: 1', K, b'Connection: X-A'), lacks(b'x-a'), KEPT),
    ('connection-in-two-lines', '9110 7.6.1', get(b'Connection: X-A', b'Connection: X-B', b'X-A: 1', b'X-B: 1', K),
     lacks(b'x-a', b'x-b'), KEPT),
    ('connection-in-other-letters', '9110 7.6.1', get(b'CONNECTION: x-A', b'X-a: 1', K), lacks(b'x-a'), KEPT),
    ('connection-names-all-lines-of-a-field', '9110 7.6.1', get(b'Connection: X-A', b'X-A: 1', b'x-a: 2', K),
     lacks(b'x-a'), KEPT),
    ('connection-with-keep-alive-and-a-field', '9110 7.6.1', get(b'Connection: keep-alive, X-A', b'X-A: 1', K),
     lacks(b'x-a'), KEPT),
    ('connection-with-empty-members', '9110 5.6.1', get(b'Connection: , ,X-A,,', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-with-tabs', '9110 5.6.1', get(b'Connection: \tX-A\t,\tX-B\t', b'X-A: 1', b'X-B: 1', K),
     lacks(b'x-a', b'x-b'), KEPT),
    ('connection-with-a-member-of-odd-bytes', '9110 7.6.1', get(b'Connection: \xff\xfe, X-A', b'X-A: 1', K),
     lacks(b'x-a'), KEPT),
    ('connection-with-a-member-that-is-no-name', '9110 7.6.1', get(b'Connection: a b;c=d, X-A', b'X-A: 1', K),
     lacks(b'x-a'), KEPT),
    ('connection-with-a-quoted-member', '9110 7.6.1', get(b'Connection: "x, X-A', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-of-sixty-members', '9110 7.6.1', get(b'Connection: ' + b', '.join(b'X-%d' % i for i in range(60)),
                                                      *(b'X-%d: 1' % i for i in range(60)), K),
     lacks(b'x-0', b'x-30', b'x-59'), KEPT, {'or_refused': True}),
    ('connection-names-the-token', '9110 7.6.1', get(b'Connection: X-Auth-Token', K), KEPT),
    ('connection-names-the-token-that-is-there', '9110 7.6.1', get(b'Connection: x-auth-token', b'X-Auth-Token: mine', K),
     KEPT, lacks_bytes(b'mine')),
    ('connection-names-host', '9110 7.6.1', get(b'Connection: host', K), KEPT, {'or_refused': True}),
    ('connection-names-host-and-length', '9110 7.6.1', get(b'Connection: host, content-length', K), KEPT,
     {'or_refused': True}),
    ('connection-names-itself', '9110 7.6.1', get(b'Connection: connection, X-A', b'X-A: 1', K), lacks(b'x-a'), KEPT),
    ('connection-close-stays-here', '9110 7.6.1', get(b'Connection: close', K),
     KEPT, lambda m: want(b'close' not in b','.join(m.all(b'connection')).lower(), 'no close', m.fields), {'peers': False}),
    ('connection-names-a-field-with-raw-bytes', '9110 7.6.1', get(b'Connection: X-A', b'X-A: \xe0\xb8\x92', K),
     lacks(b'x-a'), KEPT),
])
table(ROW, forwarded, True, [
    ('keep-alive', '9110 7.6.1', get(b'Connection: keep-alive', b'Keep-Alive: timeout=5', K), lacks(b'keep-alive'), KEPT),
    ('keep-alive-that-is-not-named', '9110 7.6.1', get(b'Keep-Alive: timeout=5', K), lacks(b'keep-alive'), KEPT),
    ('proxy-connection', '9110 7.6.1', get(b'Proxy-Connection: keep-alive', K), lacks(b'proxy-connection'), KEPT),
    ('te', '9110 10.1.4', get(b'TE: trailers;q=0.5, gzip', K), lacks_bytes(b'gzip'), KEPT),
    ('te-that-is-named', '9110 10.1.4', get(b'Connection: TE', b'TE: gzip', K), lacks_bytes(b'gzip'), KEPT),
    ('upgrade-that-is-not-named', '9110 7.8', get(b'Upgrade: foo', K), lacks(b'upgrade'), KEPT),
])
table(ROW, forwarded, False, [
    ('proxy-authorization', '9110 11.7.1', get(b'Proxy-Authorization: Basic Zm9v', K), lacks(b'proxy-authorization'), KEPT),
    ('proxy-authenticate', '9110 11.7.1', get(b'Proxy-Authenticate: Basic', K), lacks(b'proxy-authenticate'), KEPT),
    ('http2-settings', '9113 3.1', get(b'HTTP2-Settings: AAMAAABk', K), lacks(b'http2-settings'), KEPT),
])

# ------------------------------------------------------------------ credentials and claims
table(ROW, forwarded, True, [
    ('token-of-the-client', '9110 11.6.2', get(b'X-Auth-Token: mine', K), lacks_bytes(b'mine'), KEPT),
    ('two-tokens-of-the-client', '9110 11.6.2', get(b'X-Auth-Token: mine', b'x-auth-token: mine2', K),
     lacks_bytes(b'mine'), KEPT),
    ('token-in-odd-letters', '9110 5.1', get(b'x-AUTH-tOKEN: mine', K), lacks_bytes(b'mine'), KEPT),
    ('empty-token', '9110 11.6.2', get(b'X-Auth-Token:', K), KEPT),
])


def dropped(p, name):
    """The field does not reach the origin, whatever its letters."""
    forwarded(p, get(name + b': mine', name.upper() + b': mine', K), lacks(name.lower()), lacks_bytes(b'mine'), KEPT)


OWN = [b'Authorization', b'X-Service-Token', b'X-Storage-Token', b'X-Auth-User', b'X-Auth-Key', b'X-Storage-User',
       b'X-Storage-Pass', b'X-Identity-Status', b'X-User-Id', b'X-User-Name', b'X-Roles', b'X-Project-Id',
       b'X-Project-Name', b'X-Domain-Id', b'X-Service-Roles', b'X-Service-User-Id', b'X-Is-Admin-Project', b'X-Tenant-Id',
       b'X-Role', b'OpenStack-System-Scope', b'X-Service-Catalog', b'Forwarded', b'X-Forwarded-For', b'X-Forwarded-Host',
       b'X-Forwarded-Proto', b'X-Forwarded-Anything', b'X-HTTP-Method-Override', b'X-Original-URL', b'X-Rewrite-URL',
       b'Referer', b'X_Auth_Token', b'X-Auth_Token', b'X_Forwarded_For', b'X_Roles', b'Content_Type', b'x_anything']
table(ROW, dropped, False, [('no-' + name.decode().lower(), '9110 7.6' if b'_' not in name else '3875 4.1.18',
                             name) for name in OWN])

# ------------------------------------------------------------------ fields that pass
table(ROW, forwarded, True, [
    ('two-lines-of-a-field-in-order', '9110 5.3', get(b'X-A: 1', b'X-B: 2', b'X-A: 3', K), lambda m: want(
        b', '.join(m.all(b'x-a')) in (b'1, 3', b'1,3'), 'both in their order', m.fields)),
    ('empty-value', '9110 5.5', get(b'X-A:', K), has(b'x-a', b'')),
    ('value-between-blanks', '9110 5.5', get(b'X-A: \t a  b \t', K), has(b'x-a', b'a  b')),
    ('value-with-tab', '9110 5.5', get(b'X-A: a\tb', K), has(b'x-a', b'a\tb')),
    ('value-of-all-printable-bytes', '9110 5.5', get(b'X-A: ' + bytes(range(33, 127)), K), has(b'x-a', bytes(range(33, 127)))),
    ('value-in-utf-8', '9110 5.5', get(b'X-A: \xe0\xb8\x92\xc3\xa4', K), has(b'x-a', b'\xe0\xb8\x92\xc3\xa4')),
    ('value-in-latin-1', '9110 5.5', get(b'X-A: caf\xe9 \xff', K), has(b'x-a', b'caf\xe9 \xff')),
    ('name-of-all-token-bytes', '9110 5.6.2', get(b"X-!#$%&'*+.^`|~9: 1", K), has(b"x-!#$%&'*+.^`|~9", b'1')),
    ('cookie', '6265 4.2', get(b'Cookie: a=b; c="d"', K), has(b'cookie', b'a=b; c="d"')),
    ('range-and-conditions', '9110 13', get(b'Range: bytes=0-4', b'If-None-Match: W/"a", "b"', K),
     has(b'range', b'bytes=0-4'), has(b'if-none-match', b'W/"a", "b"')),
    ('accept-encoding', '9110 12.5.3', get(b'Accept-Encoding: gzip;q=0.5, br', K), has(b'accept-encoding', b'gzip;q=0.5, br')),
    ('user-agent', '9110 10.1.5', get(b'User-Agent: python-swiftclient-4.2.0', K),
     has(b'user-agent', b'python-swiftclient-4.2.0')),
    ('no-user-agent-is-made-up', '9110 10.1.5', get(K), lacks(b'user-agent')),
    ('content-type', '9110 8.3', get(b'Content-Type: text/x; a="b"', K), has(b'content-type', b'text/x; a="b"')),
    ('name-like-content-length', '9110 5.1', get(b'X-Content-Length: 7', b'Content-Lengthy: 8', K),
     has(b'x-content-length', b'7'), has(b'content-lengthy', b'8')),
])
UNI = b'X-Container-Meta-uni\xe0\xb8\x92'
table(ROW, forwarded, False, [
    ('no-forwarded-is-made-up', '7239 4', get(K), lacks(b'forwarded', b'x-forwarded-for', b'x-forwarded-proto',
                                                        b'x-forwarded-host', b'x-real-ip')),
    ('te-trailers-is-asked-for', '9110 10.1.4', get(b'TE: gzip, trailers', b'Connection: TE', K), has(b'te', b'trailers'),
     lambda m: want(b'te' in b','.join(m.all(b'connection')).lower(), 'Connection: TE', m.fields), KEPT),
    ('te-without-trailers-is-not', '9110 10.1.4', get(b'TE: gzip', K), lacks(b'te', b'connection'), KEPT),
    ('letters-of-names', '9110 5.1', get(b'X-oBjEcT-mEtA-Foo: 1', b'user-AGENT: a', b'x-low: 1', K),
     spelt((b'X-oBjEcT-mEtA-Foo', b'1'), (b'user-AGENT', b'a'), (b'x-low', b'1'), (b'X-Kept', b'1'))),
    ('letters-of-a-name-in-two-lines', '9110 5.1', get(b'X-a: 1', b'x-A: 2', K), spelt((b'X-a', b'1'), (b'x-A', b'2'))),
    ('letters-of-the-length', '9110 5.1', get(b'CONTENT-length: 0', method=b'PUT'), spelt((b'CONTENT-length', b'0'))),
    ('utf-8-in-a-name', '9110 5.1', get(UNI + b': \xe0\xb8\x92', K), has(UNI.lower(), b'\xe0\xb8\x92'), KEPT),
    ('utf-8-in-a-name-keeps-its-letters', '9110 5.1', get(UNI + b': 1', K), spelt((UNI, b'1')), KEPT),
    ('utf-8-in-two-names', '9110 5.1', get(UNI + b': 1', K, b'X-Object-Meta-\xc3\xa4: 2', UNI + b'2: 3'), has(UNI.lower(), b'1'),
     has(b'x-object-meta-\xc3\xa4', b'2'), has(UNI.lower() + b'2', b'3'), KEPT),
    ('tilde-beside-utf-8', '9110 5.6.2', get(b'X-Object-Meta-~~: 1', b'X-Object-Meta-\xc3\xa9: 2', K),
     has(b'x-object-meta-~~', b'1'), has(b'x-object-meta-\xc3\xa9', b'2'), KEPT),
    ('utf-8-and-an-underscore-in-a-name', '3875 4.1.18', get(b'X-Object-Meta-A_\xc3\xa4: 1', K),
     lacks_bytes(b'_\xc3\xa4'), KEPT),
    ('utf-8-in-a-name-of-a-request-with-a-body', '9110 5.1',
     get(UNI + b': 1', b'Content-Length: 2', method=b'PUT') + b'ab', has(UNI.lower(), b'1'),
     lambda m: want(m.body == b'ab', 'the body', m.body)),
    ('utf-8-in-the-names-of-two-pieces', '9110 5.1',
     [b'GET /object-store/x HTTP/1.1\r\nHost: localhost\r\n' + UNI + b': 1\r\n', b'X-Object-Meta-\xc3\xa4: 2\r\nX-Kept: 1\r\n\r\n'],
     has(UNI.lower(), b'1'), has(b'x-object-meta-\xc3\xa4', b'2'), KEPT),
    ('utf-8-in-a-name-cut-before-its-colon', '9110 5.1',
     [b'GET /object-store/x HTTP/1.1\r\nHost: localhost\r\n' + UNI, b': 1\r\nX-Kept: 1\r\n\r\n'], has(UNI.lower(), b'1'), KEPT),
    ('order-of-fields', '9110 5.3', get(b'X-1: a', b'X-2: b', b'X-3: c', b'X-4: d'), order(b'x-1', b'x-2', b'x-3', b'x-4')),
])


@case('9110 5.1', peers=False)
def names_are_not_those_of_the_request_before(p):
    """One that is answered without the origin: by ourselves, or refused."""
    for before in (b'GET /-/health', b'GET /nothing/x'):
        client = p.client(before + b' HTTP/1.1\r\nHost: localhost\r\nX-Object-Meta-\xc3\xa4: 1\r\n\r\n')
        client.response()
        p.ask(client, get(b'X-Object-Meta-~~: 2'))
        origin = p.accept(client)
        message = origin.request()
        want(message.get(b'x-object-meta-~~') == b'2', 'the name as it came', message.fields)
        origin.send(OK).close()
        client.response()


@case('9110 6.4', peers=False)
def body_with_utf_8_behind_a_head_of_any_size(p):
    """A body is not taken for a head, where a read ends with the head either."""
    body = b'\xc3\xa4: 1\n' * 100
    for size in (8191, 8192, 8193, 16384, 24576):
        head = p.here(b'PUT /object-store/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nX-A: ' % len(body))
        client = p.client(head + b'a' * (size - len(head) - 4) + b'\r\n\r\n' + body)
        origin = p.accept(client)
        want(origin.request().body == body, 'the body', size, origin.raw[-700:])
        origin.send(OK).close()
        client.response()


# ------------------------------------------------------------------ names that are none, but for Swift's metadata
table(ROW, refused, False, [
    ('utf-8-in-a-name-that-is-no-metadata', '9110 5.1', get(b'X-\xc3\xa4: 1', K), {'close': False}),
    ('bytes-that-are-no-utf-8-in-a-name', '9110 5.1', get(b'X-\xff\xfe: 1', K), {'close': False}),
    ('bytes-that-are-no-utf-8-in-metadata', '9110 5.1', get(b'X-Object-Meta-\xff: 1', K), {'close': False}),
    ('utf-8-behind-the-name-of-the-length', '9110 5.1', get(b'Content-Length\xc3\xa9: 5', K), {'close': False}),
    ('raw-byte-behind-the-name-of-the-coding', '9110 5.1', get(b'Transfer-Encoding\xff: chunked', K), {'close': False}),
    ('raw-byte-before-the-name-of-the-length', '9110 5.1', get(b'\xffContent-Length: 5', K), {'close': False}),
    ('raw-byte-behind-the-name-of-the-token', '9110 5.1', get(b'X-Auth-Token\xc2\xa0: mine', K), {'close': False}),
    ('raw-byte-behind-host', '9110 5.1', get(b'Host\xff: evil', K), {'close': False}),
    ('connection-names-a-field-with-utf-8', '9110 7.6.1', get(b'Connection: x-\xc3\xa4', b'X-\xc3\xa4: 1', K),
     {'close': False}),
])

# ------------------------------------------------------------------ Via and Max-Forwards
table(ROW, forwarded, False, [
    ('via', '9110 7.6.3', get(K), has(b'via', b'1.1 gatestone')),
    ('via-of-an-old-client', '9110 7.6.3', get(K, version=b'1.0'), has(b'via', b'1.0 gatestone')),
    ('via-behind-that-of-the-client', '9110 7.6.3', get(b'Via: 1.0 fred, 1.1 p.example', K), lambda m: want(
        [v.strip() for v in b','.join(m.all(b'via')).split(b',')] == [b'1.0 fred', b'1.1 p.example', b'1.1 gatestone'],
        'ours behind what was there', m.all(b'via'))),
    ('via-behind-two-lines-of-the-client', '9110 7.6.3', get(b'Via: 1.0 fred', b'Via: 1.1 p', K), lambda m: want(
        [v.strip() for v in b','.join(m.all(b'via')).split(b',')] == [b'1.0 fred', b'1.1 p', b'1.1 gatestone'],
        'ours behind what was there', m.all(b'via'))),
    ('via-named-by-connection', '9110 7.6.1', get(b'Connection: via', b'Via: 1.0 fred', K), has(b'via', b'1.1 gatestone')),
    ('max-forwards-of-get', '9110 7.6.2', get(b'Max-Forwards: 0', K), has(b'max-forwards', b'0')),
    ('max-forwards-of-put', '9110 7.6.2', get(b'Max-Forwards: 3', b'Content-Length: 0', method=b'PUT'),
     has(b'max-forwards', b'3')),
    ('max-forwards-of-options', '9110 7.6.2', get(b'Max-Forwards: 7', K, method=b'OPTIONS'), has(b'max-forwards', b'6')),
    ('max-forwards-one-of-options', '9110 7.6.2', get(b'Max-Forwards: 1', K, method=b'OPTIONS'), has(b'max-forwards', b'0')),
    ('options-without-max-forwards', '9110 7.6.2', get(K, method=b'OPTIONS'), lacks(b'max-forwards')),
])


def answered_here(p, sent):
    """OPTIONS that may not be forwarded further is answered by the proxy."""
    client = p.client(sent)
    origin = p.first(client)
    want(origin is None, 'an answer of the proxy', 'a request at the origin')
    message = client.response(b'OPTIONS')
    want(200 <= message.status < 300, 'success', message.start)
    p.nobody()


table(ROW, answered_here, False, [
    ('max-forwards-zero-of-options', '9110 7.6.2', get(b'Max-Forwards: 0', K, method=b'OPTIONS')),
    ('max-forwards-zero-and-a-body', '9110 7.6.2', get(b'Max-Forwards: 0', b'Content-Length: 2', method=b'OPTIONS') + b'ab'),
])

# ------------------------------------------------------------------ pages of others
table(ROW, refused, False, [
    ('foreign-origin', '6454 7', get(b'Origin: http://evil.example'), {'status': 403, 'reason': b'cross_site', 'close': False}),
    ('cross-site', '6454 7', get(b'Sec-Fetch-Site: cross-site'), {'status': 403, 'reason': b'cross_site', 'close': False}),
])
