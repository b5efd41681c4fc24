"""What the manifests tell the program, told to it: whether it knows each setting, and starts with them."""
import functools
import re
import subprocess
import tempfile
from pathlib import Path

import manifests
import tools
from common import expect, gatestone

KEYSTONE = 'https://keystone.example:5000/v3'


@functools.lru_cache(maxsize=None)
def client_secret():
    """One made as is written above where it belongs."""
    tools.install(('openssl', 'openssl'))
    text = (manifests.FOLDER / 'gateway/secret/kustomization.yaml').read_text()
    command = re.search(r'(?m)^# +(openssl .* > client-secret)$', text)[1]
    with tempfile.TemporaryDirectory(prefix='gatestone-kubernetes-') as folder:
        subprocess.run(['sh', '-c', command], cwd=folder, check=True)
        secret = Path(folder, 'client-secret').read_text()
    # Kubernetes hands it to clients as it is.
    expect.equal(secret, secret.strip(), 'what `%s` makes' % command)
    return secret


def workloads(reports):
    """(name, objects, item, container) of each container of ours."""
    for name, report in reports.items():
        for item in report['objects']:
            for container in manifests.containers(manifests.template(item)[1]) if manifests.template(item) else ():
                if manifests.is_ours(container):
                    yield name, report['objects'], item, container


def check_variables(names):
    """Each variable is one that the program reads: with a value that none can have it complains of each."""
    environment = gatestone.environment(dict.fromkeys(names, 'no value'))
    done = subprocess.run([gatestone.binary(), 'run'], env=environment, cwd=gatestone.nowhere(), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    read = set(re.findall(r'(?m)^(?:gatestone:|\s+\d+\.) (GATESTONE_\w+): ', done.stderr))
    expect.equal(sorted(set(names) - read), [], 'variables that the program does not know')


def start(objects, item, container, keystone, secret=None):
    """It starts with all that a container has, on free ports of loopback, and ends well. What it printed."""
    with tempfile.TemporaryDirectory(prefix='gatestone-kubernetes-') as folder:
        variables = manifests.variables(objects, item, container)
        if 'GATESTONE_LISTEN' in variables:
            variables['GATESTONE_LISTEN'] = port_0(variables['GATESTONE_LISTEN'])
        files = manifests.mounted(objects, item, container)
        for path, text in files.items():
            copy = Path(folder, path[1:])
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = port_0(in_the_test(text, keystone).replace('"/run/', '"%s/run/' % folder))
            copy.write_text((secret or client_secret()) if path.endswith('/client-secret') else text)
        expect.that('/etc/openstack/clouds.yaml' in files, 'no login: %s' % sorted(files))
        # The only ones that stand where the program looks by itself.
        variables['OS_CLIENT_CONFIG_FILE'] = folder + '/etc/openstack/clouds.yaml'
        if '/etc/gatestone/gatestone.toml' in files:
            variables['GATESTONE_CONFIG'] = folder + '/etc/gatestone/gatestone.toml'
        process = subprocess.Popen([gatestone.binary(), *(container.get('args') or ['run'])], cwd=gatestone.nowhere(),
                                   env=gatestone.environment(variables), stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            line = process.stdout.readline()
            process.terminate()
            said = process.communicate(timeout=40)[1]
        finally:
            process.kill()
            process.wait()
    return line, said, process.returncode


def in_the_test(text, keystone):
    """The login of the manifests, with the Keystone of the test, which has one region."""
    return text.replace(KEYSTONE, keystone).replace('region_name: RegionOne', 'region_name: R')


def port_0(text):
    return re.sub(r'\b(?:127\.0\.0\.1|0\.0\.0\.0):\d{4,5}\b(?!/)', '127.0.0.1:0', text)
