"""What no schema says: whether objects fit together, and what Kubernetes' Pod Security Standard "restricted" asks of pods.

Each function yields mistakes, in words.
"""
import ipaddress
import re
import tomllib
import urllib.parse

from manifests import (GRACE_SECONDS, PROGRAM, called, containers, content, files, find, is_ours, mounted, namespace,
                       template, variables)

# The most that a probe's failureThreshold can be.
NEVER = 2 ** 31 - 1
# Has Prometheus call an instance by its pod's name.
BY_POD = {'sourceLabels': ['__meta_kubernetes_pod_name'], 'targetLabel': 'instance'}
# What a pod of the standard may mount.
VOLUMES = {'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'}
SECCOMP = ('RuntimeDefault', 'Localhost')


def every(objects):
    """All rules over all objects of a kustomization."""
    for item in objects:
        if item['kind'] == 'Secret':
            yield from ('%s: %s' % (called(item), mistake) for mistake in login(content(item)))
        if template(item):
            labels, spec = template(item)
            missing = list(references(objects, item))
            # The rest looks into what is referred to.
            others = (grace(objects, item), reachable(objects, item)) if not missing else ()
            for rule in (missing, restricted(spec), frugal(spec), ports(spec), probes(spec), spread(labels, spec), *others):
                yield from ('%s: %s' % (called(item), mistake) for mistake in rule)
    yield from ('%s: %s' % mistake for mistake in selectors(objects))


def login(secret):
    """Refusals of an application credential lock nobody's account, however many replicas ask."""
    if 'clouds.yaml' in secret and 'auth_type: v3applicationcredential' not in secret['clouds.yaml']:
        yield 'its login is no application credential'


def restricted(spec):
    """The Pod Security Standard "restricted", as of Kubernetes 1.37."""
    pod = spec.get('securityContext', {})
    for key in ('hostNetwork', 'hostPID', 'hostIPC'):
        if spec.get(key):
            yield '%s is set' % key
    for volume in spec.get('volumes', []):
        for kind in set(volume) - {'name'} - VOLUMES:
            yield 'volume %s is a %s' % (volume['name'], kind)
    if pod.get('sysctls'):
        yield 'it sets sysctls'
    for scope in (pod, *(container.get('securityContext', {}) for container in containers(spec))):
        for key in ('seLinuxOptions', 'windowsOptions', 'appArmorProfile', 'procMount'):
            if key in scope:
                yield '%s is set' % key
    for container in containers(spec):
        own, name = container.get('securityContext', {}), container['name']
        effective = {**pod, **own}
        if own.get('privileged'):
            yield '%s is privileged' % name
        if own.get('allowPrivilegeEscalation') is not False:
            yield '%s may gain privileges (allowPrivilegeEscalation)' % name
        capabilities = own.get('capabilities', {})
        if 'ALL' not in capabilities.get('drop', []) or set(capabilities.get('add', [])) - {'NET_BIND_SERVICE'}:
            yield '%s keeps capabilities' % name
        if effective.get('runAsNonRoot') is not True or effective.get('runAsUser') == 0:
            yield '%s may run as root' % name
        if effective.get('seccompProfile', {}).get('type') not in SECCOMP:
            yield '%s has no seccomp profile' % name
        if any('hostPort' in port for port in container.get('ports', [])):
            yield '%s takes a port of the node' % name


def mebibytes(container):
    """Its limit of memory."""
    return int(re.fullmatch(r'(\d+)Mi', container['resources']['limits']['memory'])[1])


def frugal(spec):
    """What we ask for beside it."""
    for container in containers(spec):
        if container.get('securityContext', {}).get('readOnlyRootFilesystem') is not True:
            yield '%s may write to its root' % container['name']
        if 'memory' not in container.get('resources', {}).get('limits', {}):
            yield '%s has no limit of memory' % container['name']
        variables = {it['name']: it.get('value') for it in container.get('env', [])}
        # The gateway has a file of settings; see `room`.
        if is_ours(container) and 'GATESTONE_LISTEN' in variables:
            kept = int(variables.get('GATESTONE_MAX_REQUESTS', 20000)) * 128
            if kept > mebibytes(container) * 1024 / 2:
                yield '%s may keep %d KiB of uploads, and has %d MiB' % (container['name'], kept, mebibytes(container))
        if is_ours(container):
            for mount in container.get('volumeMounts', []):
                if not mount.get('readOnly') or 'subPath' in mount:
                    yield '%s mounts %s to be written, or as a single file, which does not change' % (
                        container['name'], mount['mountPath'])
    for volume in spec.get('volumes', []):
        mode = volume.get('secret', {}).get('defaultMode')
        users = [container['name'] for container in containers(spec) for mount in container.get('volumeMounts', [])
                 if mount['name'] == volume['name']]
        if 'secret' in volume and len(users) != 1:
            yield 'secret %s is mounted into %s' % (volume['name'], users)
        # The program's user has to be able to read it, by its group or as everybody.
        if 'secret' in volume and not (mode & 0o004 or mode & 0o040 and 'fsGroup' in spec.get('securityContext', {})):
            yield 'secret %s has mode %o, and nobody but root can read it' % (volume['name'], mode)


def ports(spec):
    """The names of ports are one container's."""
    names = [port['name'] for container in containers(spec) for port in container.get('ports', [])]
    if len(names) != len(set(names)):
        yield 'ports are called %s' % names


def probes(spec):
    """Each is a command of the program, since none of its ports answers the kubelet."""
    for container in spec.get('initContainers', []):
        if 'readinessProbe' in container:
            yield '%s decides whether the pod is ready' % container['name']
    for container in filter(is_ours, containers(spec)):
        for kind in ('startupProbe', 'readinessProbe', 'livenessProbe'):
            probe = container.get(kind)
            if probe is None:
                continue
            if probe.get('exec', {}).get('command', [None])[:2] != [PROGRAM, 'health']:
                yield '%s of %s is not `%s health`' % (kind, container['name'], PROGRAM)
            # It gives up by itself after five.
            if probe.get('timeoutSeconds', 1) <= 5:
                yield '%s of %s ends before health does' % (kind, container['name'])
        startup = container.get('startupProbe', {})
        # Each restart is up to three more logins.
        if '--ready' in startup.get('exec', {}).get('command', []) and startup.get('failureThreshold') != NEVER:
            yield '%s is restarted when it has had no token for some time' % container['name']
        if 'livenessProbe' not in container or '--ready' in container['livenessProbe']['exec']['command']:
            yield '%s is not asked whether it lives, and nothing else' % container['name']


def room(gateway):
    """What requests keep of uploads, and idle connections, is below half of the memory; the rest is for what is under way."""
    container = containers(template(find(gateway, 'Deployment', 'gatestone', 'gatestone'))[1])[0]
    settings = tomllib.loads(content(next(item for item in gateway if item['kind'] == 'ConfigMap'))['gatestone.toml'])
    kept = settings.get('max_requests', settings['max_connections']) * 128 + settings['max_connections'] * 5
    limit = mebibytes(container) * 1024
    if kept > limit / 2:
        yield 'the gateway may keep %d KiB, its limit is %d' % (kept, limit)


def references(objects, item):
    """Secrets and ConfigMaps are there, with the keys that are asked for."""
    for volume in template(item)[1].get('volumes', []):
        try:
            files(objects, item, volume)
        except LookupError as error:
            yield error.args[0]
    for container in containers(template(item)[1]):
        try:
            variables(objects, item, container)
        except LookupError as error:
            yield '%s: %s' % (container['name'], error.args[0])


def shutdown_timeout(objects, item, container):
    """In seconds; that of the program if nothing is set."""
    text = variables(objects, item, container).get('GATESTONE_SHUTDOWN_TIMEOUT')
    if text is None:
        settings = mounted(objects, item, container).get('/etc/gatestone/gatestone.toml', '')
        text = tomllib.loads(settings).get('shutdown_timeout', '30s')
    return int(re.fullmatch(r'(\d+)s', text)[1])


def grace(objects, item):
    """Kubernetes waits longer than the program takes to end, after the pause before that."""
    spec = template(item)[1]
    given = spec.get('terminationGracePeriodSeconds', GRACE_SECONDS)
    for container in filter(is_ours, containers(spec)):
        pause = container.get('lifecycle', {}).get('preStop', {}).get('sleep', {}).get('seconds', 0)
        takes = pause + shutdown_timeout(objects, item, container)
        if given <= takes:
            yield '%s takes up to %d s to end, and is given %d' % (container['name'], takes, given)


def reachable(objects, item):
    """Who may come in from elsewhere without a secret is named by a NetworkPolicy, or is no more than a node's pods."""
    labels, spec = template(item)
    policies = [other['spec'] for other in objects if other['kind'] == 'NetworkPolicy' and namespace(other) == namespace(item)]
    if any('Ingress' in policy['policyTypes'] and chosen(policy['podSelector'], labels) for policy in policies):
        return
    for container in filter(is_ours, containers(spec)):
        settings = tomllib.loads(mounted(objects, item, container).get('/etc/gatestone/gatestone.toml', ''))
        for listener in settings.get('listener', []):
            for network in listener.get('allow_remote', []):
                if 'client_secret_file' not in listener and ipaddress.ip_network(network).prefixlen < 24:
                    yield '%s of %s is open to all of %s' % (listener['listen'], container['name'], network)


def spread(labels, spec):
    for constraint in spec.get('topologySpreadConstraints', []):
        if not chosen(constraint['labelSelector'], labels):
            yield 'what is spread by %s is not itself' % constraint['topologyKey']


def chosen(selector, labels):
    """Whether a selector of matchLabels, the only ones used here, chooses these labels."""
    if set(selector) - {'matchLabels'}:
        raise NotImplementedError('a selector with %s' % sorted(selector))
    return selector.get('matchLabels', {}).items() <= labels.items()


def pods(objects, selector, where):
    """(labels, spec) of the pods in a namespace that a selector chooses."""
    made = [template(item) for item in objects if template(item) and namespace(item) == where]
    return [(labels, spec) for labels, spec in made if chosen(selector, labels)]


def port_names(spec):
    return {port['name'] for container in containers(spec) for port in container.get('ports', [])}


def selectors(objects):
    """Each selector chooses something, and each port that is named there is one of what it chooses."""
    for item in objects:
        kind, spec, asked = item['kind'], item.get('spec', {}), set()
        if kind in ('Deployment', 'StatefulSet', 'DaemonSet'):
            if not chosen(spec['selector'], template(item)[0]):
                yield called(item), 'its selector does not choose its own pods'
            continue
        if kind == 'Service':
            selector, asked = {'matchLabels': spec['selector']}, {port['targetPort'] for port in spec['ports']}
            if 'gatestone' in item['metadata']['name']:
                yield called(item), 'it would set variables GATESTONE_* in every pod of its namespace'
        elif kind == 'PodDisruptionBudget':
            selector = spec['selector']
        elif kind == 'NetworkPolicy':
            selector = spec['podSelector']
            asked = {port['port'] for rule in spec.get('ingress', []) for port in rule['ports']}
        elif kind == 'PodMonitor':
            for endpoint in spec['podMetricsEndpoints']:
                if BY_POD not in endpoint.get('relabelings', []):
                    yield called(item), 'its instances are called by their addresses'
            selector, asked = spec['selector'], {endpoint['port'] for endpoint in spec['podMetricsEndpoints']}
        else:
            continue
        found = pods(objects, selector, namespace(item))
        if not found:
            yield called(item), 'it chooses no pod'
        for _, chosen_spec in found:
            if asked - port_names(chosen_spec):
                yield called(item), 'its pods have no port %s' % sorted(asked - port_names(chosen_spec))


def policy(objects):
    """The gateway's NetworkPolicies: everything in and out is named, and nothing is open to all."""
    for item in objects:
        if item['kind'] != 'NetworkPolicy':
            continue
        spec = item['spec']
        for direction, key, side in (('Ingress', 'ingress', 'from'), ('Egress', 'egress', 'to')):
            if direction not in spec['policyTypes']:
                continue
            for rule in spec.get(key, []):
                if not rule.get(side) or not rule.get('ports'):
                    yield '%s: a rule of %s is for everybody, or for every port' % (called(item), key)
                for peer in rule.get(side, []):
                    wide = peer.get('ipBlock', {}).get('cidr', '').endswith('/0')
                    if wide or not peer or {} in peer.values():
                        yield '%s: a rule of %s is for everybody: %s' % (called(item), key, peer)


def client(gateway, objects):
    """A client of the gateway: its URL is that of the Service and one that is served, and the NetworkPolicy lets it in."""
    service = find(gateway, 'Service', 'openstack', 'gatestone')
    deployment = find(gateway, 'Deployment', 'gatestone', 'gatestone')
    settings = tomllib.loads(content(next(item for item in gateway if item['kind'] == 'ConfigMap'))['gatestone.toml'])
    hosts = settings['listener'][0]['allowed_hosts']
    names = [service['metadata']['name'], namespace(service), 'svc', 'cluster', 'local']
    for depth in (1, 2, 3, 5):
        if '.'.join(names[:depth]) not in hosts:
            yield 'the gateway does not serve its own name %s' % '.'.join(names[:depth])
    job = next(item for item in objects if item['kind'] == 'Job')
    given = variables(objects, job, containers(template(job)[1])[0])
    url = urllib.parse.urlsplit(given['GATEWAY'])
    if url.hostname not in hosts or url.port != service['spec']['ports'][0]['port']:
        yield 'the client asks %s, which is not the Service' % url.geturl()
    mounted_secret = mounted(gateway, deployment, containers(template(deployment)[1])[0])
    if given['CLIENT_SECRET'] != mounted_secret[settings['listener'][0]['client_secret_file']]:
        yield 'the client has another secret than the gateway'
    if given['CLIENT_SECRET'] != given['CLIENT_SECRET'].strip():
        yield 'the client secret has a newline at its end, which clients send along'
    home = next(item for item in objects if item['kind'] == 'Namespace')
    rules = find(gateway, 'NetworkPolicy', 'gatestone', 'gatestone')['spec']['ingress']
    if not any(chosen(peer['namespaceSelector'], home['metadata'].get('labels', {}))
               and chosen(peer['podSelector'], template(job)[0]) for rule in rules for peer in rule['from']):
        yield 'the NetworkPolicy does not let the client in'
