"""The six users that Swift's suite knows by name, in the lab's Keystone while it runs.

They have projects of their own, since the suite deletes every container that it finds in its accounts.
"""
import json

from support import direct

DOMAIN = 'test-domain'
# name: project, domain, role there
USERS = {
    'tester': ('test', 'Default', 'member'),
    'tester2': ('test2', 'Default', 'member'),
    'tester3': ('test', 'Default', 'reader'),
    'tester4': ('test4', DOMAIN, 'member'),
    'tester5': ('test5', 'Default', 'service'),
    'tester6': ('test', 'Default', 'ResellerAdmin'),
}
PASSWORD = '%s-secret'


class Users:
    """There inside `with`, gone afterwards."""

    def __init__(self, lab):
        self.lab = lab
        self.admin = direct.login(lab, 'admin')
        self.made = []

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def call(self, method, path, body=None, want=(200, 201, 204)):
        reply = self.admin.fetch(self.lab.facts['auth_url'] + path, method, {'Content-Type': 'application/json'},
                                 json.dumps(body).encode() if body is not None else None)
        if reply.status not in want:
            raise RuntimeError('%s %s at Keystone: %d %s' % (method, path, reply.status, reply.body[:300]))
        return json.loads(reply.body or b'{}')

    def ensure(self, kind, name, **facts):
        """The id of something of that name, made if it is missing."""
        query = '&domain_id=' + facts['domain_id'] if 'domain_id' in facts else ''
        found = self.call('GET', '/%ss?name=%s%s' % (kind, name, query))[kind + 's']
        one = found[0] if found else self.call('POST', '/%ss' % kind, {kind: dict(facts, name=name)})[kind]
        self.made.append((kind, one['id']))
        return one['id']

    def make(self):
        roles = {role['name']: role['id'] for role in self.call('GET', '/roles')['roles']}
        domains = {'Default': 'default', DOMAIN: self.ensure('domain', DOMAIN)}
        for name, (project, domain, role) in USERS.items():
            project = self.ensure('project', project, domain_id=domains[domain])
            user = self.ensure('user', name, domain_id=domains[domain], password=PASSWORD % name)
            self.call('PUT', '/projects/%s/users/%s/roles/%s' % (project, user, roles[role]))

    def remove(self):
        """Last made, first gone."""
        for kind, identity in reversed(list(dict.fromkeys(self.made))):
            if kind == 'domain':
                self.call('PATCH', '/domains/' + identity, {'domain': {'enabled': False}}, (200, 404))
            self.call('DELETE', '/%ss/%s' % (kind, identity), want=(204, 404))
        self.made = []

    def environment(self, name):
        """The OS_ variables with which one of them logs in."""
        project, domain, _ = USERS[name]
        return {'OS_AUTH_URL': self.lab.facts['auth_url'], 'OS_IDENTITY_API_VERSION': '3', 'OS_USERNAME': name,
                'OS_PASSWORD': PASSWORD % name, 'OS_USER_DOMAIN_NAME': domain, 'OS_PROJECT_NAME': project,
                'OS_PROJECT_DOMAIN_NAME': domain}

    def suite_settings(self, auth_url, password=PASSWORD):
        """The suite's own file."""
        lines = ['[func_test]', 'auth_version = 3', 'auth_uri = ' + auth_url, 'web_front_end = integral',
                 'service_prefix = SERVICE', 'collate = C']
        for number, (name, (project, domain, _)) in enumerate(USERS.items(), 1):
            number = str(number) if number > 1 else ''
            lines += ['account%s = %s' % (number, project), 'username%s = %s' % (number, name),
                      'password%s = %s' % (number, password % name if '%' in password else password),
                      'domain%s = %s' % (number, domain)]
        return '\n'.join(lines) + '\n'
