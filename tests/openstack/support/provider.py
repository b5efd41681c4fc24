"""An OpenID provider of the tests' own: tokens that live for a while, refresh tokens for one use each."""
import base64
import hashlib
import json
import os
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'


class Provider(ThreadingHTTPServer):
    """What it gives stands in `path`, where the lab's Keystone looks it up."""

    daemon_threads = True

    def __init__(self, path, lifetime=30, subject='somebody'):
        super().__init__(('127.0.0.1', 0), Handler)
        self.path, self.lifetime, self.subject = path, lifetime, subject
        self.url = 'http://127.0.0.1:%d' % self.server_port
        self.client = {'id': 'gatestone', 'secret': secrets.token_urlsafe(20)}
        self.password = secrets.token_urlsafe(20)
        self.lock = threading.Lock()
        self.grants = []
        self.refresh_token = None
        self.tokens = {}
        self.devices = {}
        self.is_entered = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def issue(self):
        """A new access token, and a refresh token in place of the one before."""
        now = time.time()
        self.tokens = {token: known for token, known in self.tokens.items() if known['end'] > now}
        token = secrets.token_urlsafe(40)
        self.tokens[token] = {'subject': self.subject, 'end': now + self.lifetime}
        with open(self.path + '.new', 'w', encoding='utf-8') as file:
            json.dump(self.tokens, file)
        os.replace(self.path + '.new', self.path)
        self.refresh_token = secrets.token_urlsafe(40)
        return {'access_token': token, 'token_type': 'Bearer', 'expires_in': self.lifetime,
                'refresh_token': self.refresh_token}

    def grant(self, form):
        """(status, answer) of a request to the token endpoint."""
        kind = form.get('grant_type')
        self.grants.append(kind)
        refused = 400, {'error': 'invalid_grant', 'error_description': 'not known, or used before'}
        if kind == 'refresh_token' and (not self.refresh_token or form.get('refresh_token') != self.refresh_token):
            return refused
        if kind == 'password' and (form.get('username'), form.get('password')) != ('someone', self.password):
            return refused
        if kind == DEVICE:
            device = self.devices.get(form.get('device_code'))
            if device is None:
                return refused
            if not self.is_entered.is_set():
                return 400, {'error': 'authorization_pending'}
            digest = hashlib.sha256(form.get('code_verifier', '').encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip('=') != device:
                return refused
        if kind not in ('refresh_token', 'password', 'client_credentials', DEVICE):
            return 400, {'error': 'unsupported_grant_type'}
        return 200, self.issue()

    def begin(self, form):
        """A login on another device."""
        code = secrets.token_urlsafe(20)
        self.devices[code] = form.get('code_challenge')
        return 200, {'device_code': code, 'user_code': 'WDJB-MJHT', 'verification_uri': self.url + '/device',
                     'expires_in': 300, 'interval': 1}


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = self.server.url
        self.answer(200, {'issuer': url, 'token_endpoint': url + '/token',
                          'device_authorization_endpoint': url + '/authorize/device'})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        client = self.server.client
        basic = base64.b64encode(('%s:%s' % (client['id'], client['secret'])).encode()).decode()
        if self.headers.get('Authorization') != 'Basic ' + basic:
            return self.answer(401, {'error': 'invalid_client'})
        with self.server.lock:
            handle = self.server.begin if self.path == '/authorize/device' else self.server.grant
            return self.answer(*handle(form))

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
