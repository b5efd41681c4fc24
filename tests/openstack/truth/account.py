"""Swift: the account, who may enter it, what the store can do."""
from truth.request import subject

REQUESTS, ask = subject('account', '{account}')
JSON = {'Accept': 'application/json'}
# Swift counts an account's containers and bytes later, in another process.
COUNTS = ('x-account-object-count', 'x-account-bytes-used', 'x-account-container-count',
          'x-account-storage-policy-*-object-count', 'x-account-storage-policy-*-bytes-used',
          'x-account-storage-policy-*-container-count')

ask('set a field', 'POST', fields={'X-Account-Meta-Truth': 'told'})
ask('a container to be listed', 'PUT', '/truth-account-1')
ask('another', 'PUT', '/truth-account-2')
ask('head', 'HEAD', loose=COUNTS)
ask('list as text', 'GET', '?prefix=truth-account', loose=COUNTS)
ask('list as JSON', 'GET', '?prefix=truth-account&format=json', loose=COUNTS, values=('$[].name',))
ask('list by Accept', 'GET', '?prefix=truth-account', fields=JSON, loose=COUNTS)
ask('list as XML', 'GET', '?prefix=truth-account&format=xml', loose=COUNTS)
ask('list two kinds of Accept', 'GET', '?prefix=truth-account', loose=COUNTS,
    fields={'Accept': 'application/xml;q=0.5, application/json'})
ask('list after a marker', 'GET', '?prefix=truth-account&marker=truth-account-1', loose=COUNTS)
ask('list up to an end marker', 'GET', '?prefix=truth-account&end_marker=truth-account-2', loose=COUNTS)
ask('list one', 'GET', '?prefix=truth-account&limit=1', loose=COUNTS)
ask('list backwards', 'GET', '?prefix=truth-account&reverse=on', loose=COUNTS)
ask('list by a delimiter', 'GET', '?prefix=truth-&delimiter=-&format=json', loose=COUNTS, values=('*',))
ask('list nothing as text', 'GET', '?prefix=nothing-here', loose=COUNTS)
ask('list nothing as JSON', 'GET', '?prefix=nothing-here&format=json', loose=COUNTS, values=('*',))
ask('list nothing as XML', 'GET', '?prefix=nothing-here&format=xml', loose=COUNTS)
ask('list too many', 'GET', '?limit=10001')
ask('list an unknown kind', 'GET', '?prefix=truth-account', fields={'Accept': 'image/png'})
ask('head as JSON', 'HEAD', '?format=json', loose=COUNTS)
ask('change the field and set another', 'POST', fields={
    'X-Account-Meta-Truth': 'retold', 'X-Account-Meta-More': '1'})
ask('remove the field', 'POST', fields={'X-Remove-Account-Meta-More': 'x', 'X-Account-Meta-Truth': ''})
ask('head after', 'HEAD', loose=COUNTS)
ask('a field with too long a name', 'POST', fields={'X-Account-Meta-' + 'a' * 129: '1'})
ask('a field with too long a value', 'POST', fields={'X-Account-Meta-Long': 'a' * 257})
ask('make an account', 'PUT')
ask('remove an account', 'DELETE')
ask('wrong method', 'PATCH')

ask('without a token', 'GET', token=None)
ask('with a token that is not there', 'GET', token='no-such-token')
ask('with a token that is revoked', 'GET', token='{revoked_token}')
ask('with an unscoped token', 'GET', token='{unscoped_token}')
ask('without a token, no body', 'HEAD', token=None)
ask('the account of others', 'GET', '{admin_account}')
ask('the account of others, writing', 'PUT', '{admin_account}/truth')
ask('an account of another kind', 'GET', '{swift_version}/no-such-account')
ask('the older field for a token', 'HEAD', token=None, fields={'X-Storage-Token': '{token}'}, loose=COUNTS)
ask('a path without an account', 'GET', '{swift_version}')
ask('a path without a version', 'GET', '{swift}/')
ask('the second version', 'GET', '{swift}/v2/{account_name}')
ask('what it can do', 'GET', '{swift}/info', token=None)
ask('what it can do, without a body', 'HEAD', '{swift}/info', token=None)
ask('what it can do, wrong method', 'POST', '{swift}/info', token=None)
ask('health', 'GET', '{swift}/healthcheck', token=None)
for n in '12':
    ask('remove container ' + n, 'DELETE', '/truth-account-' + n)
