"""A pod as a node makes it, as far as the program notices: a network namespace, volumes where they are mounted, users.

The cloud of the test listens on the machine's loopback, so its ports have relays in the pod's. Mounts are made by each
container for itself, in a mount namespace of its own that ends with it.
"""
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import manifests
from common import gatestone

sys.path.append(str(Path(__file__).resolve().parents[1] / 'image'))

import pod as network  # noqa: E402

ROOTS = '/etc/ssl/certs/ca-certificates.crt'


class Pod(network.Pod):
    """The pod of a workload; with an address, and connected with another pod if there is one."""

    relayed = ()
    made = 0

    def __init__(self, objects, item, address=None, other=None, hosts=()):
        Pod.made += 1
        self.objects, self.item = objects, item
        self.spec = manifests.template(item)[1]
        self.name = 'gatestone-pod-%d-%d' % (os.getpid(), Pod.made)
        self.path = '/run/netns/' + self.name
        self.environment, self.started = {}, []
        self.folder = tempfile.TemporaryDirectory(prefix='gatestone-pod-')
        os.chmod(self.folder.name, 0o755)
        self.address = address
        lines = ['127.0.0.1 localhost', *('%s %s' % (where, name) for name, where in dict(hosts).items())]
        self.hosts = '\n'.join(lines) + '\n'
        ip('netns', 'add', self.name)
        try:
            ip('-n', self.name, 'link', 'set', 'lo', 'up')
            for port in self.relayed:
                network.serve(self.listener(port), lambda client, port=port: network.relay(client, port))
            if other:
                self.connect(other)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()
        ip('netns', 'delete', self.name)
        self.folder.cleanup()

    def connect(self, other):
        """A cable between the two, and a way to each other's address."""
        ends = ['gs%d%s%d' % (os.getpid() % 100000, side, Pod.made) for side in 'ab']
        ip('link', 'add', ends[0], 'netns', self.name, 'type', 'veth', 'peer', 'name', ends[1], 'netns', other.name)
        for end, here, there in ((ends[0], self, other), (ends[1], other, self)):
            ip('-n', here.name, 'addr', 'add', here.address + '/32', 'dev', end)
            ip('-n', here.name, 'link', 'set', end, 'up')
            ip('-n', here.name, 'route', 'add', there.address + '/32', 'dev', end, 'src', here.address)

    def command(self, container, command):
        """`command` as this container's user in its mounts: a root that is read-only, and the volumes."""
        effective = {**self.spec.get('securityContext', {}), **container['securityContext']}
        user, group = effective.get('runAsUser', 65534), effective.get('runAsGroup', 65534)
        groups = [str(one) for one in (group, effective.get('fsGroup')) if one is not None]
        # Of the machine's /etc only what the image has as well.
        lines = ['set -e', 'mount -t tmpfs tmpfs /run', 'cp %s /run/roots' % ROOTS, 'mount -t tmpfs tmpfs /etc',
                 'mkdir -p %s' % Path(ROOTS).parent, 'mv /run/roots ' + ROOTS]
        modes = {volume['name']: volume.get('secret', volume.get('configMap', {})).get('defaultMode', 0o644)
                 for volume in self.spec.get('volumes', [])}
        for mount in container.get('volumeMounts', []):
            lines.append('mkdir -p %s' % mount['mountPath'])
            for path, text in manifests.mounted(self.objects, self.item, dict(container, volumeMounts=[mount])).items():
                lines += ['printf %%s %s > %s' % (shlex.quote(text), path),
                          'chown 0:%s %s' % (effective.get('fsGroup', 0), path), 'chmod %o %s' % (modes[mount['name']], path)]
        lines += ['printf %%s %s > /etc/hosts' % shlex.quote(self.hosts),
                  'mount -o remount,ro /etc', 'mount -o remount,ro /run',
                  'exec setpriv --reuid=%s --regid=%s --groups=%s --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"'
                  % (user, group, ','.join(groups))]
        return ['ip', 'netns', 'exec', self.name, 'unshare', '--mount', 'sh', '-c', '\n'.join(lines), 'sh', *command]

    def options(self, container):
        told = {**manifests.variables(self.objects, self.item, container), **self.environment}
        image = re.findall(r'(?m)^ENV (GATESTONE_\w+)=(\S+)$', (manifests.ROOT / 'Dockerfile').read_text())
        image = dict(image) if manifests.is_ours(container) else {}
        return {'env': {'PATH': os.environ['PATH'], **image, **told}, 'cwd': '/', 'stdin': subprocess.DEVNULL, 'text': True}

    def start(self, container):
        """A container of ours."""
        with open(Path(self.folder.name, container['name']), 'w') as log:
            process = subprocess.Popen(self.command(container, [gatestone.binary(), *container.get('args', ['run'])]),
                                       stdout=log, stderr=subprocess.STDOUT, **self.options(container))
        self.started.append(process)
        return process

    def logged(self, container):
        return Path(self.folder.name, container['name']).read_text()

    def terminate(self, process):
        """What a node does; the exit status. All of the commands before it have become it (exec)."""
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(self.spec.get('terminationGracePeriodSeconds', manifests.GRACE_SECONDS))
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def probe(self, container, command):
        """The exit status of a probe's command."""
        done = subprocess.run(self.command(container, [gatestone.binary(), *command[1:]]), capture_output=True, timeout=20,
                              check=False, **self.options(container))
        return done.returncode

    def run(self, container, timeout=60):
        """A container to its end; curl is this machine's."""
        return subprocess.run(self.command(container, container['command']), capture_output=True, timeout=timeout, check=False,
                              **self.options(container))

    def curl(self, *arguments):
        return subprocess.run(['ip', 'netns', 'exec', self.name, 'curl', '-s', '--noproxy', '*', '--max-time', '10', '-o',
                               '/dev/null', *arguments], capture_output=True, text=True, check=False).stdout.strip()

    def status(self, url, *arguments):
        """Status and reason of a request from the pod."""
        return self.curl('-w', '%{http_code} %header{x-gatestone-error}', *arguments, url)

    def login(self, url):
        """The token of a login with any key."""
        return self.curl('-w', '%header{x-auth-token}', '-H', 'X-Auth-User: any', '-H', 'X-Auth-Key: any', url)


def ip(*arguments):
    subprocess.run(['ip', *arguments], check=True)
