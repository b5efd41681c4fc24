"""Keystone through the proxy, and the credentials it must not give away."""
import json

from support import expect, wire
from support.cases import case
from support.direct import password

JSON = {'Content-Type': 'application/json'}


@case
def keystone_answers_under_each_of_its_prefixes(world):
    me = world.lab.facts['users']['demo']['id']
    for path in ('/users', '/users/' + me, '/projects/' + world.lab.project):
        theirs = world.direct.fetch(world.lab.facts['auth_url'] + path)
        for prefix in ('/identity/v3', '/identity', '/v3'):
            reply = wire.fetch(world.proxy.url + prefix + path)
            expect.equal(reply.status, theirs.status, 'status of %s%s' % (prefix, path))
    reply = wire.fetch(world.proxy.url + '/identity/users/' + me)
    expect.equal(json.loads(reply.body)['user']['name'], 'demo', 'name of the user')


@case
def credentials_that_outlive_the_proxy_are_refused(world):
    me = world.lab.facts['users']['demo']['id']
    bodies = {
        '/users/%s/application_credentials' % me: {'application_credential': {'name': 'loot'}},
        '/users/%s/credentials/OS-EC2' % me: {'tenant_id': world.lab.project},
        '/credentials': {'credential': {'type': 'ec2', 'blob': '{}', 'user_id': me}},
        '/OS-TRUST/trusts': {'trust': {'trustor_user_id': me, 'trustee_user_id': me}},
    }
    for path, body in bodies.items():
        for prefix in ('/identity/v3', '/identity', '/v3', '/keystone/v3'):
            reply = wire.fetch(world.proxy.url + prefix + path, 'POST', JSON, json.dumps(body).encode())
            expect.own_error(reply, 403, 'mints_credential')
    owned = world.direct.fetch('%s/users/%s/application_credentials' % (
        world.lab.facts['auth_url'], me))
    expect.that(b'"loot"' not in owned.body, 'an application credential was made all the same')


@case
def no_spelling_of_the_path_mints_a_credential(world):
    me = world.lab.facts['users']['demo']['id']
    body = json.dumps({'application_credential': {'name': 'spelled'}}).encode()
    for path in ('/identity//v3/users/%s/application_credentials', '/v3//users/%s/application_credentials',
                 '/v3/users/%s/application%%5Fcredentials', '/v3/users/%s/application_credentials/',
                 '/v3/users/%s/./application_credentials', '/identity/v3/../v3/users/%s/application_credentials',
                 '/identity@GRA/v3/users/%s/application_credentials'):
        reply = wire.fetch(world.proxy.url + path % me, 'POST', JSON, body)
        expect.that(reply.status != 201, '%s made an application credential' % path)


@case
def stored_credentials_are_not_shown(world):
    me = world.lab.facts['users']['demo']['id']
    for path in ('/v3/credentials', '/v3/users/%s/credentials/OS-EC2' % me):
        expect.own_error(wire.fetch(world.proxy.url + path), 403, 'mints_credential')


@case
def a_login_hands_out_no_token_of_keystone(world):
    body = json.dumps({'auth': {'identity': password(world.lab.facts['users']['demo'])}}).encode()
    for prefix in ('/identity/v3', '/v3', '/identity', '/identity//v3', '/identity/v3/v3', '/image/v3'):
        reply = wire.fetch(world.proxy.url + prefix + '/auth/tokens', 'POST', JSON, body)
        token = reply.get('X-Subject-Token')
        expect.that(reply.status == 403 if token is None else token.startswith('gatestone-local-'),
                    '%s: %d with %s' % (prefix, reply.status, 'a token' if token else 'no token'))
