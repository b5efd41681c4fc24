"""Compare two answers to the same request.

A difference is a line of text, told as real -> other: `status 404 -> 400`, `field etag missing`,
`field vary extra`, `field allow: GET -> HEAD`, `body kind html -> text`, `json $.a.b missing`,
`json $.a: string -> null`, `value $.error.code: 404 -> 400`, `text: "a" -> "b"`, `interim 100 -> none`.
"""
import json
import re

from truth import normal
from truth.differences import NEVER_COMPARED

ERRORS = ('$.error.code', '$.error.title')
# Values that are the cloud's own: another with each token; how its operator calls the stores.
FORM_ONLY = {'x-subject-token': '<token>', 'openstack-image-store-ids': '<names>'}
# A 204 and a 304 have no body to have a length (RFC 9110 8.6); Swift and gunicorn say 0 all the same.
WITHOUT_LENGTH = (204, 304)


class Side:
    """One cloud's answer, with what is only this cloud's made alike."""

    def __init__(self, exchange, values):
        self.request = exchange.request
        self.reply = exchange.reply
        self.values = values
        self.json = self.kind = None
        self.read()

    def read(self):
        """What kind of body it is, and its content if it is JSON."""
        body = self.reply.body.strip()
        if not body:
            self.kind = 'empty' if not self.reply.body else 'text'
            return
        try:
            self.json = json.loads(body)
            self.kind = 'json' if isinstance(self.json, (dict, list)) else 'text'
        except ValueError:
            self.kind = {b'<html>': 'html', b'<?xml ': 'xml'}.get(body[:6].lower(), 'text')

    @property
    def is_success(self):
        return 200 <= self.reply.status < 300

    def alike(self, text):
        return normal.alike(text, self.values)

    def fields(self):
        """Values by name; several of one name in one. A value that means nothing shows its form only."""
        found = {}
        for name, value in self.reply.fields:
            name = name.lower()
            if name in NEVER_COMPARED or (name == 'content-length' and self.reply.status in WITHOUT_LENGTH):
                continue
            value = self.alike(value)
            if name == 'allow':  # a set: Python's services write it in another order each time
                value = ', '.join(sorted(re.split(r',\s*', value)))
            found.setdefault(name, []).append(value if self.means(name) else form(name, value))
        return {name: ' | '.join(sorted(values)) for name, values in found.items()}

    def means(self, name):
        """Whether the value of a field says more than its form."""
        if name == 'content-length':
            # That of an object is what a HEAD tells; a body's own is seen with it.
            return self.request.method == 'HEAD' and self.is_success and self.reply.get('ETag') is not None
        return name not in FORM_ONLY and not any(matches(loose, name) for loose in self.request.loose)

    def text(self):
        return self.alike(self.reply.body.decode('utf-8', 'backslashreplace'))


def differences(real, other):
    """Every difference between two sides, the most telling first."""
    found = []
    if real.reply.status != other.reply.status:
        found.append('status %d -> %d' % (real.reply.status, other.reply.status))
    elif real.reply.reason.lower() != other.reply.reason.lower():
        found.append('reason %s -> %s' % (real.reply.reason, other.reply.reason))
    if real.reply.interim != other.reply.interim:
        found.append('interim %s -> %s' % tuple(
            '+'.join(map(str, side.reply.interim)) or 'none' for side in (real, other)))
    return found + list(fields(real, other)) + list(bodies(real, other))


def fields(real, other):
    theirs, ours = real.fields(), other.fields()
    for name in sorted(theirs.keys() - ours.keys()):
        yield 'field %s missing' % name
    for name in sorted(ours.keys() - theirs.keys()):
        yield 'field %s extra' % name
    for name in sorted(theirs.keys() & ours.keys()):
        if theirs[name] != ours[name]:
            yield 'field %s: %s -> %s' % (name, short(theirs[name]), short(ours[name]))


def form(name, value):
    """A token is a token, a number a number."""
    return FORM_ONLY.get(name) or re.sub(r'\d+', '<n>', value)


def bodies(real, other):
    if real.kind != other.kind:
        yield 'body kind %s -> %s' % (real.kind, other.kind)
    elif real.kind == 'json':
        yield from shapes(real, other)
        yield from values(real, other)
    elif real.is_success and real.text() != other.text():
        yield 'text: %s -> %s' % apart(real.text(), other.text())


def shapes(real, other):
    theirs, ours = ({}, {})
    for side, shape in ((real, theirs), (other, ours)):
        outline(side.json, '$', shape, side.request.maps)
    for path in sorted(theirs.keys() | ours.keys()):
        parent = re.sub(r'(\.[^.\[]*|\[\])$', '', path)
        if parent != path and (parent not in theirs or parent not in ours):
            continue  # said of what holds it
        if path not in ours or path not in theirs:
            yield 'json %s %s' % (path, 'missing' if path in theirs else 'extra')
        elif theirs[path] != ours[path]:
            yield 'json %s: %s -> %s' % (path, *('+'.join(sorted(s[path])) for s in (theirs, ours)))


def outline(value, path, shape, maps):
    """Types by path; the items of a list, and the entries of a map, are one."""
    shape.setdefault(path, set()).add(
        {dict: 'object', list: 'list', str: 'string', bool: 'bool', type(None): 'null'}.get(
            type(value), 'number'))
    if isinstance(value, dict):
        for key, item in value.items():
            outline(item, '%s.%s' % (path, '*' if path in maps else key), shape, maps)
    elif isinstance(value, list):
        for item in value:
            outline(item, path + '[]', shape, maps)


# Lists that Keystone makes of a set, in another order each time.
SETS = ('$.token.methods',)


def values(real, other):
    places = real.request.values or ()
    if not real.is_success:
        places = (*places, *ERRORS)
    for place in dict.fromkeys('$' if place == '*' else place for place in places):
        found = [at(side.json, place) for side in (real, other)]
        if place in SETS:
            found = [sorted(one) if isinstance(one, list) else one for one in found]
        theirs, ours = (json.dumps(one, sort_keys=True, ensure_ascii=False) for one in found)
        theirs, ours = real.alike(theirs), other.alike(ours)
        if theirs != ours:
            yield 'value %s: %s -> %s' % (place, *apart(theirs, ours))


def at(value, place):
    """What stands at `$.a[].b`: with `[]`, a list of what stands in each item."""
    for step in re.findall(r'\.([^.\[]+)|(\[\])', place):
        key, each = step
        if each:
            rest = place.partition('[]')[2]
            return [at(item, '$' + rest) for item in value] if isinstance(value, list) else None
        value = value.get(key) if isinstance(value, dict) else None
        place = place.partition('.' + key)[2]
    return value


def apart(theirs, ours):
    """Two texts, from a little before where they part."""
    start = next((n for n, (a, b) in enumerate(zip(theirs, ours)) if a != b), min(len(theirs), len(ours)))
    start = max(0, start - 15)
    return tuple(json.dumps(('...' if start else '') + short(text[start:]), ensure_ascii=False)
                 for text in (theirs, ours))


def short(text, limit=90):
    return text if len(text) <= limit else text[:limit] + '...'


def matches(pattern, text):
    """Whether the text is the pattern, in which `*` stands for anything."""
    return re.fullmatch('.*'.join(map(re.escape, pattern.split('*'))), text, re.DOTALL) is not None
