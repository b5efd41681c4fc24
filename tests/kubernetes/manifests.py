"""The kustomizations of config/kubernetes, built, and what their objects are about."""
import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import tools

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'config/kubernetes'
PROGRAM = '/usr/bin/gatestone'
# What Kubernetes gives a pod that says nothing.
GRACE_SECONDS = 30

# What somebody may have already: the sidecar is put beside it, and changes nothing of it. With the Prometheus operator.
OWN = '''apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [own.yaml, ../login]
components: [../sidecar/component, ../sidecar/monitor]
images: [{name: gatestone, newName: registry.example/gatestone, newTag: 0.1.0}]
'''
OWN_OBJECTS = '''apiVersion: apps/v1
kind: StatefulSet
metadata: {name: own, annotations: {gatestone: sidecar}}
spec:
  serviceName: own
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec:
      terminationGracePeriodSeconds: 300
      securityContext: {runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}
      initContainers: [{name: first, image: own, volumeMounts: [{name: data, mountPath: /data}], CONFINED}]
      containers: [{name: own, image: own, CONFINED}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: another}
spec:
  selector: {matchLabels: {app: another}}
  template:
    metadata: {labels: {app: another}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers: [{name: another, image: own, CONFINED}]
'''.replace('CONFINED', 'resources: {limits: {memory: 64Mi}}, securityContext: {allowPrivilegeEscalation: false, '
            'readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}')
WATCHED = '''apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: gatestone
resources: [../gateway]
components: [../gateway/monitor]
'''
# Each with the oldest Kubernetes that it is said to be for.
KUSTOMIZATIONS = {'sidecar/example': '1.29', 'job': '1.29', 'job/quit': '1.25', 'gateway': '1.30', 'gateway/client': '1.25',
                  'alerts': '1.25', 'own': '1.29', 'watched': '1.30'}
NEWEST = 37


def copy(folder):
    """The folder to build in: config/kubernetes as it is, and the uses of its components."""
    shutil.copytree(FOLDER, folder)
    for name, text, objects in (('own', OWN, OWN_OBJECTS), ('watched', WATCHED, None)):
        (folder / name).mkdir()
        (folder / name / 'kustomization.yaml').write_text(text)
        if objects:
            (folder / name / 'own.yaml').write_text(objects)
    return folder


def build(folder, kubectl):
    """Each kustomization as YAML."""
    return {name: tools.run(kubectl, 'kustomize', folder / name) for name in KUSTOMIZATIONS}


def validated(texts, versions=None):
    """Objects and mistakes of each, by the schemas of each version it is for, or of these."""
    asked = {name: {'text': text, 'versions': versions or versions_of(name)} for name, text in texts.items()}
    done = subprocess.run([tools.python(), Path(__file__).with_name('schemas.py')], input=json.dumps(asked), text=True,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def versions_of(name):
    oldest = int(KUSTOMIZATIONS[name].partition('.')[2])
    return ['1.%d' % minor for minor in range(oldest, NEWEST + 1)]


def called(item):
    return '%s %s' % (item['kind'], item['metadata']['name'])


def namespace(item):
    return item['metadata'].get('namespace', 'default')


def template(item):
    """The pod that a workload makes: its labels and its spec; None of another object."""
    if item['kind'] in ('Deployment', 'StatefulSet', 'DaemonSet', 'Job'):
        made = item['spec']['template']
        return made.get('metadata', {}).get('labels', {}), made['spec']
    return None


def containers(spec):
    return spec.get('initContainers', []) + spec['containers']


def is_ours(container):
    return re.fullmatch(r'(\S+/)?gatestone:\S+', container['image']) is not None


def files(objects, item, volume):
    """What a volume holds, by name; None if it is of no Secret or ConfigMap."""
    kind, name = ('Secret', volume['secret']['secretName']) if 'secret' in volume else (
        'ConfigMap', volume['configMap']['name']) if 'configMap' in volume else (None, None)
    if kind is None:
        return None
    return content(find(objects, kind, name, namespace(item)))


def find(objects, kind, name, where):
    for item in objects:
        if (item['kind'], item['metadata']['name'], namespace(item)) == (kind, name, where):
            return item
    raise LookupError('there is no %s %s in namespace %s' % (kind, name, where))


def content(item):
    if item['kind'] == 'Secret':
        return {key: base64.b64decode(value).decode() for key, value in item['data'].items()}
    return item['data']


def mounted(objects, item, container):
    """The files that a container finds: {path: text}."""
    volumes = {volume['name']: volume for volume in template(item)[1].get('volumes', [])}
    found = {}
    for mount in container.get('volumeMounts', []):
        for name, text in (files(objects, item, volumes[mount['name']]) or {}).items():
            found['%s/%s' % (mount['mountPath'], name)] = text
    return found


def variables(objects, item, container):
    """Its environment."""
    found = {}
    for entry in container.get('env', []):
        if 'valueFrom' in entry:
            wanted = entry['valueFrom']['secretKeyRef']
            found[entry['name']] = content(find(objects, 'Secret', wanted['name'], namespace(item)))[wanted['key']]
        else:
            found[entry['name']] = entry['value']
    return found


def encoded(files):
    """The data of a Secret."""
    return {key: base64.b64encode(text.encode()).decode() for key, text in files.items()}
