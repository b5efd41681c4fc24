"""Placement, under a path prefix as many clouds have it."""
import os

from services import common


def plan(lab):
    return {'placement': common.gunicorn(
        lab, 'placement', 'placement.wsgi.api:application',
        {'OS_PLACEMENT_CONFIG_DIR': lab.path('etc/placement'), 'SCRIPT_NAME': '/placement'},
        threads=4, health='/placement/', files=[configuration(lab)])}


def configuration(lab):
    return lab.write('etc/placement/placement.conf', f'''[DEFAULT]
log_file = {lab.path('log/placement.log')}
use_stderr = False
[api]
auth_strategy = keystone
[placement_database]
connection = sqlite:///{lab.path('data/placement/placement.db')}?timeout=30
[oslo_policy]
policy_file = {lab.path('etc/placement/policy.yaml')}
[keystone_authtoken]
{common.authtoken(lab, 'placement', 'placement', memcached_servers=common.memcached(lab))}
''')


def set_up(lab):
    os.makedirs(lab.path('data/placement'), exist_ok=True)
    common.run(lab, lab.bin('placement-manage'), '--config-file',
               lab.path('etc/placement/placement.conf'), 'db', 'sync')
    common.use_write_ahead_log(lab, 'data/placement/placement.db')
