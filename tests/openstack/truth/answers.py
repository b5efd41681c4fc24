"""Write down what a cloud was asked and what it said, for people to read."""
import json

BODY = 800
TOKENS = ('X-Auth-Token', 'X-Subject-Token', 'X-Storage-Token')


def markdown(exchanges, values):
    """A document: a heading for each entry, then both messages as they travelled."""
    lines = ['Placeholders: ' + ', '.join(
        '`{%s}` %s' % (name, known) for name, known in sorted(values.items())
        if isinstance(known, str) and 'token' not in name and len(known) < 90), '']
    subject = None
    for one in exchanges:
        head = one.request.name.partition(':')[0]
        if head != subject:
            subject = head
            lines += ['# ' + subject, '']
        lines += ['## ' + one.request.name, '', '```http', *sent(one), '', *received(one), '```', '']
    text = '\n'.join(lines)
    for name, known in values.items():
        if isinstance(known, str) and name.endswith('token'):
            text = text.replace(known, '{%s}' % name)
    return text


def sent(one):
    yield '%s %s' % (one.request.method, one.url)
    yield from ('%s: %s' % (k, one.request.fields[k] if k in TOKENS else short(v))
                for k, v in one.fields.items())
    if one.body is not None:
        pieces = one.body if isinstance(one.body, list) else None
        yield 'Transfer-Encoding: chunked' if pieces is not None else 'Content-Length: %d' % len(one.body)
        yield ''
        yield from body(b''.join(pieces) if pieces is not None else one.body)


def received(one):
    reply = one.reply
    yield from ('HTTP/1.1 %d' % status for status in reply.interim)
    yield 'HTTP/1.1 %d %s' % (reply.status, reply.reason)
    yield from ('%s: %s' % (k, short(v)) for k, v in reply.fields)
    if reply.body:
        yield ''
        yield from body(reply.body)


def short(text):
    return text if len(text) <= 150 else '%s... (%d characters)' % (text[:40], len(text))


def body(content):
    """The first of a body; JSON one key a line if it is short, else as little as shows its shape."""
    try:
        text = json.dumps(trimmed(json.loads(content)), indent=2, ensure_ascii=False)
        if text.count('\n') <= 4:
            text = content.decode()
    except ValueError:
        text = content.decode('utf-8', 'backslashreplace')
        if len(text) > BODY:
            text = text[:BODY] + '... (%d bytes)' % len(content)
    return text.replace('\r\n', '\\r\n').split('\n')


def trimmed(value, most=2):
    """The same with only the first entries of long lists and maps."""
    if isinstance(value, dict):
        kept = list(value.items())
        if len(kept) > 40:
            kept = [*kept[:10], ('...', '%d more' % (len(kept) - 10))]
        return {k: trimmed(v) for k, v in kept}
    if isinstance(value, list):
        return [trimmed(v) for v in value[:most]] + (
            ['... %d more' % (len(value) - most)] if len(value) > most else [])
    return value
