"""Listeners with settings of their own: pinned to a service, and behind a client secret."""
import re
import subprocess
from pathlib import Path

from support import expect, gatestone, wire
from support.cases import case

PINNED = ('--listen', 'object-store=127.0.0.1:0')
SECRET = 'a client secret of the tests'

# A session goes on after its token is gone, as after a restart of the proxy: the 401 makes it log in again.
SESSION = '''
import sys
from keystoneauth1 import session
from keystoneauth1.identity import v3

base, secret = sys.argv[1:]
auth = v3.Password(base + '/v3', username='nobody', password=secret, user_domain_name='Nowhere')
client = session.Session(auth)
where = {'service_type': 'object-store', 'region_name': 'GRA'}
assert client.get('', endpoint_filter=where).ok
first = client.get_token()
client.delete(base + '/v3/auth/tokens', headers={'X-Subject-Token': first})
assert client.get('', endpoint_filter=where).ok
assert client.get_token() != first
'''


def urls(proxy):
    """Where it listens, in order."""
    return re.findall(r'http://127\.0\.0\.1:\d+', proxy.ready_line)


def command(world, name, *arguments, **variables):
    """A stock client's command, which knows nothing but these variables."""
    return subprocess.run([Path(world.lab.python).parent / name, *arguments], text=True, capture_output=True,
                          env=gatestone.environment(variables), cwd=gatestone.nowhere(), timeout=120, check=False)


@case
def a_url_that_the_swift_command_signed_is_valid_at_a_pinned_listener(world):
    with gatestone.Proxy(world.lab.environment('demo'), *PINNED) as proxy:
        base = urls(proxy)[1]
        key = {'X-Container-Meta-Temp-URL-Key': 'a key of the tests'}
        expect.status(wire.fetch(base + '/signed', 'PUT', key), 201)
        expect.status(wire.fetch(base + '/signed/o', 'PUT', body=b'as it was'), 201)
        path = '/v1/AUTH_%s/signed/o' % world.lab.project
        for method, status in (('GET', 200), ('HEAD', 200), ('PUT', 201), ('GET', 200)):
            done = command(world, 'swift', 'tempurl', method, '600', path, key['X-Container-Meta-Temp-URL-Key'])
            signed = done.stdout.strip()
            expect.that(signed.startswith(path + '?temp_url_sig='), 'swift said %s%s' % (signed, done.stderr))
            body = b'anew' if method == 'PUT' else None
            expect.status(wire.fetch(base + signed, method, body=body), status)
            forged = signed.replace('temp_url_sig=', 'temp_url_sig=0')
            reply = wire.fetch(base + forged, method, body=body)
            expect.status(reply, 401)
            expect.equal(reply.get('X-Gatestone-Error'), None, 'who refused it')
        expect.equal(wire.fetch(base + signed).body, b'anew', 'what the signed PUT left')
        expect.status(wire.fetch(base + '/signed/o', 'DELETE'), 204)
        expect.status(wire.fetch(base + '/signed', 'DELETE'), 204)


@case
def a_pinned_listener_answers_as_swift_does(world):
    world.put('pinned', b'hello')
    with gatestone.Proxy(world.lab.environment('demo'), *PINNED) as proxy:
        base = urls(proxy)[1]
        root = world.swift[:world.swift.index('/v1/')]
        account = world.swift[len(root):]
        for ours, theirs in (('/', '/'), ('/cases/pinned', '/cases/pinned'), ('/cases?limit=1', '/cases?limit=1'),
                             (account + '/cases', '/cases'), ('/v3', '/v3'), ('/nothing/x', '/nothing/x')):
            for method in ('GET', 'HEAD'):
                real = world.direct.fetch(world.swift + theirs, method)
                expect.same(wire.fetch(base + ours, method), real)
        expect.same(wire.fetch(base + '/info'), world.direct.fetch(root + '/info'))
        done = command(world, 'swift', '--os-storage-url', base + account, '--os-auth-token', 'unused', 'stat', 'cases', 'pinned')
        expect.that(done.returncode == 0 and 'Content Length: 5' in done.stdout, done.stdout + done.stderr)


@case
def the_openstack_command_needs_the_client_secret_and_no_other_will_do(world):
    variables = dict(world.lab.environment('demo'), GATESTONE_CLIENT_SECRET=SECRET)
    with gatestone.Proxy(variables) as proxy:
        client = {'OS_AUTH_URL': proxy.url + '/v3', 'OS_USERNAME': 'nobody', 'OS_USER_DOMAIN_NAME': 'Nowhere',
                  'OS_PROJECT_NAME': 'demo', 'OS_PROJECT_DOMAIN_NAME': 'Default', 'OS_REGION_NAME': 'GRA',
                  'OS_IDENTITY_API_VERSION': '3'}
        for arguments in (('token', 'issue', '-f', 'value', '-c', 'project_id'), ('container', 'list'), ('image', 'list')):
            done = command(world, 'openstack', *arguments, OS_PASSWORD=SECRET, **client)
            expect.equal(done.returncode, 0, 'status of %s, %s' % (' '.join(arguments), done.stderr[-400:]))
        done = command(world, 'openstack', 'container', 'list', OS_PASSWORD='another secret', **client)
        expect.equal(done.returncode, 1, 'status with a wrong secret')
        expect.that('HTTP 401' in done.stderr and 'client secret' in done.stderr, done.stderr[-400:])
        done = subprocess.run([world.lab.python, '-c', SESSION, proxy.url, SECRET], text=True, capture_output=True,
                              env=gatestone.environment({}), cwd=gatestone.nowhere(), timeout=120, check=False)
        expect.equal((done.returncode, done.stderr), (0, ''), 'the session said %s' % done.stderr[-400:])
        real = {'X-Auth-Token': world.direct.token}
        for headers in ({}, {'X-Auth-Token': 'x'}, real):
            reply = wire.fetch(proxy.url + '/object-store', headers=headers)
            expect.own_error(reply, 401, 'client_refused')
            expect.equal(reply.get('WWW-Authenticate'), 'Keystone uri="%s/v3"' % proxy.url, 'challenge')
        for path in ('/-/livez', '/-/readyz', '/', '/v3'):
            expect.status(wire.fetch(proxy.url + path), 200)
        expect.that(SECRET not in proxy.logged() and SECRET not in proxy.ready_line, 'the secret was told')
