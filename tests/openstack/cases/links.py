"""Links in JSON bodies of the real services lead back to the proxy, and nothing else of them changes."""
import json
import re

from support import direct, expect, wire
from support.cases import case
from support.gatestone import Proxy

# Where a client may begin; the rest is found by links.
STARTS = ('/v3/users', '/identity/v3/projects', '/keystone/v3/roles', '/v3/role_assignments', '/v3/role_inferences',
          '/v3/domains', '/v3/regions', '/v3/services', '/v3/endpoints', '/v3/OS-TRUST/trusts', '/v3/auth/catalog',
          '/v3/auth/projects', '/image/', '/placement/')

# An administrator may edit and put these back, so they stay the cloud's own.
KEPT = {'.endpoint.url', '.endpoints[].url'}

# Links of Glance's and Keystone's to where they have nothing: a version, the roles of a trust.
LOST = re.compile('/image/v2/$|/v3/[0-9a-f]{32}/roles$')


def urls(value, path=''):
    """Each absolute URL of a document, with its place."""
    if isinstance(value, str) and value.startswith(('http://', 'https://')):
        yield path, value
    elif isinstance(value, list):
        for one in value:
            yield from urls(one, path + '[]')
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from urls(one, '%s.%s' % (path, key))


@case
def every_link_leads_on_through_the_proxy(world):
    with Proxy(world.lab.environment('admin')) as proxy:
        seen, todo = set(), [proxy.url + start for start in STARTS]
        while todo:
            url = todo.pop()
            if url in seen:
                continue
            seen.add(url)
            reply = wire.fetch(url)
            expect.that(reply.status in (200, 204, 300), '%s is answered with %d' % (url, reply.status))
            for place, link in urls(json.loads(reply.body or b'null')):
                ours = link.startswith(proxy.url + '/')
                expect.equal(ours, place not in KEPT, 'whether %s of %s, %s, leads here' % (place, url, link))
                if ours and not place.startswith(('.catalog', '.token')) and not LOST.search(link):
                    todo.append(link)
        expect.that(len(seen) > 50, 'only %d documents were found' % len(seen))


@case
def all_else_is_the_same_to_the_byte(world):
    admin = direct.login(world.lab, 'admin')
    with Proxy(world.lab.environment('admin')) as proxy:
        for path in ('/users', '/projects', '/roles', '/endpoints', '/services', '/regions', '/role_assignments',
                     '/users?limit=2'):
            theirs = admin.fetch(world.lab.facts['auth_url'] + path)
            ours = wire.fetch(proxy.url + '/identity/v3' + path)
            here, there = (proxy.url + '/identity/v3').encode(), world.lab.facts['auth_url'].encode()
            # A URL of Keystone's own endpoint is no link, and stays.
            expect.equal(ours.body.replace(here, there), theirs.body, path)
            expect.that(here in ours.body, 'no link of %s was turned' % path)
