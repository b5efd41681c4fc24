"""The program under test: build it, run it, ask it once, end it."""
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]

# Below `nohup` and in the background of a script these are ignored, and `gatestone exec` hands that on.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def binary():
    """$GATESTONE_BIN, else a release build of this tree."""
    if os.environ.get('GATESTONE_BIN'):
        return os.path.abspath(os.environ['GATESTONE_BIN'])
    if not binary.built:
        done = subprocess.run(
            ['cargo', 'build', '--release', '--locked', '--message-format=json-render-diagnostics'],
            cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
        built = [json.loads(line).get('executable') for line in done.stdout.splitlines()]
        binary.built = next(path for path in built if path)
    return binary.built


binary.built = None


def environment(variables):
    """A clean environment: nothing of the caller's cloud, no settings of the caller's home."""
    kept = {k: os.environ[k] for k in ('PATH', 'LANG', 'TMPDIR') if k in os.environ}
    return dict(kept, HOME=nowhere(), **variables)


def nowhere():
    """An empty folder: a working directory and home without a clouds.yaml."""
    if not nowhere.folder:
        nowhere.folder = tempfile.TemporaryDirectory(prefix='gatestone-home-')
    return nowhere.folder.name


nowhere.folder = None


def once(variables, *arguments, timeout=60, **options):
    """Run a command to its end; the result has returncode, stdout, stderr."""
    return subprocess.run([binary(), *arguments], env=environment(variables), cwd=nowhere(),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False, **options)


class Proxy:
    """`gatestone run` on a free port, ready to be asked."""

    def __init__(self, variables, *arguments, patience=30):
        self.stderr = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            [binary(), 'run', '--listen', '127.0.0.1:0', *arguments],
            env=environment(variables), cwd=nowhere(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        self.ready_line = self.await_ready(patience)
        self.url = re.search(r'http://127\.0\.0\.1:\d+', self.ready_line)[0]
        self.port = int(self.url.rpartition(':')[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def await_ready(self, patience):
        """The line that says where it listens."""
        waiting = select.poll()  # `select` itself knows no descriptor above 1023
        waiting.register(self.process.stdout, select.POLLIN)
        line = self.process.stdout.readline() if waiting.poll(patience * 1000) else ''
        if 'http://127.0.0.1:' not in line:
            self.process.kill()
            self.process.wait()
            raise RuntimeError('gatestone did not get ready, stdout %r, stderr: %s' % (
                line, self.logged()))
        return line

    @property
    def pid(self):
        return self.process.pid

    def logged(self):
        """All of stderr up to now."""
        self.stderr.seek(0)
        return self.stderr.read()

    def printed(self):
        """All of stdout, once the process has ended."""
        return self.ready_line + self.process.stdout.read()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, patience=20):
        """End it and return its exit status; one that hangs is killed."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def peak_kib(pid):
    """The most memory a process ever held (VmHWM)."""
    return int(re.search(r'VmHWM:\s+(\d+)', Path('/proc/%d/status' % pid).read_text())[1])


def metric(text, name):
    """The value of one line of Prometheus text, 0 when it is not there."""
    for line in text.splitlines():
        if line.startswith(name + ' '):
            return float(line.rpartition(' ')[2])
    return 0.0


def wait_until(holds, seconds=10):
    """Ask until it holds; whether it did in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
