"""Start, find and stop the lab's processes, and no others.

A process is known by its pid and its start time, so a recycled pid is never
taken for ours; a digest of its configuration tells whether it must restart.
"""
import hashlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from settings import HOST


@dataclass
class Process:
    """One process of the plan. `health` is an URL or a port."""

    command: list
    health: object
    port: int
    environment: dict = field(default_factory=dict)
    files: list = field(default_factory=list)

    def digest(self):
        h = hashlib.sha256(repr((self.command, sorted(self.environment.items()))).encode())
        for path in self.files:
            with open(path, 'rb') as f:
                h.update(f.read())
        return h.hexdigest()

    def is_healthy(self):
        try:
            if isinstance(self.health, int):
                socket.create_connection((HOST, self.health), 1).close()
            else:
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                opener.open(self.health, timeout=5).close()
            return True
        except (OSError, urllib.error.URLError, ValueError):
            return False


def start_time(pid):
    """When a living process started, in clock ticks; None for a dead one."""
    try:
        with open('/proc/%d/stat' % pid, encoding='ascii', errors='replace') as f:
            fields = f.read().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in 'ZX' else fields[19]


def known(lab):
    """The names of all that was started and not stopped since."""
    try:
        return sorted(n[:-4] for n in os.listdir(lab.path('run')) if n.endswith('.pid'))
    except OSError:
        return []


def find(lab, name):
    """(pid, digest) of a process we started that still lives, or None."""
    try:
        with open(lab.path('run', name + '.pid'), encoding='ascii') as f:
            pid, started, digest = f.read().split()
    except (OSError, ValueError):
        return None
    return (int(pid), digest) if start_time(int(pid)) == started else None


def start(lab, name, process):
    await_free_port(lab, name, process.port)
    env = {k: v for k, v in os.environ.items() if not k.startswith('OS_')
           and k.lower() not in ('http_proxy', 'https_proxy', 'all_proxy')}
    env['PATH'] = lab.bin('') + ':' + env.get('PATH', '')
    env.update(process.environment)
    with open(lab.path('log', name + '.out'), 'ab') as log:
        child = subprocess.Popen(process.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=env, cwd=lab.path('run'), start_new_session=True)
    lab.write('run/%s.pid' % name, '%d %s %s\n' % (
        child.pid, start_time(child.pid) or '0', process.digest()))
    return child


def await_free_port(lab, name, port):
    """A server that was stopped just now may hold its port a moment longer; another's keeps it."""
    deadline = time.monotonic() + 5
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
                return
            except OSError:
                if time.monotonic() > deadline:
                    give_up(lab, name, 'port %d is taken; set LAB_PORT_BASE' % port)
        time.sleep(0.1)


def stop(lab, name):
    """Ask it to end, then end its process group; whether it was running."""
    found = find(lab, name)
    if found:
        pid = found[0]
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline and start_time(pid):
            try:
                os.waitpid(pid, os.WNOHANG)
            except OSError:
                pass
            time.sleep(0.05)
        if start_time(pid):
            os.killpg(pid, signal.SIGKILL)
    try:
        os.unlink(lab.path('run', name + '.pid'))
    except FileNotFoundError:
        pass
    return bool(found)


def await_health(lab, plan, children):
    """Wait until all of a plan answers; the end of a log says why one does not."""
    deadline = time.monotonic() + lab.patience
    waiting = dict(plan)
    while waiting:
        for name in list(waiting):
            if waiting[name].is_healthy():
                del waiting[name]
            elif name in children and children[name].poll() is not None:
                give_up(lab, name, 'exited with %s' % children[name].returncode)
        if waiting and time.monotonic() > deadline:
            give_up(lab, next(iter(waiting)), 'no answer in %d s' % lab.patience)
        if waiting:
            time.sleep(0.2)


def give_up(lab, name, why):
    text = ''
    for log in (name + '.out', name + '.log'):
        try:
            with open(lab.path('log', log), encoding='utf-8', errors='replace') as f:
                text += ''.join(f.readlines()[-15:])
        except OSError:
            pass
    raise SystemExit('lab: %s: %s; the end of its log:\n%s' % (name, why, text))
