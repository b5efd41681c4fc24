"""The local faces of Keystone and Swift: clients that know nothing but an auth URL."""
import json
import subprocess
import tempfile
from pathlib import Path

from support import expect, gatestone, wire
from support.cases import case
from support.direct import password

JSON = {'Content-Type': 'application/json'}

# Without a credential: an object goes there and back in each region, and images are listed.
CLIENT = '''
import sys
import openstack
from keystoneauth1 import session
from keystoneauth1.identity import generic, v3

base, project = sys.argv[1:]
who = {'username': 'nobody', 'password': 'nothing', 'user_domain_name': 'Nowhere'}
held = {'project_name': 'demo', 'project_domain_name': 'Default'}
for auth in (generic.Password(base, **who, **held), generic.Password(base + '/identity', **who, **held),
             v3.Password(base + '/v3', **who), v3.Password(base + '/keystone/v3/', project_id=project, **who),
             v3.Token(base + '/v3', 'anything'),
             v3.ApplicationCredential(base + '/v3', 'anything', application_credential_id='any'),
             v3.MultiFactor(base + '/v3', ['v3password', 'v3totp'], passcode='1', **who)):
    access = auth.get_access(session.Session(auth))
    assert access.project_id == project and access.role_names and access.has_service_catalog()
unscoped = v3.Password(base + '/v3', unscoped=True, **who)
assert unscoped.get_access(session.Session(unscoped)).project_id is None
for region in ('GRA', 'SBG'):
    cloud = openstack.connect(auth_url=base + '/v3', region_name=region, **who, **held)
    cloud.create_container('face')
    cloud.create_object('face', region, data=region.encode())
    assert cloud.object_store.download_object(region, container='face') == region.encode()
    cloud.delete_object('face', region)
    cloud.delete_container('face')
    list(cloud.image.images())
'''


def log_in(world, scope=None, path='/v3/auth/tokens'):
    """Any user and password will do."""
    identity = password({'name': 'nobody', 'domain': 'Nowhere', 'password': 'nothing'})
    auth = {'identity': identity} | ({'scope': scope} if scope else {})
    return wire.fetch(world.proxy.url + path, 'POST', JSON, json.dumps({'auth': auth}).encode())


@case
def a_login_with_any_password_shows_what_keystone_shows(world):
    reply = log_in(world)
    expect.status(reply, 201)
    ours, theirs = json.loads(reply.body)['token'], world.direct.facts
    for part in ('user', 'project', 'roles', 'is_domain', 'methods'):
        expect.equal(ours[part], theirs[part], part)
    expect.equal(sorted(ours), sorted(theirs), 'parts of the token')

    def listed(catalog):
        return {(s['type'], s['name'], e['interface'], e['region']) for s in catalog for e in s['endpoints']}
    expect.equal(listed(ours['catalog']), listed(theirs['catalog']), 'endpoints')
    for service in ours['catalog']:
        for endpoint in service['endpoints']:
            expect.that(endpoint['url'].startswith(world.proxy.url + '/'), '%s leads elsewhere' % endpoint['url'])


@case
def version_documents_are_keystones_but_for_the_address(world):
    root = world.lab.facts['auth_url'].removesuffix('/v3')
    for ours, theirs, here in (('/identity/', '/', '/identity'), ('/v3', '/v3', ''), ('/v3/', '/v3/', '')):
        for method in ('GET', 'HEAD'):
            reply = wire.fetch(world.proxy.url + ours, method)
            real = wire.fetch(root + theirs, method)
            expect.equal(reply.status, real.status, 'status of ' + ours)
            if method == 'GET':
                text = real.body.decode().replace(root, world.proxy.url + here)
                expect.equal(json.loads(reply.body), json.loads(text), ours)
    home = {'Accept': 'application/json-home'}
    expect.equal(wire.fetch(world.proxy.url + '/v3', headers=home).body,
                 wire.fetch(root + '/v3', headers=home).body, 'JSON-Home')


@case
def a_local_token_is_known_here_and_to_nobody_else(world):
    token = log_in(world).get('X-Subject-Token')
    about = {'X-Subject-Token': token}
    url = world.proxy.url + '/v3/auth/tokens'
    expect.status(wire.fetch(url, headers=about), 200)
    expect.status(world.direct.fetch(world.lab.facts['auth_url'] + '/auth/tokens', headers=about), 404)
    expect.status(wire.fetch(world.swift, headers={'X-Auth-Token': token}), 401)
    expect.status(wire.fetch(url, 'DELETE', about), 204)
    expect.status(wire.fetch(url, headers=about), 404)


@case
def only_the_held_scope_is_given(world):
    held = {'project': {'name': 'DEMO', 'domain': {'name': 'default'}}}
    expect.status(log_in(world, held), 201)
    other = {'project': {'id': world.lab.facts['projects']['alt']}}
    for scope in (other, {'domain': {'id': 'default'}}, {'system': {'all': True}}):
        expect.own_error(log_in(world, scope), 401, 'wrong_scope')
    unscoped = json.loads(log_in(world, 'unscoped').body)['token']
    expect.equal([part for part in ('project', 'roles', 'catalog') if part in unscoped], [], 'parts with a scope')


@case
def lists_of_scopes_are_keystones(world):
    for name in ('projects', 'domains', 'system'):
        ours = json.loads(wire.fetch(world.proxy.url + '/v3/auth/' + name).body)
        theirs = json.loads(world.direct.fetch(world.lab.facts['auth_url'] + '/auth/' + name).body)
        expect.equal([(it.get('id'), it.get('name')) for it in ours[name]],
                     [(it.get('id'), it.get('name')) for it in theirs[name]], name)
        expect.equal(sorted(ours['links']), sorted(theirs['links']), 'links of ' + name)


@case
def the_token_held_can_neither_be_shown_nor_revoked(world):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'token')
        environment = dict(world.lab.environment('demo'), GATESTONE_TOKEN_FILE=str(file))
        with gatestone.Proxy(environment) as proxy:
            token = file.read_text().strip()
            expect.status(world.direct.fetch(
                world.lab.facts['auth_url'] + '/auth/tokens', headers={'X-Subject-Token': token}), 200)
            for path in ('/v3/auth/tokens', '/identity//auth/tokens/', '/keystone/v3/auth/%2574okens',
                         '/identity/%76%33/auth/tokens', '/image/v3/auth/tokens', '/identity@SBG/auth/tokens'):
                for method in ('GET', 'HEAD', 'DELETE'):
                    reply = wire.fetch(proxy.url + path, method, {'X-Subject-Token': token})
                    expect.status(reply, 404, '%s %s' % (method, path))
            expect.status(wire.fetch(proxy.url + '/identity/v2.0/tokens/' + token, 'DELETE'), 404)
            expect.status(world.direct.fetch(
                world.lab.facts['auth_url'] + '/auth/tokens', headers={'X-Subject-Token': token}), 200)


@case
def stock_clients_need_an_auth_url_and_nothing_else(world):
    done = subprocess.run([world.lab.python, '-c', CLIENT, world.proxy.url, world.lab.project], text=True,
                          env=gatestone.environment({}), cwd=gatestone.nowhere(), capture_output=True,
                          timeout=120, check=False)
    expect.equal((done.returncode, done.stdout), (0, ''), 'the client said %s' % done.stderr[-600:])


@case
def swift_clients_log_in_by_v1_and_v2_in_each_region(world):
    """python-swiftclient's own command: segmented upload, stat, list, download, info, delete."""
    url = world.proxy.url
    v1 = {'ST_USER': 'any', 'ST_KEY': 'any'}
    v2 = {'ST_AUTH_VERSION': '2.0', 'OS_USERNAME': 'any', 'OS_PASSWORD': 'any'}
    ways = [('v1', dict(v1, ST_AUTH=url + '/auth/v1.0')),
            ('v1-sbg', dict(v1, ST_AUTH=url + '/auth@SBG/v1/any/auth')),
            ('v2', dict(v2, OS_AUTH_URL=url + '/identity/', OS_TENANT_ID=world.lab.project)),
            ('v2-sbg', dict(v2, OS_AUTH_URL=url + '/v2.0/', OS_TENANT_NAME='Demo', OS_REGION_NAME='SBG'))]
    for name, variables in ways:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, 'o').write_bytes(b'0123456789' * 300)

            def swift(*arguments):
                done = subprocess.run([str(Path(world.lab.python).with_name('swift')), *arguments], cwd=folder,
                                      env=gatestone.environment(variables), text=True, capture_output=True,
                                      timeout=120, check=False)
                expect.equal((done.returncode, done.stderr), (0, ''), '%s: swift %s' % (name, ' '.join(arguments)))
                return done.stdout
            container = 'face-' + name
            swift('upload', container, 'o', '--segment-size', '1000')
            expect.that('Content Length: 3000' in swift('stat', container, 'o'), name + ': length')
            expect.equal(swift('list', container), 'o\n', name + ': list')
            expect.that(container + '_segments\n' in swift('list'), name + ': segments')
            swift('download', container, 'o', '-o', 'back')
            expect.equal(Path(folder, 'back').read_bytes(), Path(folder, 'o').read_bytes(), name + ': object')
            # Only this Swift has it: what is there is asked without the proxy.
            region = 'SBG' if name.endswith('sbg') else 'GRA'
            reply = wire.fetch('%s/object-store@%s/%s' % (url, region, container), 'HEAD')
            expect.status(reply, 204, name + ': container in ' + region)
            expect.that('Core: swift' in swift('info'), name + ': info')
            swift('delete', container)
            swift('delete', container + '_segments')


@case
def v1_logins_are_answered_as_tempauth_does(world):
    reply = wire.fetch(world.proxy.url + '/auth/v1.0', headers={'X-Auth-User': 'a:b', 'X-Auth-Key': 'c'})
    expect.status(reply, 200)
    token = reply.get('X-Auth-Token')
    expect.equal(reply.get('X-Storage-Token'), token, 'X-Storage-Token')
    expect.equal(reply.get('X-Storage-Url'), '%s/object-store/v1/AUTH_%s' % (world.proxy.url, world.lab.project),
                 'X-Storage-Url')
    expect.equal(reply.get('X-Auth-Token-Expires'), '86400', 'X-Auth-Token-Expires')
    expect.status(wire.fetch(world.swift, headers={'X-Auth-Token': token}), 401)
    expect.status(wire.fetch(world.proxy.url + '/auth/v1.0', 'POST'), 405)
    expect.own_error(wire.fetch(world.proxy.url + '/auth@NOWHERE/v1.0'), 404, 'no_such_region')


# What keystoneauth reads of a token of v2.0, and what its plugins do with one.
OLD_CLIENT = '''
import sys
from keystoneauth1 import discover, session
from keystoneauth1.identity import generic, v2

base, project = sys.argv[1:]
for auth in (v2.Password(base + '/v2.0', username='any', password='any'),
             v2.Password(base + '/identity/v2.0', username='any', password='any', tenant_name='demo'),
             v2.Token(base + '/v2.0', 'any', tenant_id=project),
             generic.Password(base + '/v2.0', username='any', password='any', tenant_name='demo')):
    there = session.Session(auth)
    access = auth.get_access(there)
    assert access.version == 'v2.0' and access.project_id == project and access.role_names, access
    assert 86390 < (access.expires - access.issued).total_seconds() <= 86401
    for region in ('GRA', 'SBG'):
        url = there.get_endpoint(service_type='object-store', interface='internal', region_name=region)
        assert url.startswith(base + '/object-store') and url.endswith('/v1/AUTH_' + project), url
        assert there.get(url).status_code in (200, 204)
    assert [t['name'] for t in there.get(base + '/v2.0/tenants').json()['tenants']] == ['demo']
found = discover.Discover(session.Session(), base + '/v2.0')
assert found.url_for('2.0') == base + '/v2.0/', found.version_data()
# Who asks at the root is shown v3 alone.
assert {it['version'][0] for it in discover.Discover(session.Session(), base).version_data()} == {3}
'''


@case
def clients_of_keystone_v2_need_an_auth_url_and_nothing_else(world):
    done = subprocess.run([world.lab.python, '-W', 'ignore', '-c', OLD_CLIENT, world.proxy.url, world.lab.project],
                          text=True, env=gatestone.environment({}), cwd=gatestone.nowhere(), capture_output=True,
                          timeout=120, check=False)
    expect.equal((done.returncode, done.stdout), (0, ''), 'the client said %s' % done.stderr[-600:])
