"""An entry of the list: one request, as data."""
import json
import re
from dataclasses import dataclass, field

PLACE = re.compile(r'\{([a-z_0-9]+)\}')


@dataclass(frozen=True)
class Request:
    """One request. Where text says `{name}`, the cloud's value of that name comes in.

    `body` is bytes, text, an object for JSON, or a `Chunked`. `save` names values for later entries and says
    where they are: `field X-Subject-Token` or `json token.user.id`.

    Status, reason, field names, field values and JSON shape are always compared, and text and bytes of a
    success. On top of it `values` compares these places of a JSON body (all of them: `*`), `maps` are places
    whose keys are names rather than fields, and `loose` are response fields whose value is not compared.
    """

    name: str
    method: str
    url: object
    fields: dict = field(default_factory=dict)
    body: object = None
    save: dict = field(default_factory=dict)
    values: tuple = ()
    maps: tuple = ()
    loose: tuple = ()
    wait: float = 0


@dataclass(frozen=True)
class Chunked:
    """A body without a length, in these pieces."""

    pieces: tuple


def subject(name, base, **common):
    """A list, and what adds an entry to it: `name` begins its name, `base` its URL, `common` are its fields."""
    entries = []

    def ask(title, method, path='', body=None, token='{token}', fields=None, **options):
        sent = dict(common, **(fields or {}))
        if token:
            sent = {'X-Auth-Token': token, **sent}
        if isinstance(body, (dict, list)) and not any(k.lower() == 'content-type' for k in sent):
            sent['Content-Type'] = 'application/json'
        if isinstance(path, str) and not path.startswith('{'):
            path = base + path
        entries.append(Request('%s: %s' % (name, title), method, path, sent, body, **options))

    return entries, ask


def fill(given, values):
    """The same with `{name}` replaced, in keys and items as well."""
    if isinstance(given, str):
        return PLACE.sub(lambda found: value(values, found[1]), given)
    if isinstance(given, dict):
        return {fill(k, values): fill(v, values) for k, v in given.items()}
    if isinstance(given, (list, tuple)):
        return [fill(one, values) for one in given]
    return given


def value(values, name):
    """A value by name; one that an earlier answer should have given and did not is said so."""
    known = values.get(name, 'missing-' + name)
    return str(known() if callable(known) else known)


def content(body, values):
    """A body as it is sent: bytes, an iterable of bytes, or None."""
    if isinstance(body, Chunked):
        return list(body.pieces)
    if isinstance(body, str):
        return fill(body, values).encode()
    if isinstance(body, (dict, list)):
        return json.dumps(fill(body, values)).encode()
    return body
