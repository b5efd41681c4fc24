"""What is watched: proxies before two clouds, and clients that ask for all kinds of things.

One cloud is the embedded one of `gatestone demo`. The other is a stand-in that misbehaves: it fails, breaks off, refuses a
good token now and then, and its credentials end soon.
"""
import contextlib
import itertools
import re
import select
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from common import Keystone, KeystoneHandler, Origin, expect, gatestone, moment, wire

DAY = 86400
CREDENTIAL = '21d9b1f0a7c64e3f9c5b8e7d6a4f3055'
# Beside the embedded cloud's ordinary requests some that it refuses.
DEMO = [('GET', '/object-store/photos/tram.svg'), ('HEAD', '/object-store/photos/tram.svg'), ('PUT', '/object-store/photos/new'),
        ('DELETE', '/object-store/photos/new'), ('POST', '/object-store/photos'), ('OPTIONS', '/object-store/info'),
        ('GET', '/object-store@RegionTwo/archive/2019/report.txt'), ('GET', '/object-store/photos/none'),
        ('GET', '/compute/servers'), ('GET', '/image/v2/images'), ('GET', '/network/v2.0/networks'),
        ('GET', '/compute@RegionTwo/servers'), ('GET', '/identity/v3/projects'), ('GET', '/no-such-service'), ('GET', '/'),
        ('GET', '/-/readyz')]
WILD = [('GET', '/object-store/o'), ('PUT', '/object-store/o'), ('GET', '/object-store/broken'), ('GET', '/object-store/cut'),
        ('GET', '/object-store/refused'), ('GET', '/dns/v2/zones'), ('PROPFIND', '/object-store/o')]
BODY = b'x' * 10000


class EndingKeystone(Keystone):
    """The stand-in, where the password ends in ten days and the application credential in twelve."""

    def __init__(self, store):
        super().__init__(store)
        self.RequestHandlerClass = EndingHandler


class EndingHandler(KeystoneHandler):
    def do_GET(self):
        if self.path.endswith('/application_credentials/' + CREDENTIAL):
            return self.reply(200, {'application_credential': {'id': CREDENTIAL, 'expires_at': moment(time.time() + 12 * DAY)[:-1]}})
        return super().do_GET()

    def reply(self, status, document):
        if 'token' in document:
            document['token']['user']['password_expires_at'] = moment(time.time() + 10 * DAY)[:-1]
            document['token']['application_credential'] = {'id': CREDENTIAL, 'name': 'ci', 'restricted': True}
        super().reply(status, document)


class WildStore:
    """An object store with moods."""

    def __init__(self):
        self.refusals = itertools.count()

    def __call__(self, peer):
        while (request := peer.request()):
            for _ in peer.body(request):
                pass
            if request.target == '/broken':
                peer.answer(503, b'out of order')
            elif request.target == '/cut':
                peer.answer(200, length=2 * len(BODY))
                peer.socket.sendall(BODY)
                return
            elif request.target == '/refused' and next(self.refusals) % 2 == 0:
                # The same request sent again is served.
                peer.answer(401, fields=[('WWW-Authenticate', 'Keystone uri="%s"' % 'http://127.0.0.1/v3')])
            else:
                peer.answer(200, BODY)


@contextlib.contextmanager
def demo():
    """`gatestone demo`: the URL of its proxy."""
    process = subprocess.Popen([gatestone.binary(), 'demo', '--listen', '127.0.0.1:0'], env=gatestone.environment({}),
                               cwd=gatestone.nowhere(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        waiting = select.poll()
        waiting.register(process.stdout, select.POLLIN)
        said = None
        while not said:
            line = process.stdout.readline() if waiting.poll(60000) else ''
            expect.that(line, 'gatestone demo does not start')
            said = re.search(r'proxy\s+(http://127\.0\.0\.1:\d+)', line)
        # What it prints from now on is read by nobody, and little.
        yield said[1]
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def example(text):
    """The listener for Prometheus that config/monitoring/prometheus.yaml has in its comment, on a free port."""
    lines = re.search(r'(?m)^#     \[\[listener\]\]\n(?:#     .*\n)+', text)
    expect.that(lines, 'prometheus.yaml has no listener in its comment')
    toml = re.sub(r'(?m)^#     ', '', lines[0])
    # Prometheus runs as whoever runs the test.
    return toml.replace(':5059', ':0').replace('"prometheus"', '"self"')


class Wild:
    """The stand-in cloud, and a proxy before it that can be had as often as one likes."""

    def __init__(self, listener):
        self.stack = contextlib.ExitStack()
        self.origin = self.stack.enter_context(Origin(WildStore()))
        self.keystone = self.stack.enter_context(EndingKeystone(self.origin.url))
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix='gatestone-watched-')))
        (self.folder / 'gatestone.toml').write_text(
            '[service.object-store]\nrate_limit = "10/s"\n'
            '[service.dns]\nendpoint_override = "http://127.0.0.1:1"\nnames = ["dns"]\n' + listener)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def proxy(self):
        """One more: with .url, and .watch for the listener that is Prometheus' own."""
        login = {'OS_AUTH_URL': self.keystone.url, 'OS_USERNAME': 'user', 'OS_PASSWORD': 'a-password',
                 'OS_PROJECT_NAME': 'project', 'OS_USER_DOMAIN_ID': 'default', 'OS_PROJECT_DOMAIN_ID': 'default',
                 'OS_REGION_NAME': 'R'}
        running = gatestone.Proxy(login, '--config', str(self.folder / 'gatestone.toml'))
        urls = re.findall(r'http://127\.0\.0\.1:\d+', running.ready_line)
        if len(urls) != 2:
            running.stop()
        expect.equal(len(urls), 2, 'addresses in %r' % running.ready_line)
        running.url, running.watch = urls
        return running


class Clients:
    """Ask one thing after another of each proxy, until they are left."""

    def __init__(self, *asked):
        """`asked`: functions that give a proxy's URL, each with a list of requests."""
        self.over = threading.Event()
        self.count = itertools.count()
        self.asked = 0
        self.threads = [threading.Thread(target=self.go_on, args=them, daemon=True) for them in asked]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)

    def go_on(self, url, requests):
        for method, target in itertools.cycle(requests):
            if self.over.wait(0.04):
                return
            port = int(url().rpartition(':')[2])
            # One that is started anew does not answer for a moment, and some answers are cut.
            with contextlib.suppress(OSError, wire.Cut), wire.Connection('127.0.0.1', port) as connection:
                body = BODY if method in ('PUT', 'POST') else None
                connection.request(method, target, {'Host': 'localhost'}, body)
            self.asked = next(self.count) + 1
