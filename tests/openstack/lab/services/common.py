"""What several services share: the token check's settings, gunicorn, set-up commands."""
import subprocess

from processes import Process
from settings import HOST, REGIONS


def authtoken(lab, user, service_type, **extra):
    """The options of keystonemiddleware's auth_token."""
    options = {
        'www_authenticate_uri': lab.url('keystone'),
        'auth_url': lab.url('keystone'),
        'auth_type': 'password',
        'username': user,
        'password': user + '-secret',
        'project_name': 'service',
        'user_domain_id': 'default',
        'project_domain_id': 'default',
        'service_token_roles': 'service',
        'service_token_roles_required': 'True',
        'region_name': REGIONS[0],
        # application credentials with access rules need it
        'service_type': service_type,
        'token_cache_time': str(lab.token_cache_time),
    }
    options.update(extra)
    return ''.join('%s = %s\n' % item for item in options.items())


def memcached(lab, region=REGIONS[0]):
    return '%s:%d' % (HOST, lab.port('memcached-' + region))


def gunicorn(lab, name, app, environment, threads, health, files):
    """One worker with threads: HTTP/1.1, keep-alive, chunked bodies.

    The options go into a file because these services parse sys.argv.
    """
    conf = lab.write(f'etc/{name}/gunicorn.conf.py', f'''wsgi_app = '{app}'
bind = '{HOST}:{lab.port(name)}'
worker_class = 'gthread'
workers = 1
threads = {threads}
timeout = 600
graceful_timeout = 3
keepalive = 30
limit_request_field_size = 16380
accesslog = '{lab.path('log', name + '-access.log')}'
control_socket_disable = True
''')
    return Process(
        command=[lab.bin('python'), lab.bin('gunicorn')],
        environment=dict(environment, GUNICORN_CMD_ARGS='--config ' + conf),
        files=[conf, *files], port=lab.port(name), health=lab.url(name) + health)


def run(lab, *command):
    """A set-up command; what it says goes to log/setup.log."""
    with open(lab.path('log/setup.log'), 'a', encoding='utf-8') as log:
        log.write('+ %s\n' % ' '.join(command))
        log.flush()
        subprocess.run(command, check=True, stdout=log, stderr=log)


def use_write_ahead_log(lab, database):
    """SQLite's write-ahead log: readers and the writer don't block."""
    import sqlite3
    connection = sqlite3.connect(lab.path(database))
    connection.execute('PRAGMA journal_mode=WAL')
    connection.close()
