"""The clients themselves, installed where they are missing: from Python's index and from Debian."""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ADMINISTRATORS = ['/usr/sbin', '/sbin']


def folder():
    """`gatestone-clients` in the user's cache folder, beside the lab's."""
    found = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'gatestone-clients'
    found.mkdir(parents=True, exist_ok=True)
    return found


@cache
def python(program):
    """The path of a program from the clients' virtualenv."""
    requirements = HERE / 'requirements.txt'
    want = hashlib.sha256(requirements.read_bytes()).hexdigest()
    place = folder() / 'venv'
    mark = place / '.requirements'
    with locked('venv'):
        if not mark.exists() or mark.read_text() != want:
            print('clients: installing into a virtualenv (about half a minute)', flush=True)
            quietly(sys.executable, '-m', 'venv', place)
            quietly(place / 'bin/pip', 'install', '-q', '--disable-pip-version-check', '--no-deps', '-r', requirements)
            mark.write_text(want)
    return str(place / 'bin' / program)


@cache
def debian(program, *packages):
    """The path of a program, installed with these packages (default: the one of its name) if it is missing."""
    packages = packages or (program,)
    with locked('debian'):
        if not (found := which(program)) or not all(map(is_installed, packages[1:])):
            print('clients: installing ' + ' '.join(packages), flush=True)
            sudo = [] if os.getuid() == 0 else ['sudo', '-n']
            apt = [*sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-qq']
            quietly(*apt, 'update')
            quietly(*apt, 'install', '-y', '--no-install-recommends', *packages)
            found = which(program)
    if not found:
        raise RuntimeError('%s is missing; install %s' % (program, ' '.join(packages)))
    return found


def which(program):
    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(ADMINISTRATORS))


def is_installed(package):
    done = subprocess.run(['dpkg-query', '-W', '-f', '${Status}', package], capture_output=True, text=True, check=False)
    return done.stdout == 'install ok installed'


def locked(name):
    """A file that is held while something is installed; closing it lets go."""
    file = open(folder() / ('.%s.lock' % name), 'w')
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def quietly(*command, **options):
    """Run it without a word; what it said is the message if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError('%s: %s' % (' '.join(map(str, command)), done.stdout[-2000:]))
