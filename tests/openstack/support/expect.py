"""What a case expects: a failed expectation says what was seen instead."""

# Fields that differ from one request to the next, and those of one connection.
VOLATILE = {'date', 'x-trans-id', 'x-openstack-request-id', 'connection', 'keep-alive'}


class Failure(Exception):
    """One expectation that did not hold."""


def that(holds, why):
    if not holds:
        raise Failure(why)


def equal(got, want, what):
    that(got == want, '%s is %s, not %s' % (what, shown(got), shown(want)))


def holds(text, part, what):
    that(part in text, '%s does not say %r: %s' % (what, part, shown(text)))


def status(reply, want, what='status'):
    that(reply.status == want, '%s is %d, not %d: %s' % (
        what, reply.status, want, shown(reply.get('X-Gatestone-Error') or reply.body)))


def own_error(reply, code, reason):
    """A reply of the proxy itself, in Keystone's shape, with its reason."""
    status(reply, code)
    equal(reply.get('X-Gatestone-Error'), reason, 'X-Gatestone-Error')


def lasting(reply):
    """The fields that must be the same however a reply came, sorted by name."""
    return sorted(((k.lower(), v) for k, v in reply.fields if k.lower() not in VOLATILE),
                  key=lambda kv: kv[0])


def same(got, want, ignore=()):
    """Status, fields and body of two replies are alike.

    Swift writes `Content-Length: 0` also where there is no body to have a length: a 204 must not
    (RFC 9110 8.6), and in a 304 it would be the length of the object.
    """
    equal(got.status, want.status, 'status')
    if got.status in (204, 304):
        ignore = (*ignore, 'content-length')
    ours = [kv for kv in lasting(got) if kv[0] not in ignore]
    theirs = [kv for kv in lasting(want) if kv[0] not in ignore]
    that(ours == theirs, 'fields differ: only ours %s, only theirs %s' % (
        [kv for kv in ours if kv not in theirs], [kv for kv in theirs if kv not in ours]))
    if 'body' not in ignore:
        that(got.body == want.body, 'bodies differ: %s and %s' % (shown(got.body), shown(want.body)))


def shown(value, limit=300):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + '...'
