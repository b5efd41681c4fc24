"""What is put between client and origin: gatestone behind a stand-in for Keystone, or another proxy set up for
the same job. Each case has a region of its own (`/object-store@r7/...`), so its own origin and pool."""
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import SourceFileLoader
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PEERS = ('nginx', 'haproxy', 'envoy')


def borrowed(name, path):
    """A script of this repository, as a module."""
    loader = SourceFileLoader(name, str(REPOSITORY / path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


runner = borrowed('wire_gatestone', 'tests/openstack/support/gatestone.py')


class Keystone(ThreadingHTTPServer):
    """Answers every login with one token, and a catalog of an object store in many regions."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, origins, token=None):
        super().__init__(('127.0.0.1', 0), Login)
        self.token = token or 'gAAAAAB' + secrets.token_hex(16)
        self.origins, self.others = origins, []
        self.url = 'http://127.0.0.1:%d/v3' % self.server_port
        endpoints = [{'id': region, 'interface': 'public', 'region': region, 'region_id': region,
                      'url': 'http://127.0.0.1:%d/v1/AUTH_p' % port} for region, port in origins.items()]
        self.catalog = [
            {'id': 'k', 'type': 'identity', 'name': 'keystone', 'endpoints': [
                {'id': 'k', 'interface': 'public', 'region': 'r0', 'region_id': 'r0', 'url': self.url}]},
            {'id': 's', 'type': 'object-store', 'name': 'swift', 'endpoints': endpoints}]
        threading.Thread(target=self.serve_forever, args=(0.2,), daemon=True).start()

    def of(self, region):
        """Another one that knows one region only, and gives the same token."""
        one = {region: self.origins[region], 'r0': self.origins['r0']}
        self.others.append(Keystone(one, self.token))
        return self.others[-1]

    def end(self):
        for server in (self, *self.others):
            server.shutdown()
            server.server_close()

    def answer(self):
        def when(seconds):
            return time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime(time.time() + seconds))
        domain = {'id': 'default', 'name': 'Default'}
        return {'token': {
            'methods': ['password'], 'issued_at': when(0), 'expires_at': when(3600), 'audit_ids': ['a'],
            'user': {'id': 'u', 'name': 'wire', 'domain': domain, 'password_expires_at': None},
            'project': {'id': 'p', 'name': 'wire', 'domain': domain}, 'is_domain': False,
            'roles': [{'id': 'm', 'name': 'member'}], 'catalog': self.catalog}}


class Login(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        self.reply(201)

    def do_GET(self):
        self.reply(200)

    do_HEAD = do_GET

    def reply(self, status):
        body = json.dumps(self.server.answer()).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.send_header('X-Subject-Token', self.server.token)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)


class Gatestone:
    """The program under test; with `settings` one of its own for a case."""

    name = 'gatestone'

    def __init__(self, keystone, settings=None):
        self.proxy = runner.Proxy(dict({
            'OS_AUTH_URL': keystone.url, 'OS_USERNAME': 'wire', 'OS_PASSWORD': 'wire', 'OS_PROJECT_NAME': 'wire',
            'OS_USER_DOMAIN_ID': 'default', 'OS_PROJECT_DOMAIN_ID': 'default', 'OS_REGION_NAME': 'r0',
            'GATESTONE_LOG_LEVEL': 'error', 'GATESTONE_SHUTDOWN_TIMEOUT': '1s'}, **settings or {}))
        self.port = self.proxy.port

    def stop(self):
        self.proxy.stop(5)

    def died(self):
        return self.proxy.process.poll() is not None


class Peer:
    """nginx, HAProxy or Envoy, as benches/peers sets them up, with a place for each region."""

    def __init__(self, name, origins, token, folder):
        self.name, self.port = name, peers().free_port()
        command = getattr(self, name)(origins, token, folder)
        self.log = open(os.path.join(folder, name + '.log'), 'wb')
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        if not peers().wait_tcp(self.port, 30):
            self.stop()
            raise RuntimeError('%s does not start: %s' % (name, Path(self.log.name).read_text()[-2000:]))

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def died(self):
        return self.process.poll() is not None

    def nginx(self, origins, token, folder):
        places = ''.join('''
upstream %(r)s { server 127.0.0.1:%(p)d max_fails=0; keepalive 8; }''' % {'r': r, 'p': p} for r, p in origins.items())
        places += '''
map "$server_protocol:$http_connection:$http_upgrade" $on {
  default ""; "~*^HTTP/1\\.1:.*upgrade.*:websocket$" upgrade; }
map $on $to { default ""; upgrade websocket; }
server { listen 127.0.0.1:%d backlog=1024; merge_slashes off; large_client_header_buffers 8 64k;''' % self.port
        places += ''.join('''
location /object-store@%(r)s/ { proxy_pass http://%(r)s/v1/AUTH_p/; proxy_set_header Host 127.0.0.1:%(p)d;
  proxy_set_header Connection $on; proxy_set_header Upgrade $to; proxy_set_header X-Auth-Token "%(t)s"; }'''
                          % {'r': r, 'p': p, 't': token} for r, p in origins.items())
        text = peers().NGX_HEAD.format(w=2, d=folder, n='nginx', nofile=4096) + '''
proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
proxy_pass_header Date; proxy_pass_header Server; proxy_buffer_size 64k; proxy_buffers 8 64k;
proxy_busy_buffers_size 128k; proxy_read_timeout 600s; proxy_max_temp_file_size 0; %s }}''' % places
        return ['nginx', '-c', written(folder, 'nginx.conf', text), '-p', folder]

    def haproxy(self, origins, token, folder):
        text = '''global
  nbthread 2
  maxconn 2000
  tune.bufsize 65536
  tune.http.maxhdr 600
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  http-reuse always
  retry-on conn-failure empty-response
frontend f
  bind 127.0.0.1:%d
  http-request set-header X-Auth-Token %s
  http-request disable-l7-retry if !{ method GET HEAD PUT DELETE OPTIONS }
''' % (self.port, token)
        for r in origins:
            text += '  use_backend %s if { path_beg /object-store@%s/ }\n' % (r, r)
        for r, p in origins.items():
            text += '''backend %s
  http-request replace-path /object-store@%s/(.*) /v1/AUTH_p/\\1
  http-request set-header Host 127.0.0.1:%d
  server s 127.0.0.1:%d pool-max-conn 8
''' % (r, r, p, p)
        return ['haproxy', '-db', '-q', '-f', written(folder, 'haproxy.cfg', text)]

    def envoy(self, origins, token, folder):
        def typed(name, **values):
            return dict({'@type': 'type.googleapis.com/envoy.extensions.' + name}, **values)
        spelling = {'stateful_formatter': {'name': 'preserve_case', 'typed_config': typed(
            'http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig')}}
        idempotent = {'headers': [{'name': ':method', 'string_match': {'safe_regex': {
            'regex': 'GET|HEAD|PUT|DELETE|OPTIONS'}}}]}
        routes = [{
            'match': dict(methods, prefix='/object-store@%s/' % r),
            'route': dict(again, cluster=r, prefix_rewrite='/v1/AUTH_p/', timeout='0s',
                          host_rewrite_literal='127.0.0.1:%d' % p),
            'request_headers_to_add': [{'header': {'key': 'x-auth-token', 'value': token},
                                        'append_action': 'OVERWRITE_IF_EXISTS_OR_ADD'}]}
            for r, p in origins.items() for methods, again in ((idempotent, {'retry_policy': {
                'retry_on': 'connect-failure,reset', 'num_retries': 1}}), ({}, {}))]
        clusters = [{
            'name': r, 'type': 'STATIC', 'connect_timeout': '5s',
            'typed_extension_protocol_options': {'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
                'upstreams.http.v3.HttpProtocolOptions', common_http_protocol_options={'max_headers_count': 600},
                explicit_http_config={'http_protocol_options': {
                    'enable_trailers': True, 'header_key_format': spelling}})},
            'load_assignment': {'cluster_name': r, 'endpoints': [{'lb_endpoints': [{'endpoint': {'address': {
                'socket_address': {'address': '127.0.0.1', 'port_value': p}}}}]}]}} for r, p in origins.items()]
        manager = typed(
            'filters.network.http_connection_manager.v3.HttpConnectionManager', stat_prefix='h', codec_type='HTTP1',
            generate_request_id=False, stream_idle_timeout='300s', proxy_100_continue=True,
            upgrade_configs=[{'upgrade_type': 'websocket'}], max_request_headers_kb=96,
            common_http_protocol_options={'max_headers_count': 600},
            http_protocol_options={'accept_http_10': True, 'default_host_for_http_10': 'localhost',
                                   'enable_trailers': True, 'header_key_format': spelling, 'allow_absolute_url': True},
            http_filters=[{'name': 'envoy.filters.http.router', 'typed_config': typed(
                'filters.http.router.v3.Router', suppress_envoy_headers=True)}],
            route_config={'virtual_hosts': [{'name': 'v', 'domains': ['*'], 'routes': routes}]})
        config = {'static_resources': {'clusters': clusters, 'listeners': [{
            'name': 'l', 'address': {'socket_address': {'address': '127.0.0.1', 'port_value': self.port}},
            'filter_chains': [{'filters': [{
                'name': 'envoy.filters.network.http_connection_manager', 'typed_config': manager}]}]}]}}
        return [peers().envoy_bin(), '-c', written(folder, 'envoy.json', json.dumps(config)), '--concurrency', '2',
                '-l', 'error', '--use-dynamic-base-id', '--disable-hot-restart']


def peers():
    """benches/peers, which knows how to install them."""
    if not peers.module:
        peers.module = borrowed('wire_peers', 'benches/peers')
    return peers.module


peers.module = None


def written(folder, name, text):
    path = os.path.join(folder, name)
    Path(path).write_text(text, encoding='utf-8')
    return path


def folder():
    place = tempfile.TemporaryDirectory(prefix='gatestone-wire-')
    os.chmod(place.name, 0o755)
    return place
