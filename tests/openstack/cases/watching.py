"""The proxy's own pages."""
import json

from support import expect, wire
from support.cases import case


@case
def it_lives_and_is_ready(world):
    for path in ('/-/livez', '/-/readyz'):
        expect.status(wire.fetch(world.proxy.url + path), 200, path)


@case
def status_is_json(world):
    reply = wire.fetch(world.proxy.url + '/-/status')
    expect.status(reply, 200)
    expect.that(isinstance(json.loads(reply.body), dict), 'status is no JSON object')
    expect.holds(reply.body, b'demo', 'status')


@case
def metrics_are_counted(world):
    reply = wire.fetch(world.proxy.url + '/-/metrics')
    expect.status(reply, 200)
    expect.holds(reply.body, b'gatestone_token_refreshes_total{outcome="success"}', 'metrics')


@case
def the_front_page_names_the_prefixes(world):
    reply = wire.fetch(world.proxy.url + '/')
    expect.status(reply, 200)
    for prefix in (b'object-store', b'image', b'placement'):
        expect.holds(reply.body, prefix, 'the front page')


@case
def no_other_page_of_its_own(world):
    expect.status(wire.fetch(world.proxy.url + '/-/nothing'), 404)
