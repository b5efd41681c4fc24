"""A Keystone that says yes to everything and notes what it was asked: two sides that log in alike have the same settings."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REGIONS, INTERFACES = ('RegionOne', 'RegionTwo', 'GRA'), ('public', 'internal', 'admin')
SERVICES = ('compute', 'block-storage', 'object-store', 'image', 'network')


class Keystone(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d' % self.server_port
        self.logins = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def catalog(self):
        return [{'type': service, 'name': service, 'id': service, 'endpoints': [
            {'id': '-'.join((service, region, interface)), 'region': region, 'region_id': region,
             'interface': interface, 'url': '%s/%s/%s/%s' % (self.url, service, region, interface)}
            for region in REGIONS for interface in INTERFACES]} for service in SERVICES]


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def below(self):
        """(what stands before the version, the rest); any region may stand there."""
        path = self.path.partition('?')[0]
        mount = next((region for region in REGIONS if path.startswith('/%s/' % region)), None)
        return ('/' + mount, path[len(mount) + 1:]) if mount else ('', path)

    def do_GET(self):
        mount, path = self.below()
        version = {'id': 'v3.14', 'status': 'stable', 'updated': '2020-04-07T00:00:00Z', 'media-types': [],
                   'links': [{'rel': 'self', 'href': self.server.url + mount + '/v3/'}]}
        if path.rstrip('/') == '/v3':
            self.answer(200, {'version': version})
        elif path == '/':
            self.answer(300, {'versions': {'values': [version]}})
        elif path == '/v3/auth/projects':
            self.answer(200, {'projects': [], 'links': {}})
        else:
            self.answer(404, {'error': {'code': 404, 'message': 'not here', 'title': 'Not Found'}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get('Content-Length') or 0)) or b'null')
        mount, path = self.below()
        if path != '/v3/auth/tokens':
            return self.answer(404, {'error': {'code': 404, 'message': 'not here', 'title': 'Not Found'}})
        self.server.logins.append({'path': mount + path, 'body': body})
        domain = {'id': 'default', 'name': 'Default'}
        token = {'methods': ['password'], 'user': {'id': 'u', 'name': 'u', 'domain': domain}, 'audit_ids': ['a'],
                 'issued_at': '2026-01-01T00:00:00.000000Z', 'expires_at': '2036-01-01T00:00:00.000000Z',
                 'project': {'id': 'p', 'name': 'p', 'domain': domain}, 'roles': [], 'is_domain': False,
                 'catalog': self.server.catalog()}
        return self.answer(201, {'token': token}, {'X-Subject-Token': 'gAAAAA'})

    def answer(self, status, body, fields=()):
        body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(fields).items():
            self.send_header(name, value)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
