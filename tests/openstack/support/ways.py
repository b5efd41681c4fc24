"""The ways to log in at real Keystone for one project."""
from support import direct


def ways(cloud):
    """(name, variables) of each login at Keystone for project demo."""
    users = cloud.facts['users']
    base = {'OS_AUTH_URL': cloud.facts['auth_url'], 'OS_REGION_NAME': 'GRA'}
    demo, mfa, timed, roamer = (users[name] for name in ('demo', 'mfa', 'timed', 'roamer'))
    scope = {'OS_PROJECT_ID': demo['project_id']}
    credential = cloud.facts['application_credentials']['demo-appcred']

    def named(user):
        return {'OS_USERNAME': user['name'], 'OS_USER_DOMAIN_NAME': user['domain']}

    secret = {'OS_PASSWORD': demo['password']}
    yield 'password', base | named(demo) | secret | scope
    yield 'v3password', base | named(demo) | secret | scope | {'OS_AUTH_TYPE': 'v3password'}
    yield 'password, user by id, project by name', base | secret | {
        'OS_USER_ID': demo['id'], 'OS_PROJECT_NAME': 'demo', 'OS_PROJECT_DOMAIN_ID': 'default'}
    unscoped = direct.Direct(cloud.facts['auth_url'], direct.password(demo), 'unscoped').token
    for kind in ('token', 'v3token'):
        yield kind, base | scope | {'OS_AUTH_TYPE': kind, 'OS_TOKEN': unscoped}
    by_id = {'OS_AUTH_TYPE': 'v3applicationcredential', 'OS_APPLICATION_CREDENTIAL_SECRET': credential['secret']}
    yield 'v3applicationcredential by id', base | by_id | {'OS_APPLICATION_CREDENTIAL_ID': credential['id']}
    yield 'v3applicationcredential by name and user', base | by_id | named(demo) | {
        'OS_APPLICATION_CREDENTIAL_NAME': credential['name']}
    seed = {'OS_TOTP_SECRET': timed['totp_secret']}
    yield 'v3totp by seed', base | scope | named(timed) | seed | {'OS_AUTH_TYPE': 'v3totp'}
    both = named(mfa) | {'OS_PASSWORD': mfa['password'], 'OS_TOTP_SECRET': mfa['totp_secret']}
    yield 'v3multifactor', base | scope | both | {
        'OS_AUTH_TYPE': 'v3multifactor', 'OS_AUTH_METHODS': 'v3password,v3totp'}
    yield 'password, then TOTP by receipt', base | scope | both
    yield 'TOTP, then password by receipt', base | scope | both | {'OS_AUTH_TYPE': 'v3totp'}
    yield 'a trust', base | named(roamer) | {
        'OS_PASSWORD': roamer['password'], 'OS_TRUST_ID': cloud.facts['trust']['id']}
    yield 'v3oauth2clientcredential', base | {
        'OS_AUTH_TYPE': 'v3oauth2clientcredential', 'OS_OAUTH2_CLIENT_ID': credential['id'],
        'OS_OAUTH2_CLIENT_SECRET': credential['secret'],
        'OS_OAUTH2_ENDPOINT': cloud.facts['auth_url'] + '/OS-OAUTH2/token'}
