"""Settings as people have them: files below `here` (the working directory) and `home`, variables, a cloud, a region.

`K` stands for Keystone's address, `H` for the folder that holds `here` and `home`, `CA` for a certificate. There is no expected column:
openstacksdk gives it. `why` explains a difference that there is, and that is meant.
"""
BASE = 'auth_url: K/v3, username: u, password: s3cret, user_domain_name: D, project_name: p, project_domain_name: D'
USER = {'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 's3cret', 'OS_USER_DOMAIN_NAME': 'D',
        'OS_PROJECT_NAME': 'p', 'OS_PROJECT_DOMAIN_NAME': 'D'}
HOME, HERE = 'home/.config/openstack/', 'here/'


def cloud(text, name='a'):
    return {HOME + 'clouds.yaml': 'clouds: {%s: {%s}}' % (name, text)}


def case(name, files=None, env=None, cloud=None, region=None, why=None):
    return {'name': name, 'files': files or {}, 'env': env or {}, 'cloud': cloud, 'region': region, 'why': why}


CASES = [
    # --- variables
    case('an openrc file', env=USER),
    case('the auth URL without its version', env=USER | {'OS_AUTH_URL': 'K'}),
    case('the auth URL with a slash at its end', env=USER | {'OS_AUTH_URL': 'K/v3/'}),
    case('ids instead of names', env={'OS_AUTH_URL': 'K/v3', 'OS_USER_ID': 'uid', 'OS_PASSWORD': 'x',
                                      'OS_PROJECT_ID': 'pid'}),
    case('tenants of old', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x', 'OS_TENANT_NAME': 't',
                                'OS_USER_DOMAIN_NAME': 'D', 'OS_PROJECT_DOMAIN_NAME': 'D'}),
    case('a tenant beside a project', env=USER | {'OS_TENANT_NAME': 'old'}),
    case('a tenant id', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x', 'OS_TENANT_ID': 'tid',
                             'OS_USER_DOMAIN_NAME': 'D'}),
    case('domains by id', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x', 'OS_PROJECT_NAME': 'p',
                               'OS_USER_DOMAIN_ID': 'default', 'OS_PROJECT_DOMAIN_ID': 'default'}),
    case('one domain for both', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                                     'OS_PROJECT_NAME': 'p', 'OS_DOMAIN_NAME': 'D'}),
    case('one domain for both, by id', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                                            'OS_PROJECT_NAME': 'p', 'OS_DOMAIN_ID': 'did'}),
    case('a default domain', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                                  'OS_PROJECT_NAME': 'p', 'OS_DEFAULT_DOMAIN_NAME': 'D'}),
    case('a default domain by id', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                                        'OS_PROJECT_NAME': 'p', 'OS_DEFAULT_DOMAIN_ID': 'did'}),
    case('a domain as scope', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                                   'OS_USER_DOMAIN_NAME': 'D', 'OS_DOMAIN_NAME': 'D'}),
    case('the system as scope', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                                     'OS_USER_DOMAIN_NAME': 'D', 'OS_SYSTEM_SCOPE': 'all'}),
    case('a trust', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x',
                         'OS_USER_DOMAIN_NAME': 'D', 'OS_TRUST_ID': 'tr'}),
    case('no scope', env={'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x', 'OS_USER_DOMAIN_NAME': 'D'}),
    case('v3password by name', env=USER | {'OS_AUTH_TYPE': 'v3password'}),
    case('a token', env={'OS_AUTH_TYPE': 'token', 'OS_AUTH_URL': 'K/v3', 'OS_TOKEN': 'tok', 'OS_PROJECT_ID': 'pid'}),
    case('v3token by its older name', env={'OS_AUTH_TYPE': 'v3token', 'OS_AUTH_URL': 'K/v3', 'OS_AUTH_TOKEN': 'tok',
                                           'OS_PROJECT_ID': 'pid'}),
    case('an application credential', env={
        'OS_AUTH_TYPE': 'v3applicationcredential', 'OS_AUTH_URL': 'K/v3', 'OS_APPLICATION_CREDENTIAL_ID': 'ac',
        'OS_APPLICATION_CREDENTIAL_SECRET': 'x'}),
    case('an application credential by name', env={
        'OS_AUTH_TYPE': 'v3applicationcredential', 'OS_AUTH_URL': 'K/v3', 'OS_APPLICATION_CREDENTIAL_NAME': 'ac',
        'OS_APPLICATION_CREDENTIAL_SECRET': 'x', 'OS_USERNAME': 'u', 'OS_USER_DOMAIN_NAME': 'D'}),
    case('a passcode', env={'OS_AUTH_TYPE': 'v3totp', 'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSCODE': '123456',
                            'OS_USER_DOMAIN_NAME': 'D', 'OS_PROJECT_ID': 'pid'}),
    case('several factors', env={
        'OS_AUTH_TYPE': 'v3multifactor', 'OS_AUTH_METHODS': 'v3password,v3totp', 'OS_AUTH_URL': 'K/v3',
        'OS_USERNAME': 'u', 'OS_PASSWORD': 'x', 'OS_PASSCODE': '123456', 'OS_USER_DOMAIN_NAME': 'D',
        'OS_PROJECT_ID': 'pid'}),
    case('an empty variable', env=USER | {'OS_PROJECT_ID': '', 'OS_TENANT_NAME': ''}),
    case('an interface', env=USER | {'OS_INTERFACE': 'internal'}),
    case('an endpoint type', env=USER | {'OS_ENDPOINT_TYPE': 'internalURL'}),
    case('an override', env=USER | {'OS_COMPUTE_ENDPOINT_OVERRIDE': 'https://nova.example/v2.1'}),
    case('a region of one service', env=USER | {'OS_OBJECT_STORE_REGION_NAME': 'GRA'}),
    case('no Keystone', env={'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': 'http://ironic:6385'}),
    case('an admin token', env={'OS_AUTH_TYPE': 'admin_token', 'OS_ENDPOINT': 'http://i:6385', 'OS_TOKEN': 't'}),
    case('an admin token by the name of old', env={'OS_AUTH_TYPE': 'token_endpoint', 'OS_ENDPOINT': 'http://i:6385',
                                                   'OS_TOKEN': 't'}),
    case('HTTP Basic', env={'OS_AUTH_TYPE': 'http_basic', 'OS_ENDPOINT': 'http://i:6385', 'OS_USERNAME': 'u',
                            'OS_PASSWORD': 'p'}),
    # --- clouds.yaml
    case('the only cloud', cloud('auth: {%s}' % BASE)),
    case('a cloud by name', {HOME + 'clouds.yaml': 'clouds: {a: {auth: {%s}}, b: {auth: {%s}}}' % (
        BASE.replace('username: u', 'username: x'), BASE)}, cloud='b'),
    case('a cloud by OS_CLOUD', cloud('auth: {%s}' % BASE), {'OS_CLOUD': 'a'}),
    case('JSON', {HOME + 'clouds.json': '{"clouds": {"a": {"auth": {"auth_url": "K/v3", "user_id": "u", "password": "p", '
                                        '"project_id": "x"}}}}'}),
    case('.yml', {HOME + 'clouds.yml': 'clouds: {a: {auth: {%s}}}' % BASE}),
    case('the working directory first', {HERE + 'clouds.yaml': 'clouds: {a: {auth: {%s}}}' % BASE,
                                         HOME + 'clouds.yaml': 'clouds: {b: {auth: {auth_url: nowhere}}}'}),
    case('a file of a variable', {'here/mine.yaml': 'clouds: {a: {auth: {%s}}}' % BASE},
         {'OS_CLIENT_CONFIG_FILE': 'H/here/mine.yaml'}),
    case('secure.yaml', cloud('auth: {auth_url: K/v3, username: u, user_domain_name: D, project_id: p}') | {
        HOME + 'secure.yaml': 'clouds: {a: {auth: {password: from-secure}}}'}),
    case('secure.yaml of a variable', cloud('auth: {auth_url: K/v3, user_id: u, project_id: p}') | {
        'here/s.yaml': 'clouds: {a: {auth: {password: x}}}'}, {'OS_CLIENT_SECURE_FILE': 'H/here/s.yaml'}, cloud='a'),
    case('secure.yaml over clouds.yaml', cloud('auth: {%s}' % BASE) | {
        HOME + 'secure.yaml': 'clouds: {a: {auth: {password: other, username: v}}}'}),
    case('login keys beside auth', cloud('auth_url: K/v3, username: u, password: p, user_domain_name: D, project_id: x')),
    case('beside auth and below it', cloud('project_name: beside, auth: {%s}' % BASE)),
    case('a user beside auth and below it', cloud('username: beside, auth: {%s}' % BASE)),
    case('dashes for underscores', cloud('auth: {auth-url: K/v3, user-id: u, password: p, project-id: x}')),
    case('tenants in a file', cloud('auth: {auth_url: K/v3, user_id: u, password: p, tenant_id: t}')),
    case('a tenant and a project in a file', cloud('auth: {auth_url: K/v3, user_id: u, password: p, tenant_id: t, '
                                                   'project_id: q}')),
    case('auth_plugin', cloud('auth_plugin: v3password, auth: {%s}' % BASE)),
    case('auth_token', cloud('auth_type: token, auth: {auth_url: K/v3, auth_token: tok, project_id: x}')),
    case('a domain of auth for both', cloud('auth: {auth_url: K/v3, username: u, password: p, project_name: n, '
                                            'domain_name: D}')),
    case('a domain beside auth without a project', cloud('domain_id: D, auth: {auth_url: K/v3, user_id: u, password: p}')),
    case('a region', cloud('region_name: RegionTwo, auth: {%s}' % BASE)),
    case('a region that is asked for', cloud('regions: [RegionOne, RegionTwo], auth: {%s}' % BASE), region='RegionTwo'),
    case('the first of several regions', cloud('regions: [RegionTwo, RegionOne], auth: {%s}' % BASE)),
    case('a region with values', cloud(
        'regions: [{name: RegionOne, values: {auth: {project_name: one}}}, {name: GRA, values: '
        '{interface: internal, auth: {project_name: two}}}], auth: {%s}' % BASE), region='GRA'),
    case('the first region with values', cloud(
        'regions: [{name: GRA, values: {auth: {project_name: two}}}, RegionOne], auth: {%s}' % BASE)),
    case('a region that is another one', cloud('region_name: RegionOne, auth: {%s}' % BASE), region='GRA',
         why='what a cloud says is the default of a flag, as everywhere; openstacksdk takes it for the only region'),
    case('an interface in a file', cloud('interface: admin, auth: {%s}' % BASE)),
    case('an endpoint_type in a file', cloud('endpoint_type: internal, auth: {%s}' % BASE)),
    case('services of their own', cloud(
        'compute_interface: internal, object_store_region_name: GRA, image_endpoint_override: "http://g/v2", '
        'auth: {%s}' % BASE)),
    case('a service by an alias', cloud('volume_region_name: GRA, auth: {%s}' % BASE)),
    case('an override by its older name', cloud('compute_endpoint: "http://n/v2.1", auth: {%s}' % BASE)),
    case('a service of a type of old', cloud('network_endpoint_type: admin, auth: {%s}' % BASE)),
    case('the region in the auth URL', cloud(
        'region_name: RegionOne, auth: {auth_url: "K/{region_name}/v3", user_id: u, password: p, project_id: x}')),
    case('the region in an override', cloud(
        'region_name: GRA, compute_endpoint_override: "http://n.{region_name}.example/v2.1", auth: {%s}' % BASE)),
    case('a profile of clouds-public.yaml', cloud('profile: mine, auth: {username: u, password: p, project_name: n}') | {
        HOME + 'clouds-public.yaml': 'public-clouds: {mine: {interface: internal, auth: {auth_url: K/v3, '
                                     'user_domain_name: D, project_domain_name: E}}}'}),
    case('a profile by its older key', cloud('cloud: mine, auth: {user_id: u, password: p, project_id: n}') | {
        HOME + 'clouds-public.yaml': 'public-clouds: {mine: {auth: {auth_url: K/v3}}}'}),
    case('a profile with regions', cloud('profile: mine, auth: {user_id: u, password: p, project_id: n}') | {
        HOME + 'clouds-public.yaml': 'public-clouds: {mine: {auth: {auth_url: K/v3}, regions: [GRA, RegionOne]}}'},
         region='RegionOne'),
    case('a profile that nobody knows', cloud('profile: nobody, auth: {%s}' % BASE)),
    case('anchors and merges', {HOME + 'clouds.yaml': 'base: &b {auth_url: K/v3, user_id: u, password: p}\n'
                                                      'clouds: {a: {auth: {<<: *b, project_id: x}}}\n'}),
    case('a cloud and variables', cloud('auth: {%s}' % BASE), {'OS_USERNAME': 'other', 'OS_PASSWORD': 'y'}, cloud='a'),
    case('variables before the only cloud', cloud('auth: {auth_url: nowhere}'), USER),
    case('the cloud of the variables by name', cloud('auth: {auth_url: nowhere}'), USER, cloud='envvars'),
    case('the cloud of the variables by its own name', env=USER | {'OS_CLOUD_NAME': 'mine'}, cloud='mine'),
    case('a password of digits', cloud('auth: {auth_url: K/v3, user_id: u, password: 0123, project_id: p}'),
         why='YAML 1.1 reads 0123 as the number 83, and so the password would be another than is written'),
    case('a password in quotes', cloud('auth: {auth_url: K/v3, user_id: u, password: "0123", project_id: p}')),
    case('a password with signs', cloud("auth: {auth_url: K/v3, user_id: u, password: '{a}%(b)s $c #d', project_id: p}")),
    case('a certificate authority', cloud('cacert: H/here/ca.pem, auth: {%s}' % BASE) | {'here/ca.pem': 'CA'}),
    case('verify: false', cloud('verify: false, auth: {%s}' % BASE)),
    case('insecure beats verify', cloud('insecure: true, verify: true, auth: {%s}' % BASE)),
    case('several factors in a file', cloud(
        'auth_type: v3multifactor, auth_methods: [v3password, v3totp], auth: {auth_url: K/v3, user_id: u, password: p, '
        'passcode: "123456", project_id: x}')),
    case('no Keystone, an endpoint for each', cloud('auth_type: none, baremetal_endpoint_override: "http://i:6385"')),
    # --- errors
    case('nothing at all'),
    case('a cloud that is not there', cloud('auth: {%s}' % BASE), cloud='b'),
    case('OS_CLOUD that is not there', cloud('auth: {%s}' % BASE), {'OS_CLOUD': 'b'}),
    case('no auth URL', cloud('auth: {user_id: u, password: p, project_id: x}')),
    case('no secret of an application credential', env={
        'OS_AUTH_TYPE': 'v3applicationcredential', 'OS_AUTH_URL': 'K/v3', 'OS_APPLICATION_CREDENTIAL_ID': 'ac'}),
    case('neither id nor name of an application credential', env={
        'OS_AUTH_TYPE': 'v3applicationcredential', 'OS_AUTH_URL': 'K/v3', 'OS_APPLICATION_CREDENTIAL_SECRET': 'x'}),
    case('an application credential with a scope', env={
        'OS_AUTH_TYPE': 'v3applicationcredential', 'OS_AUTH_URL': 'K/v3', 'OS_APPLICATION_CREDENTIAL_ID': 'ac',
        'OS_APPLICATION_CREDENTIAL_SECRET': 'x', 'OS_PROJECT_NAME': 'left-over', 'OS_PROJECT_DOMAIN_NAME': 'D'},
         why='left over from another openrc, Keystone would refuse it; it is ignored with a warning'),
    case('an unknown kind', env=USER | {'OS_AUTH_TYPE': 'pasword'}),
    case('no domain of the user', env={'OS_AUTH_TYPE': 'v3password', 'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u',
                                       'OS_PASSWORD': 'x', 'OS_PROJECT_ID': 'pid'}),
    case('no domain of the project', env={'OS_AUTH_TYPE': 'v3password', 'OS_AUTH_URL': 'K/v3', 'OS_USER_ID': 'u',
                                          'OS_PASSWORD': 'x', 'OS_PROJECT_NAME': 'p'}),
    case('a name without a domain, of the generic kind', env={
        'OS_AUTH_URL': 'K/v3', 'OS_USERNAME': 'u', 'OS_PASSWORD': 'x', 'OS_PROJECT_NAME': 'p'},
         why='Keystone refuses a name without its domain (400); it is said before anything is sent'),
    case('two scopes', env=USER | {'OS_SYSTEM_SCOPE': 'all'}),
    case('a trust and a project', env=USER | {'OS_TRUST_ID': 'tr'}),
    case('a region that is not among those listed', cloud('regions: [RegionOne], auth: {%s}' % BASE), region='Nowhere'),
    case('a region in other letters', cloud('regions: [RegionOne], auth: {%s}' % BASE), region='regionone'),
    case('a service without a region there', cloud('region_name: Nowhere, auth: {%s}' % BASE)),
    case('a profile that is shut down', cloud('profile: gone, auth: {%s}' % BASE) | {
        HOME + 'clouds-public.yaml': 'public-clouds: {gone: {status: shutdown, auth: {auth_url: K/v3}}}'},
         why='openstacksdk looks at the status of its own profiles alone; a cloud that is shut down is no more alive for '
             'standing in a file'),
    case('broken YAML', {HOME + 'clouds.yaml': 'clouds: {a: {auth: [}}'}),
    case('a cloud called as the variables are', cloud('auth: {%s}' % BASE, 'envvars'), cloud='envvars'),
    case('factors that there are not', env={
        'OS_AUTH_TYPE': 'v3multifactor', 'OS_AUTH_METHODS': 'v3password,v3otp', 'OS_AUTH_URL': 'K/v3', 'OS_USER_ID': 'u',
        'OS_PASSWORD': 'x'}),
]
