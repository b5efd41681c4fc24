"""Swift: lists of a container's objects."""
from truth.request import subject

REQUESTS, ask = subject('listings', '{account}/truth-listings')

ask('container', 'PUT')
for name, kind in (('a.txt', 'text/plain'), ('b/1.txt', 'text/plain'), ('b/2.txt', 'text/plain'),
                   ('b/c/3.txt', 'text/plain'), ('d.jpg', None), ('e%20f%26g%3Ch.txt', 'text/plain; charset=utf-8'),
                   ('%C3%A4.txt', 'text/plain'), ('~', 'application/x-"odd"')):
    ask('object ' + name, 'PUT', '/' + name, ('of ' + name).encode(),
        fields={'Content-Type': kind} if kind else {})


def listed(title, query, **options):
    ask(title, 'GET', '?' + query, values=('*',), **options)


listed('as text', '')
listed('as JSON', 'format=json')
listed('as XML', 'format=xml')
listed('as an unknown format', 'format=yaml')
listed('by Accept', '', fields={'Accept': 'application/json'})
listed('by Accept, XML', '', fields={'Accept': 'text/xml'})
listed('format beats Accept', 'format=xml', fields={'Accept': 'application/json'})
listed('by Accept, anything', '', fields={'Accept': '*/*'})
listed('by Accept, unknown', '', fields={'Accept': 'image/png'})
listed('prefix', 'prefix=b/')
listed('prefix of nothing', 'prefix=zzz')
listed('prefix of nothing as JSON', 'prefix=zzz&format=json')
listed('prefix of UTF-8', 'prefix=%C3%A4')
listed('prefix that is not UTF-8', 'prefix=%FF')
listed('delimiter', 'delimiter=/')
listed('delimiter as JSON', 'delimiter=/&format=json')
listed('delimiter as XML', 'delimiter=/&format=xml')
listed('delimiter and prefix', 'delimiter=/&prefix=b/')
listed('delimiter and prefix without the slash', 'delimiter=/&prefix=b')
listed('delimiter of two letters', 'delimiter=.t')
listed('path', 'path=b')
listed('marker', 'marker=b/2.txt')
listed('marker that is not there', 'marker=c')
listed('end marker', 'end_marker=b/2.txt')
listed('marker and end marker', 'marker=a.txt&end_marker=d.jpg')
listed('limit', 'limit=2')
listed('limit and marker', 'limit=2&marker=b/1.txt')
listed('limit of nothing', 'limit=0')
listed('limit too large', 'limit=10001')
listed('limit that is no number', 'limit=many')
listed('limit below nothing', 'limit=-1')
listed('backwards', 'reverse=true')
listed('backwards and limit', 'reverse=1&limit=3')
listed('backwards and marker', 'reverse=true&marker=d.jpg')
listed('backwards and delimiter', 'reverse=true&delimiter=/')
listed('delimiter and marker', 'delimiter=/&marker=b/')
listed('delimiter and limit', 'delimiter=/&limit=2')
ask('head', 'HEAD')
ask('head as JSON', 'HEAD', '?format=json')
ask('an object is gone', 'DELETE', '/a.txt')
ask('another is larger', 'PUT', '/b/1.txt', b'larger than it was', fields={'Content-Type': 'text/html'})
listed('after it', 'format=json&prefix=')
ask('head after', 'HEAD')
