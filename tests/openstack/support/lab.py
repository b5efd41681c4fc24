"""The lab as the tests see it: up, down, and the facts it leaves behind."""
import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / 'lab'


class Lab:
    """A running lab. `started` tells whether this process brought it up."""

    def __init__(self, **settings):
        self.state = state_dir()
        self.started = not self.is_up()
        self.configure(**settings)

    def configure(self, **settings):
        """Bring the lab up with these LAB_ settings; restarts only what differs."""
        env = dict(os.environ, **settings)
        done = subprocess.run([SCRIPTS / 'up', self.state], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise RuntimeError('the lab does not come up:\n' + done.stdout)
        self.facts = json.loads((self.state / 'lab.json').read_text())

    def is_up(self):
        return subprocess.run([SCRIPTS / 'status', self.state], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def down(self):
        subprocess.run([SCRIPTS / 'down', self.state], check=True, stdout=subprocess.DEVNULL)

    def stop(self, name):
        """End one of its processes; `configure` starts it again."""
        code = ('import sys, processes, settings; '
                'sys.exit(not processes.stop(settings.Settings(sys.argv[1]), sys.argv[2]))')
        subprocess.run([sys.executable, '-B', '-c', code, self.state, name], cwd=SCRIPTS, check=True)

    def environment(self, name):
        """The OS_ variables of one of the lab's openrc files."""
        lines = (self.state / ('openrc-' + name)).read_text().splitlines()
        return dict(line.removeprefix('export ').split('=', 1) for line in lines)

    @property
    def clouds(self):
        return str(self.state / 'clouds.yaml')

    @property
    def python(self):
        """An interpreter that has the stock clients."""
        return os.path.join(os.environ.get('LAB_VENV') or self.state / 'venv', 'bin/python')

    @property
    def project(self):
        """The id of the project that most cases work in."""
        return self.facts['projects']['demo']


def state_dir():
    """$LAB_DIR, else a folder in the user's cache."""
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(os.environ.get('LAB_DIR') or Path(cache) / 'gatestone-lab').absolute()
