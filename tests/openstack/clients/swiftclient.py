"""python-swiftclient: the `swift` command with each of its three logins."""
import json

from clients import tools, tree
from clients.part import Part
from support import expect

SEGMENT = 4 << 20


def play(place, mebibytes=20):
    """What there is to do with a store."""
    user = User(place)
    digest = user.segments(mebibytes)
    user.files()
    user.words()
    user.remove()
    more = another_project(place, user.swift, user.variables)
    return ('auth, info, %d MiB up in segments (SLO, DLO) and down, stat, list, post, delete; '
            'SHA-256 %s both ways%s' % (mebibytes, digest[:8], more))


def play_briefly(place):
    """In a few seconds."""
    user = User(place)
    user.segments(9, kinds=['slo'])
    user.remove()


class User:
    """Someone with the `swift` command and a container."""

    def __init__(self, place):
        self.place, self.swift, self.variables = place, tools.python('swift'), place.swift()
        self.container = place.prefix + '-swift'
        self.names = []
        told = dict(line.removeprefix('export ').split('=', 1) for line in self.run('auth').splitlines())
        expect.that(told['OS_STORAGE_URL'].startswith(place.url + '/object-store'), told['OS_STORAGE_URL'])
        info = json.loads(self.run('info', '--json'))
        expect.that('swift' in info and 'slo' in info, 'info names no swift')

    def run(self, *arguments):
        return self.place.run(self.swift, *arguments, variables=self.variables)

    def segments(self, mebibytes, kinds=('slo', 'dlo')):
        """A large object up and down, in segments of both kinds; its SHA-256."""
        source, back = self.place.path('big file.bin'), self.place.path('back')
        digest = tree.big(source, mebibytes)
        for kind in kinds:
            name = kind + '/big ä'
            self.run('upload', self.container, source, '--object-name', name, '-S', SEGMENT, '--use-' + kind)
            self.run('download', self.container, name, '-o', back)
            expect.equal(tree.sha256(back), digest, 'SHA-256 of the ' + kind)
            stat = self.run('stat', self.container, name)
            expect.holds(stat, 'Content Length: %d' % (mebibytes << 20), 'stat of the object')
            self.names.append(name)
        return digest

    def files(self):
        """A folder up, listed, down."""
        small = tree.make(self.place.path('small'), 10, 50_000)
        self.run('upload', self.container, small, '--object-name', 'small')
        self.names += ['small/' + name for name in tree.digests(small)]
        expect.equal(sorted(self.run('list', self.container).splitlines()), sorted(self.names), 'list')
        self.run('download', self.container, '-p', 'small', '-D', self.place.path('down'))
        expect.equal(tree.digests(self.place.path('down', 'small')), tree.digests(small), 'the small files')

    def words(self):
        """About the account, a container and an object."""
        expect.holds(self.run('stat'), 'Account: AUTH_' + self.place.lab.project, 'stat')
        expect.holds(self.run('list'), self.container, 'list of containers')
        self.run('post', self.container, self.names[0], '-m', 'Colour:blue')
        expect.holds(self.run('stat', self.container, self.names[0]), 'Meta Colour: blue', 'stat after post')

    def remove(self):
        self.run('delete', self.container)
        self.run('delete', self.container + '_segments')
        expect.that(self.container not in self.run('list'), 'the containers are still there')


def another_project(place, swift, variables):
    """Asked for by the client itself; v1 has no word for it."""
    if place.login == 'v1':
        return ''
    other = {'v2': {'OS_TENANT_NAME': 'alt'},
             'v3': {'OS_PROJECT_NAME': 'alt', 'OS_PROJECT_DOMAIN_NAME': 'Default'}}[place.login]
    return ", with another project: '%s'" % place.refused(swift, 'stat', variables=dict(variables, **other))[:80]


PARTS = [Part('swiftclient', play, login) for login in ('v1', 'v2', 'v3')]
