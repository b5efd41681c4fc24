"""The same object name in two regions is two objects."""
import tempfile

from support import expect, wire
from support.cases import case
from support.gatestone import Proxy


def place(world):
    """Store another content under one name in each region."""
    for region in world.lab.facts['regions']:
        url = '%s/%s/where' % (world.direct.endpoint('object-store', region), world.container)
        expect.status(world.direct.fetch(url, 'PUT', body=region.encode()), 201)


def read(proxy, world, prefix='object-store'):
    reply = wire.fetch('%s/%s/%s/where' % (proxy.url, prefix, world.container))
    expect.status(reply, 200, prefix)
    return reply.body.decode()


@case
def the_prefix_names_the_region(world):
    place(world)
    expect.equal(read(world.proxy, world), 'GRA', 'without a region')
    for sign in ('@', '%40'):
        for region in world.lab.facts['regions']:
            prefix = 'object-store' + sign + region
            expect.equal(read(world.proxy, world, prefix), region, prefix)


@case
def a_region_the_catalog_lacks_is_named(world):
    reply = wire.fetch(world.proxy.url + '/object-store@NOWHERE/c/o')
    expect.own_error(reply, 404, 'no_such_region')
    expect.holds(reply.body, b'GRA', 'the error')


@case
def flag_goes_before_environment_before_file(world):
    place(world)
    with tempfile.NamedTemporaryFile('w', suffix='.toml') as file:
        file.write('region = "GRA"\n')
        file.flush()
        cloud = {k: v for k, v in world.lab.environment('demo').items() if k != 'OS_REGION_NAME'}
        with Proxy(cloud, '--config', file.name) as proxy:
            expect.equal(read(proxy, world), 'GRA', 'region of the file')
        with Proxy(dict(cloud, GATESTONE_REGION='SBG'), '--config', file.name) as proxy:
            expect.equal(read(proxy, world), 'SBG', 'region of the environment')
        with Proxy(dict(cloud, GATESTONE_REGION='SBG', GATESTONE_CONFIG=file.name),
                   '--region', 'GRA') as proxy:
            expect.equal(read(proxy, world), 'GRA', 'region of the flag')


@case
def a_service_has_a_region_of_its_own(world):
    place(world)
    with tempfile.NamedTemporaryFile('w', suffix='.toml') as file:
        file.write('[service.object-store]\nregion = "SBG"\n')
        file.flush()
        with Proxy(world.lab.environment('demo'), '--config', file.name) as proxy:
            expect.equal(read(proxy, world), 'SBG', 'region of the service')
            expect.equal(read(proxy, world, 'object-store@GRA'), 'GRA', 'region of the prefix')


@case
def another_interface_is_chosen(world):
    place(world)
    with Proxy(world.lab.environment('demo'), '--interface', 'internal') as proxy:
        expect.equal(read(proxy, world), 'GRA', 'over the internal interface')
