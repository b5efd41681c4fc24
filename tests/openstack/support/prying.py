"""A command that looks for whatever it can get hold of: its own process, and its parent's /proc.

What it can read it writes to its standard output, for the test to search: it does not know the secret
itself. Where the tests are root, `gatestone exec` and the command run as an ordinary user, since root
reads everything.
"""
import base64
import json
import os
import shutil
import stat
import subprocess
import tempfile

from support import gatestone

NOBODY = 65534

SCRIPT = r'''
import base64, json, os
def tell(place, content):
    print(json.dumps([place, base64.b64encode(content).decode()]))
def read(path, place):
    try:
        with open(path, 'rb') as file:
            tell(place, file.read(1 << 24))
    except OSError as error:
        print(json.dumps([place, None]))
def memory(pid, place):
    try:
        regions = open('/proc/%s/maps' % pid).read().splitlines()
        with open('/proc/%s/mem' % pid, 'rb', 0) as mem:
            found = []
            for region in regions:
                span, mode = region.split()[:2]
                start, end = (int(part, 16) for part in span.split('-'))
                if mode.startswith('rw') and end - start <= 1 << 26:
                    try:
                        mem.seek(start)
                        found.append(mem.read(end - start))
                    except (OSError, ValueError, OverflowError):
                        pass
        tell(place, b''.join(found))
    except OSError:
        print(json.dumps([place, None]))
for who, pid in (('own', 'self'), ('parent', str(os.getppid()))):
    for name in ('environ', 'cmdline', 'status', 'stat', 'auxv', 'cwd', 'exe'):
        if name not in ('cwd', 'exe'):
            read('/proc/%s/%s' % (pid, name), '%s %s' % (who, name))
    for folder in ('fd', 'task'):
        try:
            entries = sorted(os.listdir('/proc/%s/%s' % (pid, folder)))
        except OSError:
            print(json.dumps(['%s %s' % (who, folder), None]))
            continue
        for entry in entries:
            path = '/proc/%s/%s/%s' % (pid, folder, entry)
            if folder == 'task':
                read(path + '/environ', '%s task environ' % who)
            elif os.path.isfile(path):
                read(path, '%s fd %s' % (who, entry))
memory(os.getppid(), 'parent mem')
tell('own environ as python has it', repr(os.environ).encode())
for name in ('OS_CLIENT_CONFIG_FILE', 'OS_CLIENT_SECURE_FILE'):
    if name in os.environ:
        read(os.environ[name], name)
'''


def command():
    """The command as arguments."""
    return [python(), '-B', '-c', SCRIPT]


def python():
    """An interpreter that an ordinary user can run: those of a virtual environment may lie in root's home."""
    return '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else 'python3'


def pry(variables, arguments, as_root=False):
    """Run it below `arguments`; ({place: bytes} it could read, [place] it could not), and what went wrong."""
    with tempfile.TemporaryDirectory(prefix='gatestone-pry-') as folder:
        os.chmod(folder, 0o755)
        program = os.path.join(folder, 'gatestone')
        shutil.copy(gatestone.binary(), program)
        os.chmod(program, stat.S_IRWXU | stat.S_IXGRP | stat.S_IRGRP | stat.S_IXOTH | stat.S_IROTH)
        options = {}
        if os.geteuid() == 0 and not as_root:
            options = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []}
        arguments = [program if word == 'gatestone' else word for word in arguments]
        done = subprocess.run(arguments, env=dict(gatestone.environment(variables), HOME='/nonexistent'), cwd='/',
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False, **options)
    read, closed = {}, []
    for line in done.stdout.splitlines():
        place, content = json.loads(line)
        if content is None:
            closed.append(place)
        else:
            read[place] = read.get(place, b'') + base64.b64decode(content)
    if done.returncode or 'own environ' not in read:
        raise RuntimeError('the command ended with %d: %s' % (done.returncode, done.stderr[-600:]))
    return read, closed
