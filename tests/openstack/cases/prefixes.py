"""Other services than the object store, by prefix and by alias."""
import json
import uuid

from support import direct, expect, wire
from support.cases import case
from support.gatestone import Proxy


def follow(reply, prefix):
    """Where `Location` leads; it must be an address of the proxy."""
    place = reply.get('Location') or ''
    expect.that(place.startswith(prefix), 'Location is %r, not below %s' % (place, prefix))
    return place


@case
def images_are_listed(world):
    theirs = world.direct.fetch(world.direct.endpoint('image', 'GRA') + '/v2/images')
    expect.same(wire.fetch(world.proxy.url + '/image/v2/images'), theirs)


@case
def an_image_is_made_filled_and_found_by_its_location(world):
    images = world.proxy.url + '/image/v2/images'
    body = json.dumps({'name': 'tiny', 'disk_format': 'raw', 'container_format': 'bare'}).encode()
    made = wire.fetch(images, 'POST', {'Content-Type': 'application/json'}, body)
    expect.status(made, 201)
    place = follow(made, images + '/')
    data = bytes(range(256)) * 2000
    filled = wire.fetch(place + '/file', 'PUT', {'Content-Type': 'application/octet-stream'}, data)
    expect.status(filled, 204)
    found = wire.fetch(place)
    expect.status(found, 200)
    expect.equal(json.loads(found.body)['status'], 'active', 'status of the image')
    expect.that(wire.fetch(place + '/file').body == data, 'the image is not what was sent')
    expect.status(wire.fetch(place, 'DELETE'), 204)


@case
def a_resource_provider_is_found_by_its_location(world):
    with Proxy(world.lab.environment('admin')) as proxy:
        providers = proxy.url + '/placement/resource_providers'
        body = json.dumps({'name': 'rack-%s' % uuid.uuid4()}).encode()
        made = wire.fetch(providers, 'POST', {'Content-Type': 'application/json'}, body)
        expect.status(made, 201)
        place = follow(made, providers + '/')
        expect.status(wire.fetch(place), 200)
        admin = direct.login(world.lab, 'admin')
        theirs = admin.fetch(admin.endpoint('placement', 'GRA') + '/resource_providers')
        expect.same(wire.fetch(providers), theirs)
        expect.status(wire.fetch(place, 'DELETE'), 204)


@case
def the_version_list_stands_at_the_prefix(world):
    for prefix, service, tail in (('image', 'image', '/'), ('placement', 'placement', '/')):
        theirs = wire.fetch(world.direct.endpoint(service, 'GRA') + tail)
        ours = wire.fetch('%s/%s/' % (world.proxy.url, prefix))
        expect.equal(ours.status, theirs.status, prefix)


@case
def the_project_name_is_an_alias(world):
    world.put('alias', b'alias')
    reply = wire.fetch('%s/swift/%s/alias' % (world.proxy.url, world.container))
    expect.equal(reply.body, b'alias', 'body')
    expect.status(wire.fetch(world.proxy.url + '/glance/v2/images'), 200)


@case
def a_service_where_nothing_listens_is_told_apart(world):
    for prefix in ('compute', 'nova', 'network'):
        reply = wire.fetch('%s/%s/servers' % (world.proxy.url, prefix))
        expect.own_error(reply, 502, 'upstream_refused')


@case
def an_unknown_prefix_is_answered_with_those_there_are(world):
    for path in ('/objectstore/c/o', '/object-storage', '/object-storefront/c', '/none/of/these'):
        reply = wire.fetch(world.proxy.url + path)
        expect.own_error(reply, 404, 'no_such_service')
        expect.holds(reply.body, b'object-store', 'the error')
        error = json.loads(reply.body)['error']
        expect.equal((error['code'], error['reason']), (404, 'no_such_service'), 'the error')


@case
def another_host_is_refused(world):
    for host in ('evil.example', 'evil.example:%d' % world.proxy.port, '127.0.0.1.evil.example'):
        reply = wire.fetch(world.ours, headers={'Host': host})
        expect.own_error(reply, 403, 'host_refused')
    for host in ('localhost:%d' % world.proxy.port, '127.0.0.1', '[::1]:80'):
        expect.status(wire.fetch(world.ours, headers={'Host': host}), 200, host)
