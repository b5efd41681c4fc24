"""Swift: parts of objects, and objects on conditions."""
from hashlib import md5

from truth.request import subject

REQUESTS, ask = subject('conditions', '{account}/truth-conditions')
DIGITS = b'0123456789' * 2
SUM = md5(DIGITS).hexdigest()
PAST = 'Sat, 01 Jan 2000 00:00:00 GMT'
FUTURE = 'Thu, 01 Jan 2099 00:00:00 GMT'

ask('container', 'PUT')
ask('object', 'PUT', '/digits', DIGITS, fields={'Content-Type': 'text/plain'})
ask('when it was', 'HEAD', '/digits', save={'modified': 'field Last-Modified'})

for title, what in (
        ('the first five', 'bytes=0-4'), ('from the fifth', 'bytes=5-'), ('the last five', 'bytes=-5'),
        ('one', 'bytes=0-0'), ('beyond the end', 'bytes=15-99'), ('from beyond the end', 'bytes=20-30'),
        ('the last hundred', 'bytes=-100'), ('the last nothing', 'bytes=-0'), ('backwards', 'bytes=5-2'),
        ('two', 'bytes=0-1,18-19'), ('two, one of them beyond', 'bytes=0-1,90-99'),
        ('two beyond', 'bytes=50-51,90-99'), ('overlapping', 'bytes=0-9,5-14'),
        ('another unit', 'lines=0-4'), ('no numbers', 'bytes=a-b'), ('nothing', 'bytes=')):
    ask('range, ' + title, 'GET', '/digits', fields={'Range': what})
ask('range of a head', 'HEAD', '/digits', fields={'Range': 'bytes=0-4'})
ask('range if it is this one', 'GET', '/digits', fields={'Range': 'bytes=0-4', 'If-Range': '"%s"' % SUM})
ask('range if it is another', 'GET', '/digits', fields={'Range': 'bytes=0-4', 'If-Range': '"other"'})
ask('range if it is of then', 'GET', '/digits', fields={'Range': 'bytes=0-4', 'If-Range': '{modified}'})
ask('range if it is of another time', 'GET', '/digits', fields={'Range': 'bytes=0-4', 'If-Range': PAST})

for method in ('GET', 'HEAD'):
    for title, fields in (
            ('if it is this one', {'If-Match': '"%s"' % SUM}),
            ('if it is this one, unquoted', {'If-Match': SUM}),
            ('if it is one of these', {'If-Match': '"other", "%s"' % SUM}),
            ('if it is another', {'If-Match': '"other"'}),
            ('if it is any', {'If-Match': '*'}),
            ('if it is not this one', {'If-None-Match': '"%s"' % SUM}),
            ('if it is not another', {'If-None-Match': '"other"'}),
            ('if it is none', {'If-None-Match': '*'}),
            ('if it was changed since then', {'If-Modified-Since': '{modified}'}),
            ('if it was changed since the past', {'If-Modified-Since': PAST}),
            ('if it was changed since the future', {'If-Modified-Since': FUTURE}),
            ('if it was not changed since then', {'If-Unmodified-Since': '{modified}'}),
            ('if it was not changed since the past', {'If-Unmodified-Since': PAST})):
        if method == 'GET' or 'another' in title or 'not this' in title:
            ask('%s %s' % (method.lower(), title), method, '/digits', fields=fields)
ask('get if it was changed since no time', 'GET', '/digits', fields={'If-Modified-Since': 'long ago'})
ask('get a missing one if it is any', 'GET', '/missing', fields={'If-Match': '*'})
ask('get a missing one if it is none', 'GET', '/missing', fields={'If-None-Match': '*'})
ask('range of a missing one', 'GET', '/missing', fields={'Range': 'bytes=0-4'})
ask('an empty object', 'PUT', '/empty', b'')
ask('range of an empty object', 'GET', '/empty', fields={'Range': 'bytes=0-4'})
ask('the last of an empty object', 'GET', '/empty', fields={'Range': 'bytes=-4'})
