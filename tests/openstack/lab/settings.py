"""What the lab is: its folders, ports, URLs and the LAB_ settings of the environment."""
import getpass
import os
import shutil

HOST = '127.0.0.1'
REGIONS = ('GRA', 'SBG')

# Offsets from the first port. Swift has ten ports for each region.
PORTS = {'keystone': 0, 'keystone-tls': 1, 'glance': 30, 'glance-tls': 31,
         'placement': 40, 'dead': 99}
SWIFT_PORTS = {'proxy': 0, 'object': 1, 'container': 2, 'account': 3, 'memcached': 4, 'tls': 9}


class Settings:
    """Read once by each command; the README lists the variables."""

    def __init__(self, state):
        self.state = os.path.abspath(state)
        self.first_port = int(variable('LAB_PORT_BASE', '25000'))
        self.token_ttl = int(variable('LAB_TOKEN_TTL', '3600'))
        self.token_cache_time = int(variable('LAB_TOKEN_CACHE_TIME', '300'))
        self.compliance = variable('LAB_COMPLIANCE', '0') == '1'
        self.patience = int(variable('LAB_WAIT', '120'))
        self.venv = variable('LAB_VENV', self.path('venv'))
        self.user = getpass.getuser()

    def path(self, *parts):
        return os.path.join(self.state, *parts)

    def port(self, name):
        """`keystone`, `glance`, ..., or `swift-KIND-REGION` and `memcached-REGION`."""
        if name in PORTS:
            return self.first_port + PORTS[name]
        kind, region = name.removeprefix('swift-').split('-')
        return self.first_port + 10 + 10 * REGIONS.index(region) + SWIFT_PORTS[kind]

    def url(self, name, scheme='http', host=HOST):
        return '%s://%s:%d' % (scheme, host, self.port(name))

    def bin(self, name):
        return os.path.join(self.venv, 'bin', name)

    def write(self, name, text, mode=0o600):
        """Write a file below the state folder and return its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + '.new', 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(path + '.new', mode)
        os.replace(path + '.new', path)
        return path


def variable(name, default):
    return os.environ.get(name) or default


def tool(name):
    """The path of a program, which may stand where only root looks."""
    path = shutil.which(name) or shutil.which(name, path='/usr/sbin:/sbin')
    if not path:
        raise SystemExit('lab: %s is missing; install it' % name)
    return path
