"""The ways a simple case goes, so that it can be a row of a table.

`refused`     the client is answered by the proxy itself and the origin sees nothing
`forwarded`   the origin gets one request with one meaning, and the client the origin's answer
`broken`      the body of a request goes wrong: the origin never sees its end
`answered`    the origin's answer reaches the client
`bad_gateway` the origin's answer is none

Other proxies may do what an RFC lets a proxy do: answer with any 4xx or 5xx, or close, where a request may be
refused; answer with any 5xx, or cut, where an answer is none. `may` judges what they pass on instead, and
without it passing on is a failure. What is given as `ours` is asked of gatestone alone.
"""
import json
import re

from .conn import Ended, Failure, Malformed, Silent, short
from .play import BASE, GET, OK, add, want

ERRORS = {400: b'bad_request', 403: b'host_refused', 414: b'target_too_long', 417: b'expectation_failed',
          431: b'header_too_large', 501: b'coding_unknown'}


def own_answer(message, status, reason, close=True):
    """An answer of ours: Keystone's shape, and the word."""
    want(message.status == status, 'an answer with %d' % status, message.start)
    want(message.get(b'x-gatestone-error') == reason, 'X-Gatestone-Error: %s' % reason.decode(),
         message.get(b'x-gatestone-error'), message.start)
    want((message.get(b'content-type') or b'').startswith(b'application/json'), 'JSON', message.fields)
    if not message.body.startswith(b'{'):
        raise Failure('an error in JSON; seen: %s' % short(message.body))
    error = json.loads(message.body)['error']
    want(error['code'] == status and error['title'] and error['message'] and error['reason'] == reason.decode(),
         'an error in the shape of Keystone', message.body)
    if close:
        want(message.get(b'connection') == b'close', 'Connection: close', message.fields)


def no_last_chunk(data):
    """What the origin, or the client, got until the cut."""
    want(not re.search(rb'(?:^|\n)0+\r\n', data), 'no last chunk', data)


def method_of(sent):
    return sent.lstrip(b'\r\n').split(b' ')[0]


def refused(p, sent, status=400, reason=None, may=None, close=True, bare=False):
    """See above. `close`: ours closes. `bare`: an end without an answer will do for ours too."""
    pieces = sent if isinstance(sent, list) else [sent]
    client = p.client(*pieces)
    origin = p.first(client)
    if origin is not None:
        return passed_on(p, client, origin, method_of(pieces[0]), may)
    method = method_of(pieces[0])
    try:
        message = client.response(method if method == b'HEAD' else b'GET')
    except Ended:
        want(not p.ours or bare, 'an answer', client.raw, client.over)
        p.nobody()
        return None
    if p.ours:
        want(message.status == status, 'an answer with %d' % status, message.start)
        if not bare:
            own_answer(message, status, reason or ERRORS[status], close)
        if close:
            client.ends(3)
    else:
        want(400 <= message.status < 600, 'a refusal', message.start)
    p.nobody()
    return message


def passed_on(p, client, origin, method, may):
    try:
        request = origin.request(2)
    except Malformed as failure:
        raise Failure('it should have been refused; %s' % failure) from failure
    except Failure:
        # Not whole: the client must not be told that it was.
        want(not p.ours, 'nothing at the origin', origin.raw)
        origin.close()
        message = client.response(method, may_be_cut=True)
        want(message.status >= 400, 'a refusal', message.start)
        return None
    if may is None or p.ours:
        raise Failure('it should have been refused; the origin got %s' % short(origin.raw, 400))
    as_it_should(p, request)
    may(request)
    origin.send(OK)
    message = client.response(method)
    want(message.status == 200, 'the answer 200', message.start)
    return None


def as_it_should(p, request):
    """What holds for each request that reaches the origin."""
    want(request.target.startswith(BASE), 'a target below %s' % BASE.decode(), request.start)
    want(request.start.endswith(b' HTTP/1.1'), 'HTTP/1.1', request.start)
    want(request.all(b'host') == [p.origin_authority], 'the Host of the origin, once', request.fields)
    want(request.all(b'x-auth-token') == [p.token], 'our X-Auth-Token, once', request.fields)


def forwarded(p, sent, *checks, ours=(), or_refused=False, answer=OK, status=200):
    """See above. `or_refused`: others may refuse it."""
    pieces = sent if isinstance(sent, list) else [sent]
    client = p.client(*pieces)
    origin = p.accept(client) if p.ours or not or_refused else p.first(client)
    if origin is None:
        want(400 <= client.response().status < 600, 'a refusal', client.raw)
        return None
    request = origin.request()
    as_it_should(p, request)
    for check in (*checks, *(ours if p.ours else ())):
        check(request)
    origin.quiet(0.03)
    origin.send(answer)
    message = client.response(request.method)
    want(message.status == status, 'the answer %d' % status, message.start)
    return message


def broken(p, sent, status=400, then=b''):
    """See above. The origin asks for the body where it is asked to, and never answers."""
    client = p.client(*(sent if isinstance(sent, list) else [sent]))
    origin = p.first(client)
    if origin is not None:
        try:
            request = origin.request(3)
        except Ended:
            pass
        except Malformed as failure:
            raise Failure('a bad chunk was passed on: %s' % failure) from failure
        except Silent:
            if origin.raw:  # a connection on which nothing is asked does no harm
                raise Failure('the origin saw no cut but has %s' % short(origin.raw, 400)) from None
        else:
            raise Failure('the origin got a whole request: %s, body %s' % (request.start, short(request.body)))
        origin.close()
    if then:
        client.try_send(then)
    try:
        message = client.response(b'GET')
    except Ended:
        want(not p.ours or not status, 'an answer with %d' % status, client.raw, client.over)
        return
    if p.ours and status:
        own_answer(message, status, ERRORS[status])
    else:
        want(400 <= message.status < 600, 'a refusal', message.start)
    p.nobody(0.05)


def answered(p, raw, *checks, ask=GET, end='keep', again=None, ours=(), status=None, or_error=False):
    """See above. `end`: what the origin does after it. `again`: whether its connection is used again.
    `or_error`: others may take it for no answer."""
    pieces = raw if isinstance(raw, list) else [raw]
    client = p.client(ask)
    origin = p.accept(client)
    request = origin.request()
    origin.send(*pieces)
    if end == 'close':
        origin.fin()
    elif end == 'reset':
        origin.reset()
    if or_error:
        p.once_again(client, pieces, end)
    message = client.response(request.method)
    if or_error and not p.ours and message.status >= 500:
        return message
    want(message.status == (status or 200), 'the answer %d' % (status or 200), message.start)
    for check in (*checks, *(ours if p.ours else ())):
        check(message)
    if again:
        once_more(p, client, origin, again, message)
    elif message.framing != 'close' and not client.over and end == 'keep':
        client.quiet(0.03)
    return message


SECOND = b'GET /object-store/second HTTP/1.1\r\nHost: localhost\r\n\r\n'


def once_more(p, client, origin, again, message=None):
    """A second request, and its answer. Ours sends it on a fresh connection, or on the same, as `again` says;
    for others it is enough that the answer is the right one."""
    ended = client.over or message and (message.framing == 'close' or (
        b'close' in (message.get(b'connection') or b'').lower()))
    if ended:
        client = p.client(SECOND)
    else:
        p.ask(client, SECOND)
    other = p.next(client, origin)
    if again == 'fresh' and p.ours:
        want(other is not origin, 'the origin\'s connection is not used again', bytes(origin.raw[origin.at:]))
    elif again == 'reused' and p.ours:
        want(other is origin, 'the origin\'s connection is used again', 'a new one')
    request = other.request()
    want(request.target == BASE + b'/second', 'the second request', request.start)
    other.send(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Which: second\r\n\r\nsecond')
    message = client.response()
    want(message.body == b'second' and message.get(b'x-which') == b'second', 'the second answer', message.start,
         message.body)


def bad_gateway(p, raw, ask=GET, end='close', may=None, either=None, status=502):
    """See above. `either` judges an answer that gatestone too may pass on."""
    pieces = raw if isinstance(raw, list) else [raw]
    client = p.client(ask)
    origin = p.accept(client)
    request = origin.request()
    origin.try_send(b''.join(pieces))
    if end == 'close':
        origin.fin()
    elif end == 'reset':
        origin.reset()
    p.once_again(client, pieces, end)
    try:
        message = client.response(request.method, may_be_cut=True)
    except Ended:
        want(not p.ours, 'an answer with %d' % status, client.raw, client.over)
        return None
    if message.status == status and (not p.ours or message.get(b'x-gatestone-error')):
        if p.ours:
            want(message.get(b'x-gatestone-error').startswith(b'upstream_'), 'X-Gatestone-Error: upstream_*',
                 message.fields)
    elif either is not None:
        either(message)
    elif may is not None and not p.ours and message.status < 500:
        may(message)
    else:
        want(not p.ours and (message.status >= 500 or message.cut), 'an answer with %d' % status, message.start,
             message.body, message.cut)
    return message


# ---------------------------------------------------------------------- tables
def table(row, way, peers, rows):
    """Add rows `(name, rule, bytes, {options})`."""
    for name, rule, sent, *rest in rows:
        checks = [r for r in rest if not isinstance(r, dict)]
        options = next((r for r in rest if isinstance(r, dict)), {})
        for_peers = options.pop('peers', peers)

        def play(p, way=way, sent=sent, checks=checks, options=options):
            way(p, sent, *checks, **options)
        add(row, name, rule, play, for_peers)


# ---------------------------------------------------------------------- checks on a message
def line(exact):
    def check(m):
        want(m.start == exact, 'the first line %r' % exact, m.start)
    return check


def has(name, *values):
    """The field has exactly these lines."""
    def check(m):
        want(m.all(name) == list(values), '%s: %r' % (name.decode('latin-1'), list(values)), m.all(name))
    return check


def spelt(*pairs):
    """These names and values stand there in this spelling."""
    def check(m):
        for pair in pairs:
            want(pair in m.fields, 'the line %r' % b': '.join(pair), m.fields)
    return check


def lacks(*names):
    def check(m):
        for name in names:
            want(not m.all(name), 'no %s' % name.decode('latin-1'), m.all(name))
    return check


def lacks_bytes(*parts):
    """None of these bytes stand in a name or value."""
    def check(m):
        for part in parts:
            found = [f for f in m.fields + m.trailers if part in f[0].lower() + b':' + f[1].lower()]
            want(not found, 'no %r' % part, found)
    return check


def body(exact):
    def check(m):
        want(m.body == exact, 'the body %s' % short(exact, 60), m.body)
    return check


def framed(*ways):
    def check(m):
        want(m.framing in ways, 'framing by %s' % ' or '.join(ways), m.framing, m.fields)
    return check


def trailers(*pairs):
    def check(m):
        seen = [(k.lower(), v) for k, v in m.trailers]
        want(seen == list(pairs), 'the trailers %r' % (pairs,), seen)
    return check


def order(*names):
    """These fields stand in this order."""
    def check(m):
        seen = [k.lower() for k, _ in m.fields if k.lower() in names]
        want(seen == list(names), 'the order %r' % (names,), seen)
    return check


def any_of(*checks):
    """One of these holds."""
    def check(m):
        failures = []
        for each in checks:
            try:
                return each(m)
            except Failure as failure:
                failures.append(str(failure))
        raise Failure(' | '.join(failures))
    return check


def all_of(*checks):
    def check(m):
        for each in checks:
            each(m)
    return check


def anything(_):
    """Whatever it is, as long as it has one meaning."""
