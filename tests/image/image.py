"""The image, built from the Dockerfile by buildah, without a registry of images.

What the Dockerfile names as its base is made here instead: the Debian release and the packages of
the official image, from Debian's registry, and this machine's Rust. Crates come from cargo's own
cache, filled before. All is kept in a folder of its own, the user's images are not touched.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from contextlib import contextmanager
from pathlib import Path

from common import expect, gatestone

ROOT = gatestone.REPOSITORY
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'gatestone-image'
# What the official image installs: github.com/rust-lang/docker-rust, stable/*/slim/Dockerfile.
PACKAGES = 'ca-certificates,gcc,libc6-dev'
TOOLS = {'buildah': 'buildah', 'runc': 'runc', 'mmdebstrap': 'mmdebstrap', 'ip': 'iproute2', 'curl': 'curl',
         'docker-compose': 'docker-compose'}


def install_tools():
    """Debian's packages of what is missing."""
    expect.that(os.geteuid() == 0, 'containers are made here by hand: run it as root')
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool)]
    if missing:
        quiet = dict(env=dict(os.environ, DEBIAN_FRONTEND='noninteractive', RUNLEVEL='1'))
        run('apt-get', 'update', '-qq', **quiet)
        run('apt-get', 'install', '-y', '-qq', '--no-install-recommends', *missing, **quiet)


def run(*command, **options):
    """Run to the end and return what it printed; show all of it if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, **options)
    expect.that(done.returncode == 0, '%s ends with status %d:\n%s' % (
        ' '.join(map(str, command)), done.returncode, (done.stdout + done.stderr)[-4000:]))
    return done.stdout.strip()


def buildah(*arguments, **options):
    store = ('--root', CACHE / 'storage', '--runroot', CACHE / 'run', '--storage-driver', 'vfs')
    return run('buildah', *store, *arguments, **options)


@contextmanager
def container(image):
    """The root folder of a container made from an image; both go when it is left."""
    name = buildah('from', '--pull-never', image)
    try:
        yield name, Path(buildah('mount', name))
    finally:
        buildah('rm', name)


def exists(tag):
    return tag in buildah('images', '--format', '{{.Name}}:{{.Tag}}').splitlines()


def wanted_base():
    """What the Dockerfile asks for: (version of Rust, release of Debian)."""
    found = re.search(r'^ARG BUILDER=\S+/rust:([\d.]+)-slim-([a-z]+)$',
                      (ROOT / 'Dockerfile').read_text(), re.MULTILINE)
    expect.that(found, 'the Dockerfile names no rust:VERSION-slim-RELEASE as BUILDER')
    return found[1], found[2]


def base():
    """The tag of the stand-in for the Dockerfile's base, made if it is not there yet."""
    version, release = wanted_base()
    found = run('rustc', '--version', cwd=ROOT).split()[1]
    expect.that(found.startswith(version + '.'),
                'the Dockerfile wants Rust %s, this machine has %s' % (version, found))
    tag = 'localhost/rust:%s-slim-%s' % (found, release)
    if not exists(tag):
        with container('scratch') as (name, root):
            run('mmdebstrap', '--quiet', '--variant=apt', '--include=' + PACKAGES, release, root)
            copy_rust(root)
            buildah('config', '--env', 'CARGO_HOME=/usr/local/cargo', '--env', 'CARGO_NET_OFFLINE=true', name)
            buildah('commit', '--quiet', name, tag)
    return tag


def copy_rust(root):
    """This machine's Rust as /usr/local of a root folder, for its own target only."""
    sysroot = Path(run('rustc', '--print', 'sysroot', cwd=ROOT))
    own = run('rustc', '--print', 'host-tuple', cwd=ROOT)
    for tool in ('cargo', 'rustc'):
        shutil.copy2(sysroot / 'bin' / tool, root / 'usr/local/bin' / tool)

    def other_targets(folder, names):
        return [n for n in names if Path(folder).name == 'rustlib' and n != own]

    shutil.copytree(sysroot / 'lib', root / 'usr/local/lib', symlinks=True, dirs_exist_ok=True,
                    ignore=other_targets)


def let_in():
    """What .dockerignore lets the build see."""
    return re.findall(r'(?m)^!(\S+)$', (ROOT / '.dockerignore').read_text())


def commit():
    """What the Dockerfile's head says to pass."""
    return run('git', 'rev-parse', '--short=12', 'HEAD', cwd=ROOT)


def build(anew=False):
    """Build the image if nothing like it is there; its tag, which changes with what goes into it."""
    sources = [ROOT / name for name in ('Dockerfile', '.dockerignore', *let_in())]
    sources = sorted(path for source in sources for path in (source, *source.rglob('*')) if path.is_file())
    builder = base()
    digest = hashlib.sha256(builder.encode())
    for path in sources:
        digest.update(b'%s\0%s\0' % (str(path.relative_to(ROOT)).encode(), path.read_bytes()))
    tag = 'localhost/gatestone:' + digest.hexdigest()[:12]
    if anew or not exists(tag):
        for old in buildah('images', '--format', '{{.Name}}:{{.Tag}}').splitlines():
            if old.startswith('localhost/gatestone:'):
                buildah('rmi', old)
        run('cargo', 'fetch', '--locked', '--quiet', cwd=ROOT)
        home = Path(os.environ.get('CARGO_HOME') or Path.home() / '.cargo')
        buildah('build', '--isolation', 'chroot', '--format', 'docker', '--pull-never', '--quiet',
                '--volume', '%s:/usr/local/cargo/registry:ro' % (home / 'registry'),
                '--build-arg', 'BUILDER=' + builder, '--build-arg', 'GATESTONE_COMMIT=' + commit(), '--tag', tag, ROOT)
    return tag


def inspect(tag):
    """What the image says of itself, as Docker has it: `config`, `history`, ..."""
    return json.loads(buildah('inspect', '--type', 'image', tag))['Docker']


def lab_ports(cloud):
    """The lab's ports that a container needs: Keystone and the first Swift, plain and by TLS."""
    base = urllib.parse.urlsplit(cloud.facts['auth_url']).port
    return [base, base + 1, base + 10, base + 19]


@contextmanager
def secret(cloud):
    """A file with the password of the lab's demo user, which the image's user alone may read."""
    with tempfile.TemporaryDirectory(prefix='gatestone-secret-') as folder:
        os.chmod(folder, 0o711)
        file = Path(folder, 'password')
        file.write_text(cloud.environment('demo')['OS_PASSWORD'])
        os.chown(file, 65532, 65532)
        file.chmod(0o400)
        yield file
