"""Rules, in front of a Swift that would do what they deny."""
import subprocess
import tempfile
from pathlib import Path

from support import expect, gatestone, wire
from support.cases import case

RULES = '''
[[rule]]
action = "deny"
service = "swift"
path = "/cases/private/**"
[[rule]]
action = "deny"
service = "object-store"
method = "DELETE"
'''

# How else the object is read or written, and objects are deleted: method, path below the container, fields, body.
WAYS = [
    ('PUT', '/public/copy', {'X-Copy-From': 'cases/private/o'}, b''),
    ('PUT', '/public/copy', {'X-Copy-From': '/cases%2Fprivate%2Fo'}, b''),
    ('COPY', '/private/o', {'Destination': 'cases/public/copy'}, None),
    ('COPY', '/public/o', {'Destination': 'cases/private/o'}, None),
    ('COPY', '/public/o', {'Destination': '/cases/%70rivate/o'}, None),
    ('PUT', '/public/copy', {'X-Object-Manifest': 'cases/private/'}, b''),
    ('PUT', '/public/copy', {'X-Symlink-Target': 'cases/private/o'}, b''),
    ('PUT', '/public/copy?multipart-manifest=put', {}, b'[{"path": "/cases/private/o"}]'),
    ('POST', '/public/o', {'X-Delete-After': '1'}, b''),
    ('POST', '?bulk-delete', {'Content-Type': 'text/plain'}, b'/cases/public/o\n'),
    ('GET', '/%70rivate/o', {}, None),
    ('GET', '/private%2Fo', {}, None),
]


def with_rules(world, rules, *arguments):
    folder = tempfile.TemporaryDirectory(prefix='gatestone-rules-')
    file = Path(folder.name) / 'gatestone.toml'
    file.write_text(rules)
    proxy = gatestone.Proxy(world.lab.environment('demo'), '--config', str(file), *arguments)
    proxy.folder = folder
    return proxy


@case
def what_rules_deny_cannot_be_had_in_other_words_which_swift_would_understand(world):
    world.put('private/o', b'private')
    world.put('public/o', b'public')
    world.direct.fetch(world.theirs + '/public/copy', 'DELETE')
    with with_rules(world, RULES) as proxy:
        base = proxy.url + '/object-store/cases'
        for method, path, fields, body in WAYS:
            reply = wire.fetch(base + path, method, fields, body)
            expect.equal((reply.status, reply.get('X-Gatestone-Error')), (403, 'rule_denied'),
                         '%s %s %s' % (method, path, fields))
        expect.equal(world.direct.fetch(world.theirs + '/private/o').body, b'private', 'the private object')
        expect.equal(wire.fetch(base + '/public/o').body, b'public', 'the public one, through the proxy')
        expect.status(world.direct.fetch(world.theirs + '/public/copy', 'HEAD'), 404)
    # Each of them is a way indeed: Swift takes it.
    for method, path, fields, body in WAYS:
        reply = wire.fetch(world.ours + path, method, fields, body)
        expect.that(200 <= reply.status < 300, '%s %s %s without rules: %d' % (method, path, fields, reply.status))
        world.put('private/o', b'private')
        world.put('public/o', b'public')


@case
def stock_clients_read_through_a_proxy_that_only_reads(world):
    world.put('read', b'to be read')
    with with_rules(world, '', '--read-only') as proxy:
        def swift(*arguments):
            return subprocess.run(
                [Path(world.lab.python).parent / 'swift', *arguments], text=True, capture_output=True,
                cwd=gatestone.nowhere(), timeout=120, check=False, env=gatestone.environment({
                    'ST_AUTH': proxy.url + '/auth/v1.0', 'ST_USER': 'x', 'ST_KEY': 'x'}))
        done = swift('download', 'cases', 'read', '-o', '-')
        expect.equal((done.returncode, done.stdout), (0, 'to be read'), 'download: %s' % done.stderr)
        done = swift('delete', 'cases', 'read')
        expect.that(done.returncode != 0, 'delete passed')
        done = swift('post', 'a-new-container')
        expect.that(done.returncode != 0 and '403' in done.stderr, 'post: %s' % done.stderr)
        expect.status(world.direct.fetch(world.theirs + '/read', 'HEAD'), 200)
        key = {'X-Account-Meta-Temp-URL-Key': 'a key of the tests'}
        expect.status(world.direct.fetch(world.swift, 'POST', key), 204)
        try:
            expect.equal(wire.fetch(proxy.url + '/object-store', 'HEAD').get('X-Account-Meta-Temp-URL-Key'), None,
                         'the key where nothing is written')
            expect.equal(wire.fetch(world.proxy.url + '/object-store', 'HEAD').get('X-Account-Meta-Temp-URL-Key'),
                         key['X-Account-Meta-Temp-URL-Key'], 'the key elsewhere')
        finally:
            world.direct.fetch(world.swift, 'POST', {'X-Account-Meta-Temp-URL-Key': ''})
