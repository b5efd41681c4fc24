"""Objects through the proxy behave as they do at Swift itself."""
import hashlib
import json
import os

from support import expect, wire
from support.cases import case


@case
def an_object_is_put_got_and_deleted(world):
    body = os.urandom(300_000)
    made = wire.fetch(world.ours + '/life', 'PUT', {'Content-Type': 'image/png'}, body)
    expect.status(made, 201)
    expect.equal(made.get('Etag').strip('"'), hashlib.md5(body).hexdigest(), 'Etag')
    got = wire.fetch(world.ours + '/life')
    expect.same(got, world.direct.fetch(world.theirs + '/life'))
    expect.that(got.body == body, 'the body came back changed')
    expect.status(wire.fetch(world.ours + '/life', 'DELETE'), 204)
    expect.same(wire.fetch(world.ours + '/life'), world.direct.fetch(world.theirs + '/life'))


@case
def metadata_is_posted(world):
    world.put('meta', b'x')
    expect.status(wire.fetch(world.ours + '/meta', 'POST', {'X-Object-Meta-Colour': 'grün'}, b''), 202)
    theirs = world.direct.fetch(world.theirs + '/meta', 'HEAD')
    expect.equal(theirs.get('X-Object-Meta-Colour').encode('latin-1').decode(), 'grün', 'metadata')
    expect.same(wire.fetch(world.ours + '/meta', 'HEAD'), theirs)


@case
def an_object_is_copied(world):
    world.put('original', b'copy me')
    made = wire.fetch(world.ours + '/original', 'COPY', {'Destination': world.container + '/copied'})
    expect.status(made, 201)
    expect.equal(wire.fetch(world.ours + '/copied').body, b'copy me', 'copy')
    made = wire.fetch(world.ours + '/again', 'PUT', {'X-Copy-From': world.container + '/original'}, b'')
    expect.status(made, 201)
    expect.equal(wire.fetch(world.ours + '/again').body, b'copy me', 'copy')


@case
def ranges_are_served(world):
    world.put('digits', b'0123456789')
    for wanted in ('bytes=0-3', 'bytes=-4', 'bytes=6-', 'bytes=20-30'):
        expect.same(wire.fetch(world.ours + '/digits', headers={'Range': wanted}),
                    world.direct.fetch(world.theirs + '/digits', headers={'Range': wanted}))
    # the boundary between the parts is made up anew for each reply
    many = {'Range': 'bytes=0-1,4-5'}
    reply = wire.fetch(world.ours + '/digits', headers=many)
    expect.same(reply, world.direct.fetch(world.theirs + '/digits', headers=many),
                ignore=('body', 'content-type'))
    expect.status(reply, 206)
    expect.holds(reply.body, b'45\r\n', 'the reply to two ranges')


@case
def conditions_are_kept(world):
    world.put('conditional', b'abc')
    etag = hashlib.md5(b'abc').hexdigest()
    for condition, status in (({'If-None-Match': etag}, 304), ({'If-Match': etag}, 200),
                              ({'If-Match': 'another'}, 412),
                              ({'If-Modified-Since': 'Sun, 01 Jan 2040 00:00:00 GMT'}, 304),
                              ({'If-Unmodified-Since': 'Sat, 01 Jan 2000 00:00:00 GMT'}, 412)):
        ours = wire.fetch(world.ours + '/conditional', headers=condition)
        expect.status(ours, status, str(condition))
        expect.same(ours, world.direct.fetch(world.theirs + '/conditional', headers=condition))
    reply = wire.fetch(world.ours + '/conditional', 'PUT', {'If-None-Match': '*'}, b'new')
    expect.status(reply, 412)


@case
def a_chunked_upload_arrives_whole(world):
    pieces = [os.urandom(size) for size in (1, 70_000, 200_000, 3)]
    expect.status(wire.fetch(world.ours + '/chunked', 'PUT', body=iter(pieces)), 201)
    got = world.direct.fetch(world.theirs + '/chunked')
    expect.that(got.body == b''.join(pieces), 'the object is not what was sent')


@case
def an_upload_waits_for_100_continue(world):
    for size in (5, 300_000):
        body = os.urandom(size)
        reply = wire.fetch(world.ours + '/expected', 'PUT', {'Expect': '100-continue'}, body)
        expect.status(reply, 201)
        expect.equal(reply.interim, [100], 'interim replies')
        got = world.direct.fetch(world.theirs + '/expected')
        expect.that(got.body == body, 'the object is not what was sent')


@case
def an_upload_that_is_refused_is_not_asked_for(world):
    headers = {'Expect': '100-continue'}
    body = b'x' * 300_000
    path = '/missing-container/object'
    theirs = world.direct.fetch(world.swift + path, 'PUT', headers, body)
    ours = wire.fetch(world.proxy.url + '/object-store' + path, 'PUT', headers, body)
    expect.same(ours, theirs)
    expect.equal(ours.interim, theirs.interim, 'interim replies')


@case
def more_than_a_hundred_fields_pass(world):
    # one letter each: ext4 keeps 4 KiB of an object's metadata
    fields = {'X-Object-Meta-%02d' % n: 'm' for n in range(90)}
    fields |= {'Content-Disposition': 'm', 'Content-Language': 'm', 'Cache-Control': 'm'}
    expect.status(wire.fetch(world.ours + '/many', 'PUT', fields, b'many'), 201)
    for method in ('HEAD', 'GET'):
        ours = wire.fetch(world.ours + '/many', method)
        expect.that(len(ours.fields) > 100, 'only %d fields came back' % len(ours.fields))
        expect.same(ours, world.direct.fetch(world.theirs + '/many', method))


@case
def odd_names_reach_swift_as_they_were_sent(world):
    odd = ('two%20words', 'plus+sign', 'caf%C3%A9', '%E2%98%83', 'a//b', 'a///', 'a%2Fb',
           'percent%2525', 'question%3Fmark', 'hash%23', 'semi;colon=1', "quote'(1)!*~",
           'colon:at@', 'back%5Cslash', 'v1', '.hidden', 'dots...', 'lower%c3%a9')
    for name in odd:
        body = name.encode()
        expect.status(wire.fetch(world.ours + '/' + name, 'PUT', body=body), 201, name)
        got = world.direct.fetch(world.theirs + '/' + name)
        expect.status(got, 200, name)
        expect.equal(got.body, body, name)
        expect.same(wire.fetch(world.ours + '/' + name), got)


@case
def a_path_that_steps_out_of_the_account_is_refused(world):
    for path in ('/../../AUTH_other/c/o', '/c/../../../AUTH_other/c', '/%2e%2e/AUTH_other/c',
                 '/c%2F..%2F..%2F..%2FAUTH_other', '/c/..%5C..%5C..%5Cx'):
        reply = wire.fetch(world.proxy.url + '/object-store' + path)
        expect.own_error(reply, 400, 'bad_request')


@case
def a_large_object_of_segments_is_made(world):
    parts = [os.urandom(200_000), os.urandom(100_000)]
    manifest = []
    for n, part in enumerate(parts):
        expect.status(wire.fetch('%s/segment/%d' % (world.ours, n), 'PUT', body=part), 201)
        manifest.append({'path': '/%s/segment/%d' % (world.container, n), 'size_bytes': len(part),
                         'etag': hashlib.md5(part).hexdigest()})
    made = wire.fetch(world.ours + '/large?multipart-manifest=put', 'PUT',
                      body=json.dumps(manifest).encode())
    expect.status(made, 201)
    got = wire.fetch(world.ours + '/large')
    expect.that(got.body == b''.join(parts), 'the object is not its segments')
    expect.equal(got.get('X-Static-Large-Object'), 'True', 'X-Static-Large-Object')
    gone = wire.fetch(world.ours + '/large?multipart-manifest=delete', 'DELETE',
                      {'Accept': 'application/json'})
    expect.equal(json.loads(gone.body)['Number Deleted'], 3, 'number deleted')


@case
def listings_are_the_same_in_every_format(world):
    for query in ('', '?format=json', '?format=xml', '?prefix=a&delimiter=/&limit=3'):
        expect.same(wire.fetch(world.ours + query), world.direct.fetch(world.theirs + query))
    for accept in ('text/plain', 'application/json', 'application/xml'):
        headers = {'Accept': accept}
        expect.same(wire.fetch(world.ours, headers=headers),
                    world.direct.fetch(world.theirs, headers=headers))


@case
def the_account_answers_under_each_of_its_paths(world):
    theirs = world.direct.fetch(world.swift, 'HEAD')
    tail = world.swift[world.swift.index('/v1/'):]
    for path in ('', '/', tail):
        ours = wire.fetch(world.proxy.url + '/object-store' + path, 'HEAD')
        expect.same(ours, theirs, ignore=('x-timestamp',))


@case
def info_tells_what_swift_can_do(world):
    root = world.swift[:world.swift.index('/v1/')]
    expect.same(wire.fetch(world.proxy.url + '/object-store/info'), wire.fetch(root + '/info'))


@case
def one_connection_serves_many_requests(world):
    world.put('kept', b'kept')
    host, port, target = wire.split(world.ours + '/kept')
    with wire.Connection(host, port) as connection:
        for method in ('GET', 'HEAD', 'GET', 'POST', 'GET', 'HEAD') * 5:
            reply = connection.request(method, target, body=b'' if method == 'POST' else None)
            expect.that(reply.status in (200, 202), '%s: %d' % (method, reply.status))
