"""Prometheus itself: where its programs come from, and a server that runs for as long as it is asked."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from common import expect, gatestone

CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'gatestone-prometheus'
# Nothing of the environment's proxies: everything is on loopback.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def program(name):
    """The path of `prometheus` or `promtool`; the distribution's package is unpacked where they are missing.

    Not installed, since that would start a service.
    """
    there = shutil.which(name) or shutil.which(name, path=str(CACHE / 'usr/bin'))
    if there is None:
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        quiet = {'cwd': CACHE, 'check': True, 'capture_output': True}
        if os.geteuid() == 0:
            subprocess.run(['apt-get', '-qq', 'update'], **{**quiet, 'check': False})
        subprocess.run(['apt-get', '-qq', 'download', 'prometheus'], **quiet)
        package = next(CACHE.glob('prometheus_*.deb'))
        subprocess.run(['dpkg-deb', '-x', package.name, '.'], **quiet)
        package.unlink()
        there = shutil.which(name, path=str(CACHE / 'usr/bin'))
    return there


def promtool(*arguments, stdin=None, cwd=None):
    """(status, what it printed) of promtool."""
    done = subprocess.run([program('promtool'), *map(str, arguments)], input=stdin, cwd=cwd, text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.strip()


class Prometheus:
    """A server of its own, with this configuration, until it is left."""

    def __init__(self, configuration):
        self.data = tempfile.TemporaryDirectory(prefix='gatestone-prometheus-')
        self.log = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen(
            [program('prometheus'), '--config.file=%s' % configuration, '--storage.tsdb.path=%s' % self.data.name,
             '--web.listen-address=127.0.0.1:0'], stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.url = ''

    def __enter__(self):
        try:
            expect.that(gatestone.wait_until(self.listens, 30), 'Prometheus does not start:\n%s' % self.logged()[-3000:])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.data.cleanup()

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def listens(self):
        """Whether it has said which port it took, and is ready."""
        expect.that(self.process.poll() is None, 'Prometheus has ended:\n%s' % self.logged()[-3000:])
        said = re.search(r'Listening on"?.* address=(127\.0\.0\.1:\d+)', self.logged())
        if not said:
            return False
        self.url = 'http://' + said[1]
        try:
            return DIRECT.open(self.url + '/-/ready', timeout=10).status == 200
        except OSError:
            return False

    def read_again(self):
        """Has it read its configuration and rules anew."""
        self.process.send_signal(signal.SIGHUP)

    def ask(self, path, **parameters):
        """What its API answers: (data, None), or (None, the error)."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            answer = json.load(DIRECT.open('%s/api/v1/%s?%s' % (self.url, path, query), timeout=30))
        except urllib.error.HTTPError as refused:
            answer = json.load(refused)
        if answer['status'] != 'success':
            return None, answer['error']
        return answer['data'], None

    def get(self, path, **parameters):
        """The same where an error is a failure."""
        data, error = self.ask(path, **parameters)
        expect.that(error is None, '%s %s: %s' % (path, parameters, error))
        return data
