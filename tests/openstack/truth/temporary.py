"""Swift: temporary URLs."""
import hmac

from truth.request import subject, value

REQUESTS, ask = subject('temporary', '{account}')
KEY = 'a-key-for-all-that-is-temporary'
THEN = 4070908800
PATH = '/truth-temporary/report.txt'


def signed(method, path=PATH, expires=THEN, key=KEY, digest='sha256', rest=''):
    """A function from a cloud's values to a temporary URL there."""
    def url(values):
        account = value(values, 'account')
        signature = hmac.digest(key.encode(), ('%s\n%d\n%s%s' % (
            method, expires, account[account.index('/v1/'):], path)).encode(), digest).hex()
        return '%s%s?temp_url_sig=%s&temp_url_expires=%d%s' % (account, path, signature, expires, rest)
    return url


def by_url(title, method, *path, body=None, **options):
    ask(title, method, signed(*path, **options), body, token=None)


ask('set the key', 'POST', '', fields={'X-Account-Meta-Temp-URL-Key': KEY})
ask('container', 'PUT', '/truth-temporary')
ask('object', 'PUT', PATH, b'a report', fields={'Content-Type': 'text/plain'})
by_url('get', 'GET', 'GET')
by_url('head by a URL to get', 'HEAD', 'GET')
by_url('get with another name', 'GET', 'GET', rest='&filename=other%20name.txt')
by_url('get to be shown', 'GET', 'GET', rest='&inline')
by_url('put by a URL to get', 'PUT', 'GET', body=b'no')
by_url('put', 'PUT', 'PUT', '/truth-temporary/new', body=b'new')
by_url('get what was put', 'HEAD', 'HEAD', '/truth-temporary/new')
by_url('get after its time', 'GET', 'GET', expires=1000000000)
by_url('get with a wrong key', 'GET', 'GET', key='wrong')
by_url('head with a wrong key', 'HEAD', 'GET', key='wrong')
by_url('get with an older sum', 'GET', 'GET', digest='sha1')
by_url('get with a longer sum', 'GET', 'GET', digest='sha512')
ask('get without a time', 'GET', PATH + '?temp_url_sig=abc', token=None)
ask('get with a time that is none', 'GET', PATH + '?temp_url_sig=abc&temp_url_expires=soon', token=None)
by_url('get a missing one', 'GET', 'GET', '/truth-temporary/missing')
by_url('remove by a URL for it', 'DELETE', 'DELETE')
ask('remove the key', 'POST', '', fields={'X-Remove-Account-Meta-Temp-URL-Key': 'x'})
