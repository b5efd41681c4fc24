"""The two clouds: who is there, where their services are, tokens to begin with."""
import base64
import hmac
import json
import secrets
import struct
import time

from support import wire
from support.direct import Direct

SEED = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'


class Cloud:
    """A cloud to ask. `values` are what the placeholders of the list stand for."""

    def __init__(self, auth_url, region, people, end=None):
        self.end = end
        self.values = dict(
            people, identity=auth_url, root=auth_url.removesuffix('/v3'), region=region,
            passcode=lambda: passcode(SEED), wrong_passcode=lambda: wrong(passcode(SEED)))
        user = self.login('user', 'password', 'project_id')
        self.values.update(
            token=user.token, user_id=user.facts['user']['id'],
            other_token=self.login('user', 'password', 'other_project_id').token,
            unscoped_token=self.login('user', 'password').token,
            account=user.endpoint('object-store', region), image=user.endpoint('image', region).rstrip('/'))
        admin = self.login('admin', 'admin_password', 'admin_project_id')
        self.values.update(
            admin_token=admin.token, admin_id=admin.facts['user']['id'],
            admin_account=admin.endpoint('object-store', region),
            nobody_id=self.login('nobody', 'nobody_password').facts['user']['id'])
        version, _, tail = self.values['account'].rpartition('/')
        self.values.update(account_name=tail, swift=version.rpartition('/')[0], swift_version=version)

    def login(self, name, secret, project=None):
        identity = {'methods': ['password'], 'password': {'user': {
            'name': self.values[name], 'domain': {'name': 'Default'}, 'password': self.values[secret]}}}
        scope = {'project': {'id': self.values[project]}} if project else 'unscoped'
        return Direct(self.values['identity'], identity, scope)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.end:
            self.end()


def embedded(auth_url):
    """The embedded cloud: its people are in its source, `src/embedded/people.rs`."""
    return Cloud(auth_url, 'RegionOne', {
        'user': 'demo', 'password': 'correct horse', 'project': 'demo', 'other_project': 'second',
        'project_id': '5ee9a01c0d3b4a6f8a1f6f4c7b2d9e10',
        'other_project_id': '8d2c41f7be5046b39f0a7c35d1e6a811',
        'admin': 'admin', 'admin_password': 'battery staple',
        'admin_project': 'admin', 'admin_project_id': 'b17e63a95f2c4d08a4d9e2b60c8f3712',
        'timed': 'timed', 'timed_password': 'tick tock',
        'nobody': 'nobody', 'nobody_password': 'nothing at all',
        'credential': 'ci', 'credential_id': '21d9b1f0a7c64e3f9c5b8e7d6a4f3055',
        'credential_secret': 'sesame'})


def real(lab):
    """The lab, with people and projects of our own that are like those of the embedded cloud."""
    return Newcomers(lab).cloud()


class Newcomers:
    """People and projects that are made in a Keystone for one comparison, and removed after it."""

    def __init__(self, lab):
        self.auth_url = lab.facts['auth_url']
        self.region = lab.facts['regions'][0]
        self.mark = secrets.token_hex(3)
        self.made = []
        root = lab.facts['users']['admin']
        self.admin = Direct(self.auth_url, {'methods': ['password'], 'password': {'user': {
            'name': root['name'], 'domain': {'name': root['domain']}, 'password': root['password']}}},
            {'project': {'id': root['project_id']}})
        self.roles = {role['name']: role['id'] for role in self.call('GET', '/roles')['roles']}

    def cloud(self):
        try:
            return self.settled()
        except BaseException:
            self.remove()
            raise

    def settled(self):
        one, other, ruled = (self.make('project', name) for name in ('demo', 'second', 'admin'))
        user = self.person('demo', 'correct horse', {one: 'member', other: 'member'})
        admin = self.person('admin', 'battery staple', {ruled: 'admin', one: 'admin'})
        timed = self.person('timed', 'tick tock', {one: 'member'})
        self.person('nobody', 'nothing at all', {})
        for scope in ('domains/default', 'system'):
            self.call('PUT', '/%s/users/%s/roles/%s' % (scope, admin, self.roles['admin']))
        self.call('POST', '/credentials', {'credential': {
            'type': 'totp', 'blob': SEED, 'user_id': timed}})
        cloud = Cloud(self.auth_url, self.region, {
            'user': self.name('demo'), 'password': 'correct horse', 'project': self.name('demo'),
            'other_project': self.name('second'), 'project_id': one, 'other_project_id': other,
            'admin': self.name('admin'), 'admin_password': 'battery staple',
            'admin_project': self.name('admin'), 'admin_project_id': ruled,
            'timed': self.name('timed'), 'timed_password': 'tick tock',
            'nobody': self.name('nobody'), 'nobody_password': 'nothing at all'}, self.remove)
        made = self.call('POST', '/users/%s/application_credentials' % user, {'application_credential': {
            'name': 'ci', 'secret': 'sesame'}}, cloud.values['token'])['application_credential']
        # Removed by its id. With its user it would go too, but SQLite keep its roles for the next one.
        self.made.append('/users/%s/application_credentials/%s' % (user, made['id']))
        cloud.values.update(credential='ci', credential_id=made['id'], credential_secret='sesame')
        return cloud

    def name(self, name):
        """A name that nobody has yet; `normal` knows it for the plain one."""
        return 'newcomer-%s-%s' % (self.mark, name)

    def person(self, name, password, roles):
        user = self.make('user', name, password=password)
        for project, role in roles.items():
            self.call('PUT', '/projects/%s/users/%s/roles/%s' % (project, user, self.roles[role]))
        return user

    def make(self, kind, name, **more):
        """Make a project or user of the default domain; its id."""
        made = self.call('POST', '/%ss' % kind, {kind: dict(
            more, name=self.name(name), domain_id='default')})[kind]['id']
        self.made.append('/%ss/%s' % (kind, made))
        return made

    def remove(self):
        for path in reversed(self.made):
            self.call('DELETE', path)

    def call(self, method, path, body=None, token=None):
        fields = {'X-Auth-Token': token or self.admin.token}
        if body:
            fields['Content-Type'] = 'application/json'
        reply = wire.fetch(self.auth_url + path, method, fields, json.dumps(body).encode() if body else None)
        if reply.status >= 300:
            raise RuntimeError('%s %s: %d %s' % (method, path, reply.status, reply.body[:300]))
        return json.loads(reply.body) if reply.body else None


def passcode(seed):
    """The one-time passcode of now (RFC 6238)."""
    count = struct.pack('>Q', int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(seed), count, 'sha1')
    at = digest[-1] & 15
    return '%06d' % ((int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 1000000)


def wrong(code):
    return '%06d' % ((int(code) + 1) % 1000000)
