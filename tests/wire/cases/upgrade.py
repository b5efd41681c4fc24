"""Upgrades: WebSocket is tunnelled, everything else stays HTTP/1.1."""
import time

from harness.play import BASE, GET, OK, case, want
from harness.ways import bad_gateway, has, lacks, table

ROW = 'upgrade'


def ask(*fields, protocol=b'websocket', connection=b'Upgrade', version=b'1.1', method=b'GET'):
    return (method + b' /object-store/x HTTP/' + version + b'\r\nHost: localhost\r\n' + (
        b'Connection: ' + connection + b'\r\n' if connection else b'') + (
        b'Upgrade: ' + protocol + b'\r\n' if protocol else b'') + b''.join(f + b'\r\n' for f in fields) + b'\r\n')


KEY = b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
VERSION = b'Sec-WebSocket-Version: 13'
SWITCH = (b'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
          b'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n')


def tunnel(p, sent=None, answer=SWITCH, early=b''):
    client = p.client((sent or ask(KEY, VERSION)) + early)
    origin = p.accept(client)
    head = origin.head()
    want(b'upgrade' in b','.join(head.all(b'connection')).lower(), 'Connection: Upgrade', head.fields)
    want([v.lower() for v in head.all(b'upgrade')] == [b'websocket'], 'Upgrade: websocket', head.fields)
    want(head.all(b'x-auth-token') == [p.token] and head.target == BASE + b'/x', 'our token, our path', head.fields)
    origin.send(answer)
    message = client.response()
    want(message.status == 101, '101', message.start)
    want([v.lower() for v in message.all(b'upgrade')] == [b'websocket'], 'Upgrade: websocket', message.fields)
    want(b'upgrade' in b','.join(message.all(b'connection')).lower(), 'Connection: Upgrade', message.fields)
    return client, origin, head, message


@case('6455 4.1')
def both_ways(p):
    client, origin, head, message = tunnel(p)
    want(head.get(b'sec-websocket-key') and head.get(b'sec-websocket-version') == b'13', 'the fields of it', head.fields)
    want(message.get(b'sec-websocket-accept'), 'the field of the answer', message.fields)
    for i in range(3):
        client.send(b'\x81ping%d' % i)
        want(origin.until(b'ping%d' % i) == b'\x81ping%d' % i, 'the bytes', origin.raw)
        origin.send(b'\x81pong%d' % i)
        want(client.until(b'pong%d' % i) == b'\x81pong%d' % i, 'the bytes', client.raw)


@case('9110 7.8')
def bytes_behind_the_request(p):
    """What a client sends early is not lost."""
    client, origin, _, _ = tunnel(p, early=b'early')
    client.send(b'late')
    want(origin.until(b'late') == b'earlylate', 'all bytes', origin.raw)


@case('9110 7.8')
def bytes_behind_the_answer(p):
    client, origin, _, _ = tunnel(p, answer=SWITCH + b'early')
    origin.send(b'late')
    want(client.until(b'late') == b'earlylate', 'all bytes', client.raw)


@case('9110 7.8')
def bytes_that_look_like_http(p):
    client, origin, _, _ = tunnel(p)
    client.send(GET)
    want(origin.until(b'\r\n\r\n') == GET, 'the bytes as they are', origin.raw)
    origin.send(OK)
    want(client.until(b'ok') == OK, 'the bytes as they are', client.raw)


@case('9110 7.8')
def a_megabyte_each_way(p):
    client, origin, _, _ = tunnel(p)
    up, down = client.pour(1 << 20, 32768), origin.pour(1 << 20, 32768)
    want(origin.take(1 << 20) == 1 << 20 and client.take(1 << 20) == 1 << 20, 'all of it')
    up.done()
    down.done()


@case('9110 7.8')
def origin_closes(p):
    client, origin, _, _ = tunnel(p)
    origin.send(b'bye').fin()
    want(client.until(b'bye') == b'bye', 'the last bytes', client.raw)
    client.ends(3)


@case('9110 7.8')
def client_closes(p):
    client, origin, _, _ = tunnel(p)
    client.send(b'bye').fin()
    want(origin.until(b'bye') == b'bye', 'the last bytes', origin.raw)
    origin.ends(3)


@case('9293 3.6', peers=False)
def end_of_one_direction_only(p):
    """After the client's FIN the origin can still send."""
    client, origin, _, _ = tunnel(p)
    client.send(b'bye').fin()
    want(origin.until(b'bye') == b'bye', 'the last bytes', origin.raw)
    origin.ends(3)
    time.sleep(0.2)
    origin.send(b'last words').fin()
    want(client.until(b'words') == b'last words', 'the bytes of the other direction', client.raw)
    client.ends(3)


@case('9293 3.6', peers=False)
def end_of_the_other_direction_only(p):
    client, origin, _, _ = tunnel(p)
    origin.send(b'bye').fin()
    want(client.until(b'bye') == b'bye', 'the last bytes', client.raw)
    client.ends(3)
    client.send(b'last words').fin()
    want(origin.until(b'words') == b'last words', 'the bytes of the other direction', origin.raw)


@case('9293 3.5.3')
def client_resets(p):
    client, origin, _, _ = tunnel(p)
    client.reset()
    origin.cut_off(3)


@case('9293 3.5.3')
def origin_resets(p):
    client, origin, _, _ = tunnel(p)
    origin.reset()
    client.cut_off(3)


@case('9110 7.8')
def protocol_in_other_letters(p):
    tunnel(p, ask(KEY, protocol=b'WebSocket', connection=b'keep-alive, UPGRADE'))


@case('9110 7.6.1', peers=False)
def fields_of_the_101(p):
    """The rules for fields hold here too."""
    _, _, _, message = tunnel(p, answer=SWITCH[:-2] + b'X-Auth-Token: secret\r\nStrict-Transport-Security: a\r\nX-A: 1\r\n\r\n')
    has(b'x-a', b'1')(message)
    lacks(b'x-auth-token', b'strict-transport-security')(message)


def refused_upgrade(p, answer):
    """It stays a connection like any other."""
    client = p.client(ask(KEY, VERSION))
    origin = p.accept(client)
    origin.head()
    origin.send(answer)
    message = client.response()
    want(message.status == int(answer[9:12]), 'the answer', message.start)
    time.sleep(0 if p.ours else 0.1)
    if client.waiting() or b'close' in (message.get(b'connection') or b''):
        client = p.client()
    p.ask(client, GET)
    other = p.next(client, origin)
    want(other.request().target == BASE + b'/x', 'the next request', other.raw)
    other.send(OK)
    want(client.response().body == b'ok', 'the next answer', client.raw)


table(ROW, refused_upgrade, True, [
    ('refused-by-403', '9110 7.8', b'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    ('refused-by-200', '9110 7.8', b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'),
    ('refused-by-426', '9110 15.5.22', b'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
     b'Content-Length: 2\r\n\r\nno'),
    ('refused-by-chunks', '9110 7.8', b'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'),
])


def no_upgrade(p, sent):
    """The request is served as if nothing had been asked."""
    client = p.client(sent)
    origin = p.first(client)
    if origin is None and not p.ours:
        want(400 <= client.response().status < 600, 'a refusal', client.raw)
        return
    request = origin.request()
    lacks(b'upgrade', b'http2-settings')(request)
    want(b'upgrade' not in b','.join(request.all(b'connection')).lower(), 'no Connection: Upgrade', request.fields)
    origin.send(OK)
    want(client.response().body == b'ok', 'the answer', client.raw)


table(ROW, no_upgrade, True, [
    ('h2c', '9113 3.1', ask(b'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA', protocol=b'h2c',
                            connection=b'Upgrade, HTTP2-Settings')),
    ('tls', '2817 3', ask(protocol=b'TLS/1.0')),
    ('unknown-protocol', '9110 7.8', ask(protocol=b'foo/2')),
    ('upgrade-that-connection-does-not-name', '9110 7.8', ask(KEY, connection=b'keep-alive')),
    ('upgrade-without-connection', '9110 7.8', ask(KEY, connection=b'')),
    ('connection-without-upgrade', '9110 7.8', ask(KEY, protocol=b'')),
    ('old-client', '9110 7.8', ask(KEY, version=b'1.0')),
])


def wrong(p, answer):
    bad_gateway(p, answer, ask=ask(KEY, VERSION), end='keep')


table(ROW, wrong, False, [
    ('origin-switches-to-another-protocol', '9110 7.8',
     b'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'),
    ('origin-switches-without-saying-to-what', '9110 7.8', b'HTTP/1.1 101 Switching Protocols\r\n\r\n'),
])
table(ROW, bad_gateway, True, [
    ('origin-switches-for-who-asked-for-h2c', '9110 7.8',
     b'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', {
         'ask': ask(b'HTTP2-Settings: AAMAAABk', protocol=b'h2c', connection=b'Upgrade, HTTP2-Settings'), 'end': 'keep'}),
    ('origin-switches-for-an-old-client', '9110 7.8', SWITCH, {'ask': ask(KEY, version=b'1.0'), 'end': 'keep'}),
])


@case('9110 7.8', peers=False)
def client_that_has_reset_before_the_answer(p):
    """The tunnel never begins, and nothing of it stays."""
    client = p.client(ask(KEY, VERSION), b'early', pause=0.2)
    origin = p.accept(client)
    origin.head()
    time.sleep(0.4)
    client.reset()
    time.sleep(0.2)
    origin.try_send(SWITCH)
    origin.ends(4)


@case('9110 5.1', peers=False)
def utf_8_in_a_name_of_the_answer(p):
    _, _, _, message = tunnel(p, answer=SWITCH[:-2] + b'X-\xc3\xa4: 1\r\n\r\n')
    want(message.get(b'x-\xc3\xa4') == b'1' and not message.all(b'x-~~'), 'the field as it came', message.fields)


@case('9110 7.8', peers=False)
def request_with_a_body(p):
    """It is an ordinary one, so that its body and a tunnel cannot be taken for each other."""
    for fields, body in ((b'Content-Length: 5', b'hello'), (b'Transfer-Encoding: chunked', b'5\r\nhello\r\n0\r\n\r\n')):
        client = p.client(ask(KEY, VERSION, fields) + body)
        origin = p.accept(client)
        request = origin.request()
        lacks(b'upgrade', b'connection')(request)
        want(request.body == b'hello', 'the body', request.body)
        origin.send(OK).close()
        want(client.response().status == 200, 'the answer', client.raw)
