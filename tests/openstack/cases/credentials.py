"""Every kind of credential, wherever OpenStack users keep them."""
import json

from support import expect, wire
from support.cases import case
from support.direct import Direct, password
from support.gatestone import Proxy, once
from support.ways import ways


def reads_an_object(world, variables, *arguments):
    """A proxy started so gives out an object of project demo."""
    world.put('mine', b'mine')
    with Proxy(variables, *arguments) as proxy:
        reply = wire.fetch('%s/object-store/%s/mine' % (proxy.url, world.container))
        expect.status(reply, 200)
        expect.equal(reply.body, b'mine', 'body')
        return proxy.ready_line


@case
def password_of_the_environment(world):
    line = reads_an_object(world, world.lab.environment('demo'))
    expect.that(line.startswith('gatestone ready'), 'the ready line is %r' % line)
    for part in ('demo', 'GRA', 'http://127.0.0.1:'):
        expect.holds(line, part, 'the ready line')


@case
def password_with_domain_and_project_by_id(world):
    user = world.lab.facts['users']['demo']
    reads_an_object(world, {
        'OS_AUTH_URL': world.lab.facts['auth_url'], 'OS_USER_ID': user['id'],
        'OS_PASSWORD': user['password'], 'OS_PROJECT_ID': user['project_id'],
        'OS_REGION_NAME': 'GRA'})


@case
def auth_url_with_and_without_its_version(world):
    root = world.lab.facts['auth_url'].removesuffix('/v3')
    for auth_url in (root, root + '/', root + '/v3/'):
        reads_an_object(world, dict(world.lab.environment('demo'), OS_AUTH_URL=auth_url))


@case
def a_cloud_of_clouds_yaml(world):
    file = {'OS_CLIENT_CONFIG_FILE': world.lab.clouds}
    reads_an_object(world, file, '--cloud', 'lab-demo')
    reads_an_object(world, dict(file, OS_CLOUD='lab-demo'))
    reads_an_object(world, dict(file, GATESTONE_CLOUD='lab-demo'))


@case
def application_credential(world):
    reads_an_object(world, world.lab.environment('appcred'))
    reads_an_object(world, {'OS_CLIENT_CONFIG_FILE': world.lab.clouds}, '--cloud', 'lab-appcred')


@case
def a_token_of_someone_else(world):
    user = world.lab.facts['users']['demo']
    unscoped = Direct(world.lab.facts['auth_url'], password(user), 'unscoped')
    for auth_type in ('token', 'v3token'):
        reads_an_object(world, {
            'OS_AUTH_TYPE': auth_type, 'OS_AUTH_URL': world.lab.facts['auth_url'],
            'OS_TOKEN': unscoped.token, 'OS_PROJECT_ID': user['project_id'], 'OS_REGION_NAME': 'GRA'})


@case
def the_whole_system_as_scope(world):
    variables = dict(world.lab.environment('admin'), OS_SYSTEM_SCOPE='all')
    del variables['OS_PROJECT_NAME'], variables['OS_PROJECT_DOMAIN_NAME']
    file = {'OS_CLIENT_CONFIG_FILE': world.lab.clouds}
    for proxy in (Proxy(variables), Proxy(file, '--cloud', 'lab-system')):
        with proxy:
            reply = wire.fetch(proxy.url + '/identity/v3/users')
            expect.status(reply, 200)
            expect.that(len(json.loads(reply.body)['users']) > 8, 'users are missing')


@case
def a_domain_as_scope(world):
    variables = dict(world.lab.environment('admin'), OS_DOMAIN_NAME='Acme')
    del variables['OS_PROJECT_NAME'], variables['OS_PROJECT_DOMAIN_NAME']
    with Proxy(variables) as proxy:
        domain = world.lab.facts['domains']['Acme']
        reply = wire.fetch(proxy.url + '/identity/v3/users?domain_id=' + domain)
        expect.status(reply, 200)
        expect.equal([u['name'] for u in json.loads(reply.body)['users']], ['demo'], 'users of Acme')


@case
def no_scope_at_all(world):
    with Proxy({'OS_CLIENT_CONFIG_FILE': world.lab.clouds}, '--cloud', 'lab-roamer') as proxy:
        reply = wire.fetch(proxy.url + '/identity/v3/auth/projects')
        expect.status(reply, 200)
        names = sorted(p['name'] for p in json.loads(reply.body)['projects'])
        expect.equal(names, ['alt', 'demo'], 'projects')
        reply = wire.fetch(proxy.url + '/object-store/c')
        expect.that(reply.status >= 400 and reply.get('X-Gatestone-Error'),
                    'an object without a project: %d' % reply.status)
        expect.holds(reply.body, b'OS_PROJECT_', 'the error')


@case
def every_way_to_log_in(world):
    for _, variables in ways(world.lab):
        reads_an_object(world, variables)


@case
def a_factor_that_is_missing_is_named(world):
    mfa = world.lab.facts['users']['mfa']
    variables = dict(world.lab.environment('mfa'))
    done = once(variables, 'check')
    expect.equal(done.returncode, 77, 'exit status')
    expect.holds(done.stderr, 'wants more than password', 'the message')
    expect.holds(done.stderr, 'OS_TOTP_SECRET', 'the message')
    expect.that(mfa['password'] not in done.stderr, 'the password is told')


@case
def an_openrc_file_that_nobody_sources(world):
    reads_an_object(world, {}, '--openrc', str(world.lab.state / 'openrc-demo'))
    reads_an_object(world, {'GATESTONE_OPENRC': str(world.lab.state / 'openrc-appcred'), 'OS_USERNAME': 'nobody'})


@case
def a_command_that_prints_the_secret(world):
    variables = dict(world.lab.environment('demo'))
    password = variables.pop('OS_PASSWORD')
    for printed in ('password=%s' % password, json.dumps({'password': password, 'expires_at': '2100-01-01T00:00:00Z'})):
        reads_an_object(world, variables | {'GATESTONE_CREDENTIAL_COMMAND': "echo '%s'" % printed})
    done = once(variables | {'GATESTONE_CREDENTIAL_COMMAND': 'exit 4'}, 'check')
    expect.equal(done.returncode, 2, 'exit status')
    expect.holds(done.stderr, 'GATESTONE_CREDENTIAL_COMMAND: it failed (exit status: 4)', 'the message')
