"""Glance with a file store."""
import os

from services import common


def plan(lab):
    return {'glance': common.gunicorn(
        lab, 'glance', 'glance.wsgi.api:application',
        {'OS_GLANCE_CONFIG_DIR': lab.path('etc/glance')},
        threads=8, health='/healthcheck', files=configuration(lab))}


def configuration(lab):
    for sub in ('images', 'staging', 'tasks'):
        os.makedirs(lab.path('data/glance', sub), exist_ok=True)
    # the paste file ships in the wheel; take it from the virtualenv
    with open(os.path.join(lab.venv, 'etc/glance/glance-api-paste.ini')) as f:
        paste = lab.write('etc/glance/glance-api-paste.ini', f.read())
    conf = lab.write('etc/glance/glance-api.conf', f'''[DEFAULT]
log_file = {lab.path('log/glance.log')}
use_stderr = False
enabled_backends = store1:file
node_staging_uri = file://{lab.path('data/glance/staging')}
[database]
connection = sqlite:///{lab.path('data/glance/glance.db')}?timeout=30
[glance_store]
default_backend = store1
[store1]
filesystem_store_datadir = {lab.path('data/glance/images')}
[os_glance_staging_store]
filesystem_store_datadir = {lab.path('data/glance/staging')}
[os_glance_tasks_store]
filesystem_store_datadir = {lab.path('data/glance/tasks')}
[image_format]
require_image_format_match = False
[paste_deploy]
flavor = keystone
config_file = {paste}
[oslo_policy]
policy_file = {lab.path('etc/glance/policy.yaml')}
[oslo_concurrency]
lock_path = {lab.path('run')}
[oslo_middleware]
enable_proxy_headers_parsing = True
[keystone_authtoken]
{common.authtoken(lab, 'glance', 'image', memcached_servers=common.memcached(lab))}
''')
    return [paste, conf]


def set_up(lab):
    common.run(lab, lab.bin('glance-manage'), '--config-file',
               lab.path('etc/glance/glance-api.conf'), 'db', 'sync')
    common.use_write_ahead_log(lab, 'data/glance/glance.db')
