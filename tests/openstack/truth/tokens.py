"""Keystone: version documents, logins, tokens."""
from truth.request import subject

REQUESTS, ask = subject('tokens', '{identity}')
NOBODY = '0' * 32
DOMAIN = {'name': 'Default'}


def password(name='{user}', secret='{password}', **domain):
    return {'methods': ['password'], 'password': {'user': {
        'name': name, 'domain': domain.get('domain', DOMAIN), 'password': secret}}}


def passcode(code, name='{timed}'):
    return {'methods': ['totp'], 'totp': {'user': {'name': name, 'domain': DOMAIN, 'passcode': code}}}


def credential(secret='{credential_secret}', **which):
    return {'methods': ['application_credential'], 'application_credential': dict(which, secret=secret)}


def login(title, identity, scope=None, path='/auth/tokens', **options):
    """A login, with what it says of the token."""
    body = {'auth': {'identity': identity}}
    if scope is not None:
        body['auth']['scope'] = scope
    ask(title, 'POST', path, body, token=None, values=(
        '$.token.methods', '$.token.user', '$.token.project', '$.token.domain', '$.token.is_domain',
        '$.token.system', '$.error.code', '$.error.title'), **options)


PROJECT = {'project': {'id': '{project_id}'}}

ask('versions at the root', 'GET', '{root}/', token=None, values=('$.versions.values[].id',))
ask('versions at the root, without a body', 'HEAD', '{root}/', token=None)
ask('the version', 'GET', '', token=None, values=('$.version.id', '$.version.links[].href'))
ask('the version, with a slash', 'GET', '/', token=None, values=('$.version.id', '$.version.links[].href'))
ask('the version, without a body', 'HEAD', '', token=None)
ask('the version as JSON-Home', 'GET', '', token=None, fields={'Accept': 'application/json-home'},
    maps=('$.resources',))
ask('a version that is gone', 'GET', '{root}/v2.0', token=None)

login('by name, for a project by id', password(), PROJECT,
      save={'listed_token': 'field X-Subject-Token'})
login('by name, for a project by name', password(),
      {'project': {'name': '{project}', 'domain': DOMAIN}}, save={'revoked_token': 'field X-Subject-Token'})
login('by id', {'methods': ['password'], 'password': {'user': {
    'id': '{user_id}', 'password': '{password}'}}}, PROJECT)
login('domain by id', password(domain={'id': 'default'}), PROJECT)
login('no scope said', password())
login('unscoped', password(), 'unscoped', save={'plain_token': 'field X-Subject-Token'})
login('no catalog', password(), PROJECT, '/auth/tokens?nocatalog')
login('an administrator for a domain', password('{admin}', '{admin_password}'), {'domain': {'id': 'default'}},
      save={'domain_token': 'field X-Subject-Token'})
login('an administrator for the system', password('{admin}', '{admin_password}'), {'system': {'all': True}},
      save={'system_token': 'field X-Subject-Token'})
login('a user without roles', password('{nobody}', '{nobody_password}'))
login('wrong password', password(secret='wrong'), PROJECT)
login('unknown user', password('no-such-user'), PROJECT)
login('unknown domain', password(domain={'name': 'no-such-domain'}), PROJECT)
login('wrong password and unknown project', password(secret='wrong'), {'project': {'id': NOBODY}})
login('a project without a role', password(), {'project': {'id': '{admin_project_id}'}})
login('a project that is not there', password(), {'project': {'id': NOBODY}})
login('a project by a name that is not there', password(),
      {'project': {'name': 'no-such-project', 'domain': DOMAIN}})
login('a project by name without its domain', password(), {'project': {'name': '{project}'}})
login('a domain without a role', password(), {'domain': {'id': 'default'}})
login('a domain that is not there', password(), {'domain': {'name': 'no-such-domain'}})
login('the system without a role', password(), {'system': {'all': True}})
login('two scopes', password(), {'project': {'id': '{project_id}'}, 'domain': {'id': 'default'}})
login('an empty scope', password(), {})
login('no methods', {'methods': []}, PROJECT)
login('a method that is not there', {'methods': ['magic'], 'magic': {}}, PROJECT)
login('a method without its part', {'methods': ['password']}, PROJECT)
login('no domain for the user', {'methods': ['password'], 'password': {'user': {
    'name': '{user}', 'password': '{password}'}}}, PROJECT)
login('no password', {'methods': ['password'], 'password': {'user': {
    'name': '{user}', 'domain': DOMAIN}}}, PROJECT)
login('a password that is a number', {'methods': ['password'], 'password': {'user': {
    'name': '{user}', 'domain': DOMAIN, 'password': 7}}}, PROJECT)
ask('no identity', 'POST', '/auth/tokens', {'auth': {}}, token=None)
ask('no auth', 'POST', '/auth/tokens', {}, token=None)
ask('no body', 'POST', '/auth/tokens', token=None)
ask('not JSON', 'POST', '/auth/tokens', '{nope', token=None, fields={'Content-Type': 'application/json'})
ask('JSON that is a list', 'POST', '/auth/tokens', [], token=None)
ask('another content type', 'POST', '/auth/tokens', 'a=b', token=None, fields={'Content-Type': 'text/plain'})

login('application credential by id', credential(id='{credential_id}'),
      save={'credential_token': 'field X-Subject-Token'})
login('application credential by name and user id', credential(name='{credential}', user={'id': '{user_id}'}))
login('application credential by name and user name', credential(
    name='{credential}', user={'name': '{user}', 'domain': DOMAIN}))
login('application credential, wrong secret', credential('wrong', id='{credential_id}'))
login('application credential, unknown', credential(id=NOBODY))
login('application credential with a scope', credential(id='{credential_id}'), PROJECT)
login('application credential by name alone', credential(name='{credential}'))

login('passcode', passcode('{passcode}'), PROJECT, save={'timed_id': 'json token.user.id'})
login('passcode and password', {**password('{timed}', '{timed_password}'), **passcode('{passcode}'),
                                'methods': ['password', 'totp']}, PROJECT)
login('passcode wrong', passcode('{wrong_passcode}'), PROJECT)
login('passcode right and password wrong', {**password('{timed}', 'wrong'), **passcode('{passcode}'),
                                            'methods': ['password', 'totp']}, PROJECT)
login('password of one with passcodes', password('{timed}', '{timed_password}'), PROJECT)

login('from an unscoped token, for a project', {'methods': ['token'], 'token': {'id': '{plain_token}'}}, PROJECT)
login('from a token, for another project', {'methods': ['token'], 'token': {'id': '{listed_token}'}},
      {'project': {'id': '{other_project_id}'}})
login('from a token, for a project without a role', {'methods': ['token'], 'token': {'id': '{listed_token}'}},
      {'project': {'id': '{admin_project_id}'}})
login('from a token, unscoped', {'methods': ['token'], 'token': {'id': '{listed_token}'}}, 'unscoped')
login('from a token of an application credential', {'methods': ['token'], 'token': {'id': '{credential_token}'}},
      {'project': {'id': '{other_project_id}'}})
login('from a token that is not there', {'methods': ['token'], 'token': {'id': 'no-such-token'}}, PROJECT)


def check(title, method, subject_token, token='{token}', path='/auth/tokens', **options):
    fields = {'X-Subject-Token': subject_token} if subject_token else {}
    ask(title, method, path, token=token, fields=fields, **options)


check('show: my own', 'GET', '{token}', values=('$.token.user.id', '$.token.project', '$.token.methods'))
check('show: my own, without a body', 'HEAD', '{token}')
check('show: without the catalog', 'GET', '{token}', path='/auth/tokens?nocatalog')
check('show: unscoped', 'GET', '{plain_token}', '{plain_token}')
check('show: of an application credential', 'GET', '{credential_token}', '{credential_token}')
check('show: for the system', 'GET', '{system_token}', '{system_token}')
check('show: another one\'s, as an administrator', 'GET', '{token}', '{system_token}')
check('show: another one\'s, as a user', 'GET', '{admin_token}')
check('show: unknown', 'GET', 'no-such-token')
check('show: unknown, without a body', 'HEAD', 'no-such-token')
check('show: no token', 'GET', '{token}', None)
check('show: a token that is not there', 'GET', '{token}', 'no-such-token')
check('show: no subject', 'GET', None)
check('show: no subject and no token', 'GET', None, None)
check('revoke: my own', 'DELETE', '{revoked_token}', '{revoked_token}')
check('revoked: shown', 'GET', '{revoked_token}')
check('revoked: used', 'GET', '{token}', '{revoked_token}')
check('revoked: revoked again', 'DELETE', '{revoked_token}')
check('revoke: unknown', 'DELETE', 'no-such-token')
check('revoke: no subject', 'DELETE', None)
check('revoke: no token', 'DELETE', '{token}', None)
check('revoke: as an administrator', 'DELETE', '{plain_token}', '{system_token}')
check('revoked by an administrator: used', 'GET', '{token}', '{plain_token}')
ask('wrong method on tokens', 'PUT', '/auth/tokens', token=None)
ask('options of tokens', 'OPTIONS', '/auth/tokens', token=None)
