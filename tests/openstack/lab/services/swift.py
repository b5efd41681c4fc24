"""Swift, one for each region: separate stores behind the same accounts."""
import json
import os

from processes import Process
from services import common
from settings import HOST, REGIONS, tool

PIPELINE = (
    'catch_errors gatekeeper healthcheck proxy-logging cache '
    'etag-quoter listing_formats container_sync bulk tempurl ratelimit '
    'authtoken keystoneauth formpost staticweb copy container-quotas '
    'account-quotas slo dlo versioned_writes symlink proxy-logging '
    'proxy-server')


def plan(lab):
    processes = {}
    for region in REGIONS:
        # one for each: two Swifts must not share their account cache
        name = 'memcached-' + region
        processes[name] = Process(
            command=[tool('memcached'), '-u', lab.user, '-l', HOST, '-p', str(lab.port(name)),
                     '-m', '64', '-U', '0', '-t', '1'],
            port=lab.port(name), health=lab.port(name))
        files = configuration(lab, region)
        for kind in ('account', 'container', 'object', 'proxy'):
            name = f'swift-{kind}-{region}'
            processes[name] = Process(
                command=[lab.bin('python'), SERVER, lab.bin(f'swift-{kind}-server'),
                         lab.path(f'etc/swift-{region}/{kind}-server.conf'), '-v'],
                files=[SERVER, *files[kind]], port=lab.port(name),
                health=lab.url(name) + '/healthcheck')
    return processes


def configuration(lab, region):
    """Write one region's files; their paths by server kind."""
    files = {}
    etc = 'etc/swift-' + region
    swift_dir = lab.path(etc)
    devices = lab.path('data/swift-' + region)
    os.makedirs(os.path.join(devices, 'd1'), exist_ok=True)
    shared = lab.write(etc + '/swift.conf', f'''[swift-hash]
swift_hash_path_suffix = lab-{region}
swift_hash_path_prefix = lab
[storage-policy:0]
name = standard
default = yes
[storage-policy:1]
name = archive
''')
    base = f'''swift_dir = {swift_dir}
devices = {devices}
mount_check = false
disable_fallocate = true
user = {lab.user}
bind_ip = {HOST}
workers = 0
log_level = INFO
log_address = {lab.path('run', 'no-syslog')}
'''
    for kind in ('object', 'container', 'account'):
        extra = ''
        if kind == 'object':
            extra = ('allowed_headers = Content-Disposition, '
                     'Content-Encoding, X-Delete-At, X-Object-Manifest, '
                     'X-Static-Large-Object, Cache-Control, '
                     'Content-Language, Expires, X-Robots-Tag\n')
        files[kind] = lab.write(f'{etc}/{kind}-server.conf', f'''[DEFAULT]
bind_port = {lab.port(f'swift-{kind}-{region}')}
{base}
[pipeline:main]
pipeline = healthcheck {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
{extra}
[filter:healthcheck]
use = egg:swift#healthcheck
''')
    authtoken = common.authtoken(lab, 'swift', 'object-store', cache='swift.cache',
                                 service_token_roles_required='False')
    files['proxy'] = lab.write(etc + '/proxy-server.conf', f'''[DEFAULT]
bind_port = {lab.port('swift-proxy-' + region)}
{base}
[pipeline:main]
pipeline = {PIPELINE}
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
# one full disk must not make the region fail for a minute
error_suppression_interval = 1
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = True
{authtoken}
[filter:keystoneauth]
use = egg:swift#keystoneauth
reseller_prefix = AUTH, SERVICE
operator_roles = admin, member, swiftoperator
reseller_admin_role = ResellerAdmin
SERVICE_service_roles = service
[filter:cache]
use = egg:swift#memcache
memcache_servers = {common.memcached(lab, region)}
[filter:tempurl]
use = egg:swift#tempurl
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:etag-quoter]
use = egg:swift#etag_quoter
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:container_sync]
use = egg:swift#container_sync
[filter:bulk]
use = egg:swift#bulk
[filter:ratelimit]
use = egg:swift#ratelimit
[filter:formpost]
use = egg:swift#formpost
[filter:staticweb]
use = egg:swift#staticweb
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
''')
    build_rings(lab, region)
    return {kind: [shared, path] for kind, path in files.items()}


def build_rings(lab, region):
    """Single replica, single device, one partition count for all rings."""
    etc = lab.path('etc/swift-' + region)
    stamp = lab.path('etc/swift-' + region, 'rings.json')
    want = {kind: lab.port(f'swift-{kind}-{region}')
            for kind in ('object', 'container', 'account')}
    try:
        with open(stamp) as f:
            if json.load(f) == want:
                return
    except (OSError, ValueError):
        pass
    from swift.common.ring import RingBuilder
    for ring, kind in (('account', 'account'), ('container', 'container'),
                       ('object', 'object'), ('object-1', 'object')):
        rb = RingBuilder(6, 1, 0)
        rb.add_dev({'region': 1, 'zone': 1, 'ip': HOST,
                    'port': want[kind], 'device': 'd1', 'weight': 1.0,
                    'replication_ip': HOST,
                    'replication_port': want[kind], 'meta': ''})
        rb.rebalance()
        rb.get_ring().save(os.path.join(etc, ring + '.ring.gz'))
    with open(stamp, 'w') as f:
        json.dump(want, f)


SERVER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'swift_server.py')
