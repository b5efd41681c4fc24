"""python-openstackclient: each command here and at the real endpoints, and the two outputs compared.

Both sides do the same, each with things of its own name (`{}`), so that what one makes is no matter
to the other.
"""
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait

from clients import tools, tree
from clients.part import Part
from support import expect, gatestone

# what must differ: addresses, ids that a service makes up, times
URL = re.compile(r'https?://[^\s"\'|,\]}]+')
VARIES = [(URL, 'URL'),
          (re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'), 'UUID'),
          (re.compile(r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+0000)?'), 'TIME'),
          (re.compile(r'\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT'), 'TIME'),
          (re.compile(r'tx[0-9a-f]{21}-[0-9a-f]{10}'), 'TRANSACTION')]
# commands that change nothing
READS = re.compile(r' (issue|list|show)( |$)')
# the proxy's own token, and the ids of its catalog's entries
MADE_UP = (re.compile(r'"id": "[^"]+"'), '"id": "OURS"')

QUICK = ['token issue -f json', 'catalog list -f json', 'project show demo -f json', 'container create {} -f json',
         'object create {} {file} --name o -f json']
DEMO = [
    'token issue -f json', 'catalog list -f json', 'catalog show object-store -f json', 'project show demo -f json',
    'project list --my-projects -f json', 'user show {user} -f json',
    'container create {} -f json', 'container list --prefix {} -f json', 'container set {} --property Colour=blue',
    'container show {} -f json',
    'object create {} {file} --name o -f json', 'object list {} --long -f json',
    'object set {} o --property Colour=red', 'object show {} o -f json', 'object save {} o --file -',
    'object show {} missing -f json', 'object delete {} o', 'container delete {}', 'container show {} -f json', 'object store account show -f yaml',
    'image create {} --file {file} --property colour=blue -f json', 'image list --name {} --long -f json',
    'image set {} --property size=small', 'image show {} -f json', 'image save {} --file {out}', 'image delete {}',
    'image show {} -f json', 'endpoint list -f json', 'versions show --service image -f json']
ADMIN = [
    'token issue -f json', 'resource provider create {} -f json --os-placement-api-version 1.20',
    'resource provider list --name {} -f json', 'resource provider list --name {} -f value -c name',
    'resource provider trait list UNKNOWN -f json', 'trait list -f json --os-placement-api-version 1.6',
    'resource class list -f json --os-placement-api-version 1.2',
    'project list -f json', 'endpoint list -f json',
    'role assignment list --names --user demo --user-domain Default -f json']


def play(place):
    return compare(place, tools.python('openstack'), DEMO)


def play_as_admin(place):
    openstack = tools.python('openstack')
    said = compare(place, openstack, ADMIN)
    variables = place.openstack()
    name = place.prefix + '-rp'
    uuid = place.run(openstack, 'resource', 'provider', 'create', name, '-f', 'value', '-c', 'uuid',
                     variables=variables).strip()
    pairs = Pairs(place, openstack)
    for command in ('resource provider inventory set %s --resource VCPU=8 -f json', 'resource provider show %s -f json',
                    'resource provider inventory list %s -f json', 'resource provider usage show %s -f json'):
        pairs.alike(command % uuid)
    place.run(openstack, 'resource', 'provider', 'delete', uuid, variables=variables)
    return '%s, %d more of one resource provider' % (said, pairs.count)


def compare(place, openstack, commands):
    """Run all of them; another project is refused in the client's own words."""
    pairs = Pairs(place, openstack)
    for command in commands:
        pairs.alike(command)
    pairs.clean()
    why = ''
    if place.user == 'demo':
        other = dict(place.openstack(), OS_PROJECT_NAME='alt', OS_PROJECT_DOMAIN_NAME='Default')
        why = ", with another project: '%s'" % place.refused(openstack, 'token', 'issue', variables=other)[:90]
    return '%d commands (%d of them errors), output as at the real endpoints%s' % (pairs.count, pairs.failing, why)


class Pairs:
    """Commands with the dummy login, and the same with the real one."""

    def __init__(self, place, openstack):
        self.place, self.openstack = place, openstack
        self.theirs = gatestone.environment(place.lab.environment(place.user))
        self.count = self.failing = 0
        self.file = place.path('small.bin')
        tree.big(self.file, 1)

    def alike(self, command):
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(self.real, command)
            if not READS.search(command):
                # Both may change the same, and the lab's SQLite takes one writer at a time.
                wait([waiting])
            ours = self.place.attempt(self.openstack, *self.words(command, 'here'), variables=self.place.openstack())
            theirs = waiting.result()
        said = (ours.stderr.strip().splitlines() or [''])[-1]
        expect.that(ours.returncode == theirs.returncode, 'openstack %s: exit status %d, not %d: %s' % (
            command, ours.returncode, theirs.returncode, said))
        for what, got, want in (
                ('output', plain(ours.stdout, command), plain(theirs.stdout, command)),
                ('errors', plain(ours.stderr, command), plain(theirs.stderr, command))):
            expect.that(got == want, '%s of openstack %s: %s' % (what, command, difference(got, want)))
        if command.startswith('catalog'):
            for url in URL.findall(ours.stdout):
                expect.that(url.startswith(self.place.url + '/'), 'openstack %s shows %s' % (command, url))
        self.count += 1
        self.failing += ours.returncode != 0

    def real(self, command):
        return subprocess.run([self.openstack, *self.words(command, 'there')], env=self.theirs, text=True,
                              cwd=gatestone.nowhere(), capture_output=True, errors='surrogateescape', timeout=120,
                              check=False)

    def words(self, command, side):
        user = self.place.lab.facts['users'][self.place.user]['id']
        return [word.format('%s-%s' % (self.place.prefix, side), file=self.file, user=user,
                            out=self.place.path('out-' + side)) for word in command.split()]

    def clean(self):
        """What ours saved is what theirs did; providers go, which bear no container's name."""
        saved = [self.place.path('out-' + side) for side in ('here', 'there')]
        if saved[0].exists():
            expect.equal(tree.sha256(saved[0]), tree.sha256(saved[1]), 'SHA-256 of the saved image')
        login = self.place.direct()
        if self.place.user == 'admin':
            remove_providers(login, login.endpoint('placement', self.place.region), self.place.prefix)


def remove_providers(login, url, prefix):
    listed = json.loads(login.fetch(url + '/resource_providers').body)['resource_providers']
    for one in listed:
        if one['name'].startswith(prefix):
            login.fetch('%s/resource_providers/%s' % (url, one['uuid']), 'DELETE')


def plain(text, command):
    """A text without what must differ."""
    text = re.sub(r'(clients-[0-9a-f]{8})-(here|there)', 'NAME', text)
    if command.startswith(('token issue', 'catalog')):
        text = MADE_UP[0].sub(MADE_UP[1], text)
    for pattern, word in VARIES:
        text = pattern.sub(word, text)
    try:  # the order of an object's members says nothing
        return json.dumps(json.loads(text), indent=1, sort_keys=True)
    except ValueError:
        return text


def difference(got, want):
    """The first line that differs."""
    for ours, theirs in zip(got.splitlines() + [''], want.splitlines() + ['']):
        if ours != theirs:
            return '%r, not %r' % (ours[:300], theirs[:300])
    return '%d characters, not %d' % (len(got), len(want))


PARTS = [Part('openstackclient', play), Part('openstackclient', play_as_admin, user='admin')]
