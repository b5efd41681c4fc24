"""Where a client runs: an empty home, the tap's address, and nothing of our cloud.

Every command of a client runs here. Its environment, its arguments and all that it receives are
searched for our password and our tokens, its connections are counted by the port they go to.
"""
import collections
import json
import os
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import quote

from clients import trace
from clients.tap import Tap
from support import direct, expect, gatestone, wire
from support.relay import Relay

SHORT = 60
NOBODY, NOTHING = 'nobody', 'nothing'


class Place:
    """One client with one kind of login (`v1`, `v2`, `v3`), behind a proxy that acts for a user of the lab.

    `controlled` leaves the proxy out: the client then meets the real Keystone with its dummy password.
    """

    def __init__(self, lab, login, user='demo', controlled=False):
        self.lab, self.login, self.user = lab, login, user
        self.region = lab.facts['regions'][0]
        self.ttl = lab.facts['token_ttl']
        self.prefix = 'clients-' + uuid.uuid4().hex[:8]
        self.folder = tempfile.TemporaryDirectory(prefix='gatestone-client-')
        self.home = self.path('home')
        self.home.mkdir()
        self.path('tmp').mkdir()
        self.relay = Relay(lab.facts['auth_url'])
        self.proxy = None
        if not controlled:
            self.proxy = gatestone.Proxy(dict(lab.environment(user), OS_AUTH_URL=self.relay.auth_url))
        self.tap = Tap(self.proxy.url if self.proxy else lab.facts['auth_url'].removesuffix('/v3'), self.secrets)
        self.url = self.tap.url
        self.connected = collections.Counter()
        self.began = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tap.close()
        if self.proxy:
            self.proxy.stop()
        self.relay.__exit__()
        self.clean()
        self.folder.cleanup()

    def path(self, *parts):
        return Path(self.folder.name, *parts)

    def secrets(self):
        """What the client must not see: the password, and every token that the proxy ever got."""
        return [self.lab.facts['users'][self.user]['password'], *self.relay.tokens]

    def direct(self):
        """The same user without the proxy, over a token that is new."""
        return direct.login(self.lab, self.user)

    # What a client is told.

    def openstack(self):
        """The variables of OpenStack's own clients."""
        return {'OS_AUTH_URL': self.url + '/v3', 'OS_IDENTITY_API_VERSION': '3', 'OS_REGION_NAME': self.region,
                'OS_USERNAME': NOBODY, 'OS_PASSWORD': NOTHING, 'OS_USER_DOMAIN_NAME': 'Default'}

    def project(self):
        """For those that insist on one."""
        return {'OS_PROJECT_NAME': self.user, 'OS_PROJECT_DOMAIN_NAME': 'Default'}

    def swift(self):
        """The variables of Swift's own client and of those that read the same."""
        if self.login == 'v1':
            return {'ST_AUTH': self.url + '/auth/v1.0', 'ST_USER': NOBODY, 'ST_KEY': NOTHING}
        if self.login == 'v2':
            return {'OS_AUTH_URL': self.url + '/v2.0', 'OS_IDENTITY_API_VERSION': '2', 'OS_REGION_NAME': self.region,
                    'OS_USERNAME': NOBODY, 'OS_PASSWORD': NOTHING, 'OS_TENANT_NAME': self.user}
        return self.openstack() | self.project()

    # A client's commands.

    def attempt(self, *command, variables=None, timeout=1800):
        """Run a command; the result has returncode, stdout, stderr."""
        command = [str(part) for part in command]
        kept = {k: os.environ[k] for k in ('PATH', 'LANG') if k in os.environ}
        environment = dict(kept, HOME=str(self.home), TMPDIR=str(self.path('tmp')), **variables or {})
        shown = '\0'.join([*command, *environment.values()])
        expect.that(not any(secret in shown for secret in self.secrets()), 'the client is told a secret')
        file = self.path('connects')
        done = subprocess.run(trace.traced(command, file), env=environment, cwd=self.home, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors='surrogateescape', timeout=timeout, check=False)
        self.connected += trace.connections(file.read_text(errors='replace'))
        return done

    def run(self, *command, variables=None, **options):
        """Run a command that must succeed; what it printed."""
        done = self.attempt(*command, variables=variables, **options)
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-2:]
        expect.that(done.returncode == 0, '%s %s: exit status %d: %s' % (
            Path(command[0]).name, first_word(command[1:]), done.returncode, ' | '.join(said)[-400:]))
        return done.stdout

    def refused(self, *command, variables=None):
        """Run a command that must fail and print nothing; the last line that it said."""
        done = self.attempt(*command, variables=variables)
        expect.that(done.returncode != 0, '%s succeeded' % Path(command[0]).name)
        expect.equal(done.stdout.strip(), '', 'output of %s' % Path(command[0]).name)
        return (done.stderr.strip().splitlines() or [''])[-1]

    def rounds(self):
        """Once; where tokens are short, again until three of them are over."""
        number = 0
        while number == 0 or (self.ttl <= SHORT and time.monotonic() < self.began + 3 * self.ttl):
            yield number
            number += 1

    # What must be true in the end.

    def verify(self):
        """The connections, the token and the project; in words."""
        return '; '.join([self.connections_are_ours(), self.tokens_are_local(), self.another_project_is_refused()])

    def connections_are_ours(self):
        total = self.connected.total()
        expect.that(total > 0, 'no connection was seen')
        expect.equal(dict(self.connected), {('127.0.0.1', self.tap.port): total}, 'number of connections by port')
        gatestone.wait_until(lambda: self.tap.connections >= total)
        expect.equal(self.tap.connections, total, 'number of connections that arrived')
        expect.equal(self.tap.given_away, 0, 'number of secrets in what the client received')
        short = ''
        if self.ttl <= SHORT:
            expect.that(len(self.relay.tokens) >= 3, 'only %d real tokens' % len(self.relay.tokens))
            short = ' over %d real tokens of %d s' % (len(self.relay.tokens), self.ttl)
        return '%d connections, all to the proxy%s' % (total, short)

    def tokens_are_local(self):
        """What the client sent as its token is nothing to the real services."""
        direct_login = self.direct()
        expect.that(self.tap.tokens, 'the client sent no token')
        about, account = self.lab.facts['auth_url'] + '/auth/tokens', direct_login.endpoint('object-store', self.region)
        for token in self.tap.tokens:
            expect.status(direct_login.fetch(about, headers={'X-Subject-Token': token}), 404, 'its token as a subject')
            expect.status(wire.fetch(about, headers={'X-Auth-Token': token, 'X-Subject-Token': token}), 401,
                          'its token at Keystone')
            expect.status(wire.fetch(account, headers={'X-Auth-Token': token}), 401, 'its token at Swift')
        return 'its token at the real Keystone 401'

    def another_project_is_refused(self):
        """Asked for with this kind of login, or with its token by the account's path."""
        projects = self.lab.facts['projects']
        name = next(n for n in ('alt', 'demo') if n != self.lab.facts['users'][self.user]['project'])
        other, url = projects[name], self.proxy.url
        token = next(iter(self.tap.tokens))
        reply = wire.fetch('%s/object-store/v1/AUTH_%s' % (url, other), headers={'X-Auth-Token': token})
        if self.user == 'demo':
            expect.status(reply, 403, 'the account of another project')
        if self.login == 'v1':
            return "another project's account 403"
        who = {'username': NOBODY, 'password': NOTHING}
        path, body = '/v2.0/tokens', {'auth': {'passwordCredentials': who, 'tenantId': other}}
        if self.login == 'v3':
            identity = direct.password({'name': NOBODY, 'domain': 'Default', 'password': NOTHING})
            path, body = '/v3/auth/tokens', {'auth': {'identity': identity, 'scope': {'project': {'id': other}}}}
        reply = wire.fetch(url + path, 'POST', {'Content-Type': 'application/json'}, json.dumps(body).encode())
        expect.own_error(reply, 401, 'wrong_scope')
        expect.equal((reply.get('X-Subject-Token'), b'catalog' in reply.body.lower()), (None, False),
                     'token and catalog for another project')
        return 'another project 401'

    def clean(self):
        """Remove what the client left in the store: all of it bears this place's name."""
        login = self.direct()
        account = login.endpoint('object-store', self.region)
        for name in listed(login, account, self.prefix):
            container = '%s/%s' % (account, quote(name, safe=''))
            while (objects := listed(login, container)):
                text = '\n'.join(quote('%s/%s' % (name, one), safe='/') for one in objects)
                reply = login.fetch(account + '?bulk-delete', 'POST', {'Content-Type': 'text/plain'}, text.encode())
                if reply.status != 200:
                    return
            login.fetch(container, 'DELETE')


def first_word(arguments):
    """Of a command's arguments, the one that says what it does."""
    return next((Path(str(one)).name for one in arguments if not str(one).startswith('-')), '')


def listed(login, url, prefix=''):
    """The names in an account or a container, up to 10,000."""
    reply = login.fetch('%s?format=json&prefix=%s' % (url, prefix))
    return [one['name'] for one in json.loads(reply.body or b'[]')] if reply.status == 200 else []
