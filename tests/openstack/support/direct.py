"""The cloud without the proxy: log in, read the catalog, send the token along.

These are the three manual steps that the proxy replaces, so what they give is
what every case compares with.
"""
import json
import time

from support import wire


class Direct:
    """One login, asked for once and used for every request after."""

    def __init__(self, auth_url, identity, scope=None):
        body = {'auth': {'identity': identity}}
        if scope:
            body['auth']['scope'] = scope
        reply = wire.fetch(auth_url + '/auth/tokens', 'POST',
                           {'Content-Type': 'application/json'}, json.dumps(body).encode())
        if reply.status != 201:
            raise RuntimeError('login: %d %s' % (reply.status, reply.body[:300]))
        self.auth_url = auth_url
        self.token = reply.get('X-Subject-Token')
        self.facts = json.loads(reply.body)['token']

    def endpoint(self, service, region, interface='public'):
        """The URL that the catalog names."""
        for entry in self.facts['catalog']:
            if entry['type'] == service:
                for e in entry['endpoints']:
                    if e['region'] == region and e['interface'] == interface:
                        return e['url']
        raise LookupError('no %s endpoint of %s in %s' % (interface, service, region))

    def fetch(self, url, method='GET', headers=None, body=None):
        """One request to the real service, with the token."""
        return wire.fetch(url, method, dict(headers or {}, **{'X-Auth-Token': self.token}), body)


def password(user):
    """The identity of a user of the lab."""
    return {'methods': ['password'], 'password': {'user': {
        'name': user['name'], 'domain': {'name': user['domain']}, 'password': user['password']}}}


def login(lab, name):
    """Log in as a user of the lab, scoped to its project if it has one."""
    user = lab.facts['users'][name]
    scope = {'project': {'id': user['project_id']}} if user['project_id'] else None
    return Direct(lab.facts['auth_url'], password(user), scope)


def revoke(lab, token):
    """Take a token from whoever holds it, as an administrator can, and wait until Swift refuses it."""
    admin = login(lab, 'admin')
    reply = admin.fetch(lab.facts['auth_url'] + '/auth/tokens', 'DELETE', {'X-Subject-Token': token})
    if reply.status != 204:
        raise RuntimeError('revoking: %d %s' % (reply.status, reply.body[:300]))
    account = admin.endpoint('object-store', lab.facts['regions'][0])
    end = time.monotonic() + 10
    while wire.fetch(account, 'HEAD', {'X-Auth-Token': token}).status != 401:
        if time.monotonic() > end:
            raise RuntimeError('Swift still takes a revoked token')
