"""Swift: removing many at once."""
from truth.request import subject

REQUESTS, ask = subject('bulk', '{account}')
BULK = '?bulk-delete'
TEXT = {'Content-Type': 'text/plain'}
JSON = dict(TEXT, Accept='application/json')

ask('container', 'PUT', '/truth-bulk')
ask('another container', 'PUT', '/truth-bulk-2')
for name in ('a', 'b', 'c', 'd', 'e', '%C3%A4%20f'):
    ask('object ' + name, 'PUT', '/truth-bulk/' + name, b'x')
ask('as text', 'POST', BULK, '/truth-bulk/a\n/truth-bulk/missing\n', fields=TEXT)
ask('as JSON', 'POST', BULK, 'truth-bulk/b\n/truth-bulk/missing', fields=JSON, values=('*',))
ask('as XML', 'POST', BULK, '/truth-bulk/c\n', fields=dict(TEXT, Accept='application/xml'))
ask('a name of UTF-8', 'POST', BULK, '/truth-bulk/%C3%A4%20f\n', fields=JSON, values=('*',))
ask('with DELETE', 'DELETE', BULK, '/truth-bulk/d\n', fields=JSON, values=('*',))
ask('nothing', 'POST', BULK, '', fields=JSON, values=('*',))
ask('blank lines', 'POST', BULK, '\n\n', fields=JSON, values=('*',))
ask('containers, one of them not empty', 'POST', BULK, '/truth-bulk\n/truth-bulk-2\n', fields=JSON, values=('*',))
ask('in a missing container', 'POST', BULK, '/truth-missing/a\n', fields=JSON, values=('*',))
ask('too long a name', 'POST', BULK, '/truth-bulk/%s\n' % ('o' * 3100), fields=JSON)
ask('without a length', 'POST', BULK, None, fields=JSON)
ask('in the account of others', 'POST', '{admin_account}' + BULK, '/truth/a\n', fields=JSON)
ask('without a token', 'POST', BULK, '/truth-bulk/e\n', token=None, fields=JSON)
ask('by the container', 'POST', '/truth-bulk' + BULK, '/truth-bulk/e\n', fields=JSON, values=('*',))
ask('what is left', 'GET', '/truth-bulk?format=json', values=('*',))
