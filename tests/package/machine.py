"""A machine to throw away: a Debian with systemd, booted in namespaces of its own.

Its files are a copy of a root that mmdebstrap makes once; systemd-nspawn boots it. It shares a loopback with this
process and nobody else, so that the units' port is free, and what stands in for the cloud runs here.
"""
import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'wire/seen'))

from common import Keystone, KeystoneHandler, Origin, expect, gatestone, main, seen  # noqa: E402, F401

# The release that the Dockerfile builds on; its systemd knows all that the units say.
RELEASE = 'trixie'
PACKAGES = 'ca-certificates,curl,dbus-user-session,libgcc-s1,libpam-systemd,man-db,systemd-sysv'
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'gatestone-package'
TOOLS = {'mmdebstrap': 'mmdebstrap', 'systemd-nspawn': 'systemd-container', 'ip': 'iproute2', 'lintian': 'lintian',
         'nsenter': 'util-linux', 'dpkg-shlibdeps': 'dpkg-dev'}
NEW_MOUNTS_AND_NETWORK = 0x00020000 | 0x40000000
USERS = ('alice', 'bob')


def run(*command, **options):
    """Run to the end and return what it printed; show all of it if it fails."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    expect.that(done.returncode == 0, '%s ends with status %d:\n%s' % (
        ' '.join(map(str, command)), done.returncode, done.stdout[-4000:]))
    return done.stdout.strip()


def install_tools():
    """Debian's packages of what is missing."""
    expect.that(os.geteuid() == 0, 'a machine is booted here by hand: run it as root')
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if missing:
        quiet = dict(env=dict(os.environ, DEBIAN_FRONTEND='noninteractive', RUNLEVEL='1'))
        lock = ('-o', 'DPkg::Lock::Timeout=600')
        run('apt-get', *lock, '-qq', 'update', **quiet)
        run('apt-get', *lock, '-qq', '-y', '--no-install-recommends', 'install', *missing, **quiet)


def base():
    """The archive of the root, made if there is none like it yet."""
    kept = CACHE / ('%s-%s.tar' % (RELEASE, hashlib.sha256(PACKAGES.encode()).hexdigest()[:12]))
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix('.new.tar')
        run('mmdebstrap', '--quiet', '--variant=minbase', '--include=' + PACKAGES, RELEASE, new)
        new.rename(kept)
    return kept


def isolate():
    """From here on this process has a loopback, and mounts, of its own. Only what is on the machine can be had then."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS_AND_NETWORK):
        raise OSError(ctypes.get_errno(), 'unshare')
    run('mount', '--make-rprivate', '/')
    run('ip', 'link', 'set', 'lo', 'up')
    # What systemd needs, where this machine has the old kind.
    if not Path('/sys/fs/cgroup/cgroup.controllers').exists():
        run('umount', '--recursive', '/sys/fs/cgroup')
        run('mount', '-t', 'cgroup2', 'cgroup2', '/sys/fs/cgroup')


@contextlib.contextmanager
def root():
    """The files of a machine, and no trace of them afterwards."""
    with tempfile.TemporaryDirectory(prefix='gatestone-machine-') as folder:
        run('tar', '--extract', '--file', base(), '--directory', folder, '--exclude=./dev/*')
        yield Path(folder)


class Machine:
    """A root, booted; commands run in it. `isolate` comes before."""

    def __init__(self, folder):
        self.root = folder
        self.process = subprocess.Popen(
            ['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--link-journal=no', '--console=pipe',
             '--resolv-conf=off', '--timezone=off', '--directory', str(folder), '--boot'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.leader = None

    def __enter__(self):
        try:
            expect.that(gatestone.wait_until(self.boots, 30), 'no systemd runs in the machine')
            expect.that(gatestone.wait_until(self.booted, 60), 'the machine does not finish to boot')
            for user in USERS:
                self.run('useradd', '--create-home', user)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # Orders a shutdown, which takes the control groups away as well.
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError, TypeError):
                os.kill(self.leader, signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def boots(self):
        expect.that(self.process.poll() is None, 'systemd-nspawn ended with status %s' % self.process.returncode)
        children = Path('/proc/%d/task/%d/children' % (self.process.pid, self.process.pid)).read_text().split()
        for child in children:
            with contextlib.suppress(OSError):
                if Path('/proc/%s/comm' % child).read_text().strip() == 'systemd':
                    self.leader = int(child)
        return self.leader

    def booted(self):
        return self.ask('systemctl', 'is-system-running').stdout.strip() in ('running', 'degraded')

    def ask(self, *command, user=None):
        """Run a command in it, as a user who is logged in; how it ended."""
        whole = ['nsenter', '--target', str(self.leader), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup',
                 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8', 'SYSTEMD_PAGER=', 'SYSTEMD_COLORS=0']
        if user:
            home = ('HOME=/home/%s' % user, 'XDG_RUNTIME_DIR=/run/user/%s' % self.uid(user))
            whole += [*home, 'setpriv', '--reuid', user, '--regid', user, '--init-groups']
        else:
            whole.append('HOME=/root')
        return subprocess.run([*whole, *map(str, command)], cwd='/', stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300, check=False)

    def run(self, *command, user=None):
        """Run a command that has to end well; what it printed."""
        done = self.ask(*command, user=user)
        expect.that(done.returncode == 0, '%s ends with status %d:\n%s' % (
            ' '.join(map(str, command)), done.returncode, (done.stdout + done.stderr)[-4000:]))
        return done.stdout.strip()

    def uid(self, user):
        rows = [row.split(':') for row in (self.root / 'etc/passwd').read_text().splitlines()]
        return next(row[2] for row in rows if row[0] == user)

    def show(self, unit, name, user=None):
        """A property of a unit, of the machine's or of a user's."""
        return self.run('systemctl', *(['--user'] if user else []), 'show', '--value', '--property', name, unit, user=user)

    def status(self, url, *arguments, user=None):
        """The status of a request by a user's curl; what curl said where there is none."""
        done = self.ask('curl', '-sS', '--globoff', '--max-time', '20', '-o', '/dev/null', '-w', '%{http_code}', *arguments,
                        url, user=user)
        return done.stdout if done.returncode == 0 else done.stderr.strip()

    def journal(self, unit):
        return self.run('journalctl', '--quiet', '--output=cat', '--unit', unit)

    def log_in(self, user):
        """Start the user's own systemd."""
        self.run('systemctl', 'start', 'user@%s.service' % self.uid(user))


class Cloud:
    """A Keystone that takes one password and counts logins, and an object store."""

    PASSWORD = 'correct horse'

    def __init__(self):
        self.origin = Origin(store)
        self.keystone = Keystone(self.origin.url)
        self.keystone.RequestHandlerClass = OnePassword
        self.keystone.logins = self.keystone.refused = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.keystone.__exit__()
        self.origin.__exit__()

    def variables(self):
        """A login's lines, without the password."""
        return ('OS_AUTH_URL=%s\nOS_USERNAME=user\nOS_USER_DOMAIN_ID=default\nOS_PROJECT_NAME=project\n'
                'OS_PROJECT_DOMAIN_ID=default\nOS_REGION_NAME=R\n' % self.keystone.url)


class OnePassword(KeystoneHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        if Cloud.PASSWORD.encode() in body:
            self.server.logins += 1
            self.headers.replace_header('Content-Length', '0')
            super().do_POST()
        else:
            self.server.refused += 1
            self.reply(401, {'error': {'code': 401, 'title': 'Unauthorized', 'message': 'not you'}})


def store(peer):
    """An origin that has every object."""
    while (request := peer.request()):
        for _ in peer.body(request):
            pass
        peer.answer(200, b'an object')


def settle(seconds):
    """Time for what must not happen to happen."""
    time.sleep(seconds)
