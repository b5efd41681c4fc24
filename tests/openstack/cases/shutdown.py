"""Ending the proxy ends no transfer."""
import os

from support import expect, wire
from support.cases import case
from support.gatestone import Proxy, wait_until


@case
def a_download_in_flight_finishes(world):
    block = os.urandom(1 << 20)
    expect.status(world.direct.fetch(world.theirs + '/long', 'PUT', body=block * 48), 201)
    with Proxy(world.lab.environment('demo')) as proxy:
        host, port, target = wire.split('%s/object-store/%s/long' % (proxy.url, world.container))
        with wire.Connection(host, port) as connection:
            connection.send_head('GET', target, {})
            reply = connection.read_head()
            pieces = connection.pieces('GET', reply)
            got = [next(pieces)]
            proxy.terminate()
            expect.that(wait_until(lambda: refuses(host, port)), 'it still takes connections')
            got += pieces
        expect.that(b''.join(got) == block * 48, 'the download is not the object')
        expect.equal(proxy.stop(), 0, 'exit status')
    world.direct.fetch(world.theirs + '/long', 'DELETE')


def refuses(host, port):
    try:
        wire.Connection(host, port, timeout=1).close()
        return False
    except OSError:
        return True


@case
def an_idle_proxy_ends_at_once(world):
    proxy = Proxy(world.lab.environment('demo'))
    host, port, target = wire.split(proxy.url + '/-/livez')
    with wire.Connection(host, port) as connection:
        connection.request('GET', target)
        expect.equal(proxy.stop(5), 0, 'exit status with an idle connection')
