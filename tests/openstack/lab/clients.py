"""What a client of the lab needs: openrc files, clouds.yaml, and lab.json for tests."""
import json

from settings import REGIONS


def write(lab, facts):
    common = {'OS_IDENTITY_API_VERSION': '3', 'OS_AUTH_URL': lab.url('keystone') + '/v3',
              'OS_REGION_NAME': REGIONS[0]}
    for name, variables in environments(facts).items():
        lab.write('openrc-' + name, ''.join(
            'export %s=%s\n' % item for item in (common | variables).items()))
    # JSON is YAML
    lab.write('clouds.yaml', json.dumps({'clouds': clouds(lab, facts)}, indent=2) + '\n')
    facts['auth_url'] = common['OS_AUTH_URL']
    facts['regions'] = REGIONS
    facts['token_ttl'] = lab.token_ttl
    facts['tls'] = {'auth_url': lab.url('keystone-tls', 'https') + '/v3', 'region': 'TLS1',
                    'ca': lab.path('tls/ca.pem')}
    facts['dead_url'] = lab.url('dead')
    lab.write('lab.json', json.dumps(facts, indent=2) + '\n')


def environments(facts):
    """The OS_ variables that differ, by name of the openrc file."""
    found = {}
    for name, user in facts['users'].items():
        found[name] = {'OS_USERNAME': user['name'], 'OS_PASSWORD': user['password'],
                       'OS_USER_DOMAIN_NAME': user['domain']}
        if user['project']:
            found[name] |= {'OS_PROJECT_NAME': user['project'],
                            'OS_PROJECT_DOMAIN_NAME': user['domain']}
    credential = facts['application_credentials']['demo-appcred']
    found['appcred'] = {'OS_AUTH_TYPE': 'v3applicationcredential',
                        'OS_APPLICATION_CREDENTIAL_ID': credential['id'],
                        'OS_APPLICATION_CREDENTIAL_SECRET': credential['secret']}
    return found


def clouds(lab, facts):
    """The entries of clouds.yaml."""
    auth_url = lab.url('keystone') + '/v3'

    def cloud(auth, region=REGIONS[0], **more):
        return {'auth': {'auth_url': auth_url} | auth, 'region_name': region,
                'identity_api_version': 3} | more

    def user(name, scoped=True):
        facts_of = facts['users'][name]
        auth = {'username': facts_of['name'], 'password': facts_of['password'],
                'user_domain_name': facts_of['domain']}
        if scoped and facts_of['project']:
            auth |= {'project_name': facts_of['project'],
                     'project_domain_name': facts_of['domain']}
        return auth

    credential = facts['application_credentials']['demo-appcred']
    found = {'lab-' + name: cloud(user(name))
             for name in ('admin', 'demo', 'reader', 'alt', 'acme', 'roamer')}
    found['lab-demo-2'] = cloud(user('demo'), REGIONS[1])
    found['lab-system'] = cloud(user('admin', scoped=False) | {'system_scope': 'all'})
    found['lab-appcred'] = cloud(
        {'application_credential_id': credential['id'],
         'application_credential_secret': credential['secret']},
        auth_type='v3applicationcredential')
    found['lab-tls'] = cloud(
        user('demo') | {'auth_url': lab.url('keystone-tls', 'https') + '/v3'}, 'TLS1',
        cacert=lab.path('tls/ca.pem'))
    return found
