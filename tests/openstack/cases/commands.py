"""The commands beside `run`: check and health."""
import json
import socket

from support import expect
from support.cases import case
from support.gatestone import once


@case
def check_shows_who_we_are_and_every_prefix(world):
    done = once(world.lab.environment('demo'), 'check')
    for part in ('demo', 'GRA', 'object-store', world.swift, 'image', 'placement', 'identity', 'compute'):
        expect.holds(done.stdout, part, 'check')


@case
def check_tells_where_a_path_leads(world):
    cloud = world.lab.environment('demo')
    dead = world.lab.facts['dead_url']
    for path, target in (('/object-store/photos/a.jpg', world.swift + '/photos/a.jpg'),
                         ('/compute/v2.1/servers', dead + '/v2.1/servers'),
                         ('/compute/servers', '%s/v2.1/%s/servers' % (dead, world.lab.project)),
                         ('/object-store@SBG/c', world.direct.endpoint('object-store', 'SBG') + '/c')):
        done = once(cloud, 'check', path)
        expect.equal(done.returncode, 0, 'exit status of check ' + path)
        expect.holds(done.stdout, target, 'check ' + path)


@case
def check_of_a_path_that_leads_nowhere_fails(world):
    done = once(world.lab.environment('demo'), 'check', '/objectstore/photos')
    expect.equal(done.returncode, 1, 'exit status')
    expect.holds(done.stdout + done.stderr, 'object-store', 'check')


@case
def check_speaks_json(world):
    for arguments in (['check', '--json'], ['check', '/object-store/a', '--json']):
        done = once(world.lab.environment('demo'), *arguments)
        json.loads(done.stdout)
        expect.holds(done.stdout, world.swift, ' '.join(arguments))


@case
def health_asks_a_running_proxy(world):
    listen = ('--listen', '127.0.0.1:%d' % world.proxy.port)
    for more in ((), ('--ready',), ('--ready', '--wait', '5s')):
        done = once({}, 'health', *listen, *more)
        expect.equal(done.returncode, 0, 'exit status of health %s, %s' % (more, done.stderr))
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))
        done = once({}, 'health', '--listen', '127.0.0.1:%d' % nobody.getsockname()[1])
        expect.equal(done.returncode, 1, 'exit status of health where nothing listens')
