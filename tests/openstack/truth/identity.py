"""Keystone: what a token may see, projects, users, application credentials."""
from truth.request import subject

REQUESTS, ask = subject('identity', '{identity}')
NOBODY = '0' * 32
USER = '/users/{user_id}'
CREDENTIALS = USER + '/application_credentials'

ask('my projects', 'GET', '/auth/projects')
ask('my projects, unscoped', 'GET', '/auth/projects', token='{unscoped_token}')
ask('my projects, without a body', 'HEAD', '/auth/projects')
ask('my domains', 'GET', '/auth/domains')
ask('my domains, as an administrator', 'GET', '/auth/domains', token='{admin_token}')
ask('my systems', 'GET', '/auth/system')
ask('my systems, as an administrator', 'GET', '/auth/system', token='{admin_token}', values=('*',))
ask('my catalog', 'GET', '/auth/catalog')
ask('my catalog, unscoped', 'GET', '/auth/catalog', token='{unscoped_token}')
ask('my projects without a token', 'GET', '/auth/projects', token=None)
ask('my catalog with a token that is not there', 'GET', '/auth/catalog', token='no-such-token')

ask('all projects, as a user', 'GET', '/projects')
ask('all projects, as an administrator', 'GET', '/projects', token='{admin_token}')
ask('projects by name', 'GET', '/projects?name={project}', token='{admin_token}', values=('$.projects[].id',))
ask('projects by a name that is not there', 'GET', '/projects?name=no-such-project', token='{admin_token}')
ask('all projects without a token', 'GET', '/projects', token=None)
ask('my project', 'GET', '/projects/{project_id}', values=('*',))
ask('my project, without a body', 'HEAD', '/projects/{project_id}')
ask('a project of others', 'GET', '/projects/{admin_project_id}')
ask('a project that is not there', 'GET', '/projects/' + NOBODY)
ask('a project that is not there, as an administrator', 'GET', '/projects/' + NOBODY, token='{admin_token}')
ask('me', 'GET', USER, values=('$.user.id', '$.user.name', '$.user.domain_id', '$.user.enabled'))
ask('another user', 'GET', '/users/{admin_id}')
ask('another user, as an administrator', 'GET', USER, token='{admin_token}')
ask('a user that is not there, as an administrator', 'GET', '/users/' + NOBODY, token='{admin_token}')
ask('my projects by my id', 'GET', USER + '/projects')
ask('all users, as a user', 'GET', '/users')
ask('all users, as an administrator', 'GET', '/users', token='{admin_token}')
ask('all roles, as a user', 'GET', '/roles')
ask('all roles, as an administrator', 'GET', '/roles', token='{admin_token}')
ask('all domains, as an administrator', 'GET', '/domains', token='{admin_token}')
ask('the domain', 'GET', '/domains/default', token='{admin_token}', values=('$.domain.id', '$.domain.name'))
ask('all regions', 'GET', '/regions')
ask('all services, as an administrator', 'GET', '/services', token='{admin_token}')
ask('all endpoints, as an administrator', 'GET', '/endpoints', token='{admin_token}')
ask('all services, as a user', 'GET', '/services')

ask('my application credentials', 'GET', CREDENTIALS)
ask('application credentials of others', 'GET', '/users/{admin_id}/application_credentials')
ask('make an application credential', 'POST', CREDENTIALS, {'application_credential': {
    'name': 'truth', 'description': 'to be compared'}},
    save={'made_id': 'json application_credential.id', 'made_secret': 'json application_credential.secret'},
    values=('$.application_credential.name', '$.application_credential.description',
            '$.application_credential.unrestricted', '$.application_credential.project_id'))
ask('make one of the same name', 'POST', CREDENTIALS, {'application_credential': {'name': 'truth'}})
ask('make one with a secret, an end and roles', 'POST', CREDENTIALS, {'application_credential': {
    'name': 'short', 'secret': 'open it', 'expires_at': '2099-01-01T00:00:00.000000',
    'roles': [{'name': 'member'}], 'unrestricted': False}}, save={'short_id': 'json application_credential.id'})
ask('make one without a name', 'POST', CREDENTIALS, {'application_credential': {}})
ask('make one of a role I have not', 'POST', CREDENTIALS, {'application_credential': {
    'name': 'more', 'roles': [{'name': 'admin'}]}})
ask('make one with an end that is past', 'POST', CREDENTIALS, {'application_credential': {
    'name': 'past', 'expires_at': '2001-01-01T00:00:00.000000'}})
ask('make one from nothing', 'POST', CREDENTIALS, {})
ask('make one for another user', 'POST', '/users/{admin_id}/application_credentials', {
    'application_credential': {'name': 'theirs'}})
ask('show the application credential', 'GET', CREDENTIALS + '/{made_id}')
ask('application credentials by name', 'GET', CREDENTIALS + '?name=truth')
ask('log in with what was made', 'POST', '/auth/tokens', {'auth': {'identity': {
    'methods': ['application_credential'], 'application_credential': {
        'id': '{made_id}', 'secret': '{made_secret}'}}}}, token=None,
    save={'made_token': 'field X-Subject-Token'})
ask('make one with a token of one', 'POST', CREDENTIALS, {'application_credential': {'name': 'nested'}},
    token='{made_token}')
ask('remove the application credential', 'DELETE', CREDENTIALS + '/{made_id}')
ask('remove the other', 'DELETE', CREDENTIALS + '/{short_id}')
ask('remove it again', 'DELETE', CREDENTIALS + '/{made_id}')
ask('show it after', 'GET', CREDENTIALS + '/{made_id}')
ask('its token after', 'GET', '/auth/projects', token='{made_token}')
ask('log in with it after', 'POST', '/auth/tokens', {'auth': {'identity': {
    'methods': ['application_credential'], 'application_credential': {
        'id': '{made_id}', 'secret': '{made_secret}'}}}}, token=None)

ask('change the password, the old one wrong', 'POST', USER + '/password', {'user': {
    'original_password': 'wrong', 'password': 'another'}})
ask('a path that is not there', 'GET', '/no-such-thing')
ask('a path that is not there, without a token', 'GET', '/no-such-thing', token=None)
ask('a path that is not there at the root', 'GET', '{root}/no-such-thing')
ask('wrong method', 'DELETE', '/projects')
