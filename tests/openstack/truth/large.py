"""Swift: large objects, static and dynamic."""
from hashlib import md5

from truth.request import subject

REQUESTS, ask = subject('large', '{account}/truth-large')
A, B = b'a' * 10, b'b' * 5


def part(name, body=None, **more):
    known = {'etag': md5(body).hexdigest(), 'size_bytes': len(body)} if body else {}
    return {'path': '/truth-large/' + name, **known, **more}


GOOD = [part('s/1', A), part('s/2', B)]
WHOLE = md5(b''.join(md5(body).hexdigest().encode() for body in (A, B))).hexdigest()
PUT = '?multipart-manifest=put'
# The sum of a stored manifest: when its segments were stored is part of it.
MANIFEST = 'field X-Manifest-Etag'
JSON = {'Accept': 'application/json'}

ask('container', 'PUT')
ask('segment 1', 'PUT', '/s/1', A)
ask('segment 2', 'PUT', '/s/2', B)
ask('segment of nothing', 'PUT', '/s/0', b'')
ask('static: put', 'PUT', '/static' + PUT, GOOD, fields={
    'X-Object-Meta-Colour': 'blue', 'Content-Type': 'text/plain'})
ask('static: get', 'GET', '/static', save={'manifest_1_sum': MANIFEST})
ask('static: head', 'HEAD', '/static')
ask('static: range over segments', 'GET', '/static', fields={'Range': 'bytes=8-11'})
ask('static: ranges', 'GET', '/static', fields={'Range': 'bytes=0-0,14-14'})
ask('static: range beyond', 'GET', '/static', fields={'Range': 'bytes=15-'})
ask('static: if it is this one', 'GET', '/static', fields={'If-None-Match': '"%s"' % WHOLE})
ask('static: if it is another', 'GET', '/static', fields={'If-Match': '"other"'})
ask('static: the manifest', 'GET', '/static?multipart-manifest=get', values=('*',))
ask('static: the manifest as it was put', 'GET', '/static?multipart-manifest=get&format=raw', values=('*',))
ask('static: head of the manifest', 'HEAD', '/static?multipart-manifest=get')
ask('static: listed', 'GET', '?format=json&prefix=static', values=('*',))
ask('static: set a field', 'POST', '/static', fields={'X-Object-Meta-Shape': 'round'})
ask('static: head after', 'HEAD', '/static')
ask('static: put without sums', 'PUT', '/static-2' + PUT, [part('s/1'), part('s/2')])
ask('static: put with the sum of the whole', 'PUT', '/static-3' + PUT, GOOD, fields={'ETag': WHOLE})
ask('static: put with a wrong sum of the whole', 'PUT', '/static-4' + PUT, GOOD, fields={'ETag': '0' * 32})
ask('static: put parts of segments', 'PUT', '/static-4' + PUT, [
    part('s/1', A, range='2-4'), part('s/2', B, range='-2')])
ask('static: get parts of segments', 'GET', '/static-4', save={'manifest_2_sum': MANIFEST})
ask('static: put with data between', 'PUT', '/static-5' + PUT, [
    {'data': 'aGVsbG8='}, part('s/1', A), {'data': 'IQ=='}])
ask('static: get with data between', 'GET', '/static-5', save={'manifest_3_sum': MANIFEST})
ask('static: put of a static one', 'PUT', '/static-6' + PUT, [part('static'), part('s/2', B)])
ask('static: get of a static one', 'GET', '/static-6', save={'manifest_4_sum': MANIFEST})
for title, manifest in (
        ('a wrong sum', [part('s/1', A, etag='0' * 32), part('s/2', B)]),
        ('a wrong size', [part('s/1', A, size_bytes=99)]),
        ('a missing segment', [part('s/1', A), part('s/9', B)]),
        ('a segment of nothing', [part('s/0'), part('s/1', A)]),
        ('nothing', []),
        ('an object', {'path': '/truth-large/s/1'}),
        ('a path without an object', [{'path': '/truth-large'}]),
        ('an unknown key', [part('s/1', A, colour='blue')]),
        ('a size that is no number', [part('s/1', size_bytes='many')]),
        ('a range that is none', [part('s/1', range='all')]),
        ('a range beyond', [part('s/1', A, range='50-60')]),
        ('no JSON', b'[nope'),
        ('no body', b'')):
    ask('static: put with ' + title, 'PUT', '/static-7' + PUT, manifest)
ask('static: put with a wrong sum, as JSON', 'PUT', '/static-7' + PUT,
    [part('s/1', A, etag='0' * 32), part('s/9', B)], fields=JSON)
ask('static: put with an unknown key, as JSON', 'PUT', '/static-7' + PUT, [part('s/1', colour='blue')], fields=JSON)
ask('static: copy', 'COPY', '/static', fields={'Destination': 'truth-large/copied'})
ask('static: get the copy', 'HEAD', '/copied')
ask('static: copy of the manifest', 'COPY', '/static?multipart-manifest=get', fields={
    'Destination': 'truth-large/copied-2'})
ask('static: get the copy of the manifest', 'HEAD', '/copied-2')
ask('static: a segment changes', 'PUT', '/s/3', A)
ask('static: put over it', 'PUT', '/changed' + PUT, [part('s/3', A)])
ask('static: the segment is gone', 'DELETE', '/s/3')
ask('static: head without the segment', 'HEAD', '/changed', save={'manifest_5_sum': MANIFEST})
ask('static: get without the segment', 'GET', '/changed')
ask('static: remove the manifest', 'DELETE', '/static-2')
ask('static: the segments stay', 'HEAD', '/s/1')
ask('static: remove all of a plain object', 'DELETE', '/s/0?multipart-manifest=delete', fields=JSON, values=('*',))
ask('static: remove all of a missing one', 'DELETE', '/missing?multipart-manifest=delete', fields=JSON,
    values=('*',))
ask('static: remove all, as text', 'DELETE', '/changed?multipart-manifest=delete')
ask('static: remove all, as JSON', 'DELETE', '/static?multipart-manifest=delete', fields=JSON, values=('*',))
ask('static: all is gone', 'HEAD', '/s/1')

ask('dynamic: segment 1', 'PUT', '/d/1', A)
ask('dynamic: segment 2', 'PUT', '/d/2', B)
ask('dynamic: put', 'PUT', '/dynamic', b'', fields={
    'X-Object-Manifest': 'truth-large/d/', 'Content-Type': 'text/plain', 'X-Object-Meta-Colour': 'blue'})
ask('dynamic: get', 'GET', '/dynamic')
ask('dynamic: head', 'HEAD', '/dynamic')
ask('dynamic: range over segments', 'GET', '/dynamic', fields={'Range': 'bytes=8-11'})
ask('dynamic: the last three', 'GET', '/dynamic', fields={'Range': 'bytes=-3'})
ask('dynamic: range beyond', 'GET', '/dynamic', fields={'Range': 'bytes=15-'})
ask('dynamic: if it is this one', 'GET', '/dynamic', fields={'If-None-Match': '"%s"' % WHOLE})
ask('dynamic: the manifest', 'GET', '/dynamic?multipart-manifest=get')
ask('dynamic: head of the manifest', 'HEAD', '/dynamic?multipart-manifest=get')
ask('dynamic: listed', 'GET', '?format=json&prefix=dynamic', values=('*',))
ask('dynamic: one more segment', 'PUT', '/d/3', b'c')
ask('dynamic: get more', 'GET', '/dynamic')
ask('dynamic: set a field', 'POST', '/dynamic', fields={'X-Object-Meta-Shape': 'round'})
ask('dynamic: head after', 'HEAD', '/dynamic')
ask('dynamic: of nothing', 'PUT', '/dynamic-2', b'', fields={'X-Object-Manifest': 'truth-large/none/'})
ask('dynamic: get of nothing', 'GET', '/dynamic-2')
ask('dynamic: of UTF-8', 'PUT', '/dynamic-3', b'', fields={'X-Object-Manifest': 'truth-large/%C3%A4'})
ask('dynamic: head of UTF-8', 'HEAD', '/dynamic-3')
ask('dynamic: of a container', 'PUT', '/dynamic-4', b'', fields={'X-Object-Manifest': 'truth-large'})
ask('dynamic: with a question mark', 'PUT', '/dynamic-4', b'', fields={'X-Object-Manifest': 'truth-large/a?b'})
ask('dynamic: copy', 'COPY', '/dynamic', fields={'Destination': 'truth-large/joined'})
ask('dynamic: get the copy', 'HEAD', '/joined')
ask('dynamic: remove', 'DELETE', '/dynamic')
ask('dynamic: the segments stay', 'HEAD', '/d/1')
