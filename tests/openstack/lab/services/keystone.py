"""Keystone: SQLite, Fernet tokens, every login method the proxy knows."""
import grp
import os
from pathlib import Path

from services import common
from settings import REGIONS


def plan(lab):
    # one thread: with more, concurrent logins can meet SQLite's "database is
    # locked" (every login writes last_active_at) and get a 500
    return {'keystone': common.gunicorn(
        lab, 'keystone', 'federated:application',
        {'OS_KEYSTONE_CONFIG_FILES': lab.path('etc/keystone/keystone.conf'),
         'LAB_BEARER_TOKENS': lab.path('data/keystone/bearer-tokens.json'),
         'PYTHONPATH': str(Path(__file__).resolve().parent.parent), 'PYTHONDONTWRITEBYTECODE': '1'},
        threads=1, health='/v3', files=[configuration(lab)])}


def configuration(lab):
    return lab.write('etc/keystone/keystone.conf', f'''[DEFAULT]
log_file = {lab.path('log/keystone.log')}
use_stderr = False
insecure_debug = True
[database]
connection = sqlite:///{lab.path('data/keystone/keystone.db')}?timeout=30
[identity]
password_hash_rounds = 4
[token]
provider = fernet
# the rest may be cached (40 times faster here), tokens not: when they are,
# Keystone can accept a revoked token on the first request of a new thread
caching = False
expiration = {lab.token_ttl}
allow_expired_window = 172800
[fernet_tokens]
key_repository = {lab.path('data/keystone/fernet-keys')}
[fernet_receipts]
key_repository = {lab.path('data/keystone/fernet-keys')}
[credential]
key_repository = {lab.path('data/keystone/credential-keys')}
[auth]
methods = password,token,totp,application_credential,openid
[openid]
remote_id_attribute = HTTP_OIDC_ISS
[oauth2]
oauth2_authn_methods = client_secret_basic
[cache]
enabled = True
backend = dogpile.cache.memory
[oslo_middleware]
enable_proxy_headers_parsing = True
''' + (COMPLIANCE if lab.compliance else ''))


# new passwords are to be changed at once, and the third wrong one locks the account
COMPLIANCE = '''[security_compliance]
lockout_failure_attempts = 3
lockout_duration = 600
change_password_upon_first_use = True
'''


def set_up(lab):
    conf = ['--config-file', lab.path('etc/keystone/keystone.conf')]
    manage = lab.bin('keystone-manage')
    for d in ('fernet-keys', 'credential-keys'):
        os.makedirs(lab.path('data/keystone', d), mode=0o700, exist_ok=True)
    common.run(lab, manage, *conf, 'db_sync')
    common.use_write_ahead_log(lab, 'data/keystone/keystone.db')
    for keys in ('fernet_setup', 'credential_setup'):
        common.run(lab, manage, *conf, keys, '--keystone-user', lab.user,
                   '--keystone-group', grp.getgrgid(os.getgid()).gr_name)
    url = lab.url('keystone') + '/v3'
    common.run(lab, manage, *conf, 'bootstrap', '--bootstrap-password', 'admin-secret',
               '--bootstrap-region-id', REGIONS[0], '--bootstrap-service-name', 'keystone',
               '--bootstrap-public-url', url, '--bootstrap-internal-url', url,
               '--bootstrap-admin-url', url)
