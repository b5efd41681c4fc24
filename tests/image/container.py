"""A container of the image, run by runc, which Docker and Kubernetes run theirs by.

It gets what Docker would give it: the image's user, variables and command, a root that is read-only
(as our examples ask), no capabilities, no new privileges, process and mount namespaces of its own.
"""
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from common import expect

import image

# Docker's own: what of /proc and /sys is hidden, and what cannot be written.
MASKED = ['/proc/acpi', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/scsi', '/sys/firmware']
READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']


class Container:
    """One container in a pod.

    `files` are {path inside: text} of what Docker mounts, such as /etc/hosts; `secrets` {name: path outside}.
    """

    count = 0

    def __init__(self, tag, pod, arguments=None, variables=None, files=None, secrets=None):
        Container.count += 1
        self.id = '%s-%d' % (pod.name, Container.count)
        self.says = image.inspect(tag)['config']
        self.folder = tempfile.TemporaryDirectory(prefix='gatestone-container-')
        bundle = Path(self.folder.name)
        bundle.chmod(0o755)
        with image.container(tag) as (_, root):
            shutil.copytree(root, bundle / 'rootfs', symlinks=True)
        mounts = [bind(self.written(bundle, path, text), path) for path, text in (files or {}).items()]
        mounts += [bind(path, '/run/secrets/' + name) for name, path in (secrets or {}).items()]
        command = self.says['Entrypoint'] + (arguments if arguments is not None else self.says['Cmd'])
        configuration = self.configuration(pod, command, variables or {}, mounts)
        (bundle / 'config.json').write_text(json.dumps(configuration))
        self.stderr = open(bundle / 'stderr', 'w+')
        self.process = subprocess.Popen(
            [*self.runc(), 'run', '--bundle', bundle, self.id], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.stderr, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill('KILL')
        self.process.wait()
        self.process.stdout.close()
        self.stderr.close()
        self.folder.cleanup()

    def configuration(self, pod, command, variables, mounts):
        """The bundle's config.json (opencontainers/runtime-spec)."""
        user, group = map(int, self.says['User'].split(':'))
        # Docker gives a user without an account this home.
        own = dict(one.split('=', 1) for one in self.says['Env']) | {'HOME': '/'} | variables
        namespaces = [{'type': kind} for kind in ('pid', 'ipc', 'uts', 'mount')]
        tmpfs = ['nosuid', 'strictatime', 'mode=755', 'size=65536k']
        return {
            'ociVersion': '1.0.0', 'hostname': 'gatestone', 'root': {'path': 'rootfs', 'readonly': True},
            'process': {'user': {'uid': user, 'gid': group}, 'cwd': '/', 'args': command,
                        'env': ['%s=%s' % one for one in own.items()],
                        'capabilities': {}, 'noNewPrivileges': True},
            'mounts': [{'destination': '/proc', 'type': 'proc', 'source': 'proc'},
                       {'destination': '/dev', 'type': 'tmpfs', 'source': 'tmpfs', 'options': tmpfs},
                       *mounts],
            'linux': {'namespaces': namespaces + [{'type': 'network', 'path': pod.path}],
                      'maskedPaths': MASKED, 'readonlyPaths': READ_ONLY}}

    @staticmethod
    def written(bundle, path, text):
        outside = bundle / path.replace('/', '_')
        outside.write_text(text)
        return outside

    @staticmethod
    def runc():
        return ['runc', '--root', image.CACHE / 'runc']

    def runs(self, *command):
        """Run a further command inside, as `docker exec` and health checks do."""
        return subprocess.run([*self.runc(), 'exec', self.id, *command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=60)

    def kill(self, signal):
        subprocess.run([*self.runc(), 'kill', self.id, signal], check=False, capture_output=True)

    def await_line(self, patience=60):
        """The line that it prints when it is ready."""
        readable = select.select([self.process.stdout], [], [], patience)[0]
        line = self.process.stdout.readline() if readable else ''
        expect.that('ready on' in line, 'it is not ready: %r %s' % (line, self.logged()))
        return line.strip()

    def await_log(self, part, patience=60):
        """Wait until its log says something; the line that does."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.logged().splitlines():
                if part in line:
                    return line
            time.sleep(0.05)
        raise expect.Failure('its log does not say %r: %s' % (part, self.logged()))

    def end(self, patience=40):
        """Its exit status, once it has ended by itself."""
        return self.process.wait(patience)

    def stop(self):
        """What `docker stop` does, and the exit status that comes of it."""
        self.kill(self.says.get('StopSignal') or 'SIGTERM')
        return self.end()

    def logged(self):
        return Path(self.folder.name, 'stderr').read_text()

    def status(self):
        """{field: value} of its first process, from /proc/PID/status."""
        state = json.loads(image.run(*map(str, self.runc()), 'state', self.id))
        fields = dict(re.findall(r'^(\w+):\s*(.*)$', Path('/proc/%d/status' % state['pid']).read_text(),
                                 re.MULTILINE))
        for line in Path('/proc/%d/mountinfo' % state['pid']).read_text().splitlines():
            if line.split()[4] == '/':
                fields['root'] = line.split()[5].split(',')[0]
        return fields


def bind(outside, inside):
    return {'destination': inside, 'type': 'bind', 'source': os.path.abspath(outside),
            'options': ['bind', 'ro', 'nosuid', 'nodev']}
