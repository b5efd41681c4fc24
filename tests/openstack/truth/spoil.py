"""Proof that the comparison would notice: an answer spoiled in one place differs from itself unspoiled.

Every answer is spoiled in every way that applies; a way that goes unnoticed is a failure of the comparison.
"""
import copy
import json
from dataclasses import replace

from truth import normal
from truth.compare import WITHOUT_LENGTH, Side, differences
from truth.differences import NEVER_COMPARED


def unnoticed(exchanges, values):
    """(how many ways were tried, those that no difference came of)."""
    known = normal.known(values)
    tried, missed = 0, []
    for one in exchanges:
        real = Side(one, known)
        for way, reply in ways(one.reply, real):
            tried += 1
            if not differences(real, Side(replace(one, reply=reply), known)):
                missed.append('%s: %s' % (one.request.name, way))
    return tried, missed


def ways(reply, real):
    """Replies that are spoiled, each with what was done to it."""
    yield 'another status', replace(reply, status=reply.status + 1)
    yield 'another reason', replace(reply, reason=reply.reason + ' or so')
    yield 'a 100 Continue more', replace(reply, interim=[*reply.interim, 100])
    yield 'a field more', replace(reply, fields=[*reply.fields, ('X-More', '1')])
    for n, (name, value) in enumerate(reply.fields):
        if name.lower() in NEVER_COMPARED or (
                name.lower() == 'content-length' and reply.status in WITHOUT_LENGTH):
            continue
        rest = reply.fields[:n] + reply.fields[n + 1:]
        yield 'without ' + name, replace(reply, fields=rest)
        yield name + ' twice', replace(reply, fields=[*reply.fields, (name, value)])
    yield from bodies(reply, real)


def bodies(reply, real):
    """Other bodies, where the body is compared."""
    if reply.body:
        yield 'no body', replace(reply, body=b'')
    if real.kind == 'json':
        for way, content in contents(real.json, real.request.maps):
            yield way, replace(reply, body=json.dumps(content).encode())
    elif real.kind != 'empty' and real.is_success:
        yield 'another last byte', replace(reply, body=reply.body[:-1] + b'\x01')
    elif real.kind == 'html':
        yield 'text for HTML', replace(reply, body=b'text')
    elif real.kind == 'text':
        yield 'HTML for text', replace(reply, body=b'<html><p>no</p></html>')


def contents(whole, maps):
    """The JSON without each of its keys, and with each of its leaves of another type.

    Of a list, the first item stands for all, and is alone so that the others do not fill in for it.
    """
    for keys in places(whole, maps):
        alone = copy.deepcopy(whole)
        holder = alone
        for key in keys[:-1]:
            if isinstance(holder, list):
                del holder[1:]
            holder = holder[key]
        if isinstance(holder, list):
            continue
        was = holder.pop(keys[-1])
        yield 'without %s' % (keys,), alone
        if not isinstance(was, (dict, list)):
            again = copy.deepcopy(alone)
            holder = again
            for key in keys[:-1]:
                holder = holder[key]
            holder[keys[-1]] = 0 if isinstance(was, str) else 'no'
            yield 'another type of %s' % (keys,), again


def places(value, maps, path='$', before=()):
    """The way to every value in a JSON: the first item of a list, the first ten fields of an object.

    It does not lead into maps, whose entries stand for each other.
    """
    if isinstance(value, dict) and path not in maps:
        for key in list(value)[:10]:
            yield (*before, key)
            yield from places(value[key], maps, '%s.%s' % (path, key), (*before, key))
    elif isinstance(value, list) and value:
        yield (*before, 0)
        yield from places(value[0], maps, path + '[]', (*before, 0))


def a_little(n, one):
    """Every tenth answer spoiled, in ways that take turns: the control of the whole comparison."""
    if n % 10:
        return one
    found = list(ways(one.reply, Side(one, [])))
    return replace(one, reply=found[n // 10 % len(found)][1])
