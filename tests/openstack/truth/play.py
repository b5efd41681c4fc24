"""Send the list to a cloud, one request after the other, and keep what it says."""
import json
import time
from dataclasses import dataclass

from support import wire
from truth.request import Request, content, fill


@dataclass(frozen=True)
class Exchange:
    """An entry, what was sent for it to this cloud, and what came back."""

    request: Request
    url: str
    fields: dict
    body: object
    reply: wire.Reply


def play(requests, cloud):
    """The exchanges, in order. Values that answers give go into `cloud.values`."""
    return [exchange(request, cloud.values) for request in requests]


def exchange(request, values):
    time.sleep(request.wait)
    url = request.url(values) if callable(request.url) else fill(request.url, values)
    fields = fill(request.fields, values)
    body = content(request.body, values)
    try:
        reply = wire.fetch(url, request.method, fields, body)
    except (OSError, ValueError, IndexError) as failure:
        raise RuntimeError('%s (%s %s): %r' % (request.name, request.method, url, failure)) from failure
    for name, place in request.save.items():
        found = saved(reply, place)
        if found is not None:
            values[name] = found
    return Exchange(request, url, fields, body, reply)


def saved(reply, place):
    """What stands at `field NAME` or `json a.b.c` of a reply, or None."""
    kind, _, where = place.partition(' ')
    if kind == 'field':
        return reply.get(where)
    try:
        found = json.loads(reply.body)
        for key in where.split('.'):
            found = found[int(key) if isinstance(found, list) else key]
    except (ValueError, LookupError, TypeError):
        return None
    return found
