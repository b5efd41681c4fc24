"""Keystone with what mod_auth_openidc does in front of it: a bearer token becomes an assertion.

Which tokens there are stands in a file, which a test's own provider writes: {token: {"subject": .., "end": ..}}.
"""
import json
import os
import time

from keystone.wsgi.api import application as keystone

TOKENS = os.environ['LAB_BEARER_TOKENS']
ISSUER = 'https://provider.lab'


def application(environ, start_response):
    path = environ.get('PATH_INFO', '')
    if '/OS-FEDERATION/' in path and path.endswith('/auth'):
        kind, _, token = environ.get('HTTP_AUTHORIZATION', '').partition(' ')
        try:
            with open(TOKENS, encoding='utf-8') as file:
                known = json.load(file).get(token)
        except FileNotFoundError:
            known = None
        if kind.lower() != 'bearer' or not known or known['end'] < time.time():
            start_response('401 Unauthorized', [('Content-Type', 'text/html'), ('WWW-Authenticate', 'Bearer')])
            return [b'<h1>Unauthorized</h1>']
        environ['HTTP_OIDC_ISS'] = ISSUER
        environ['OIDC-sub'] = known['subject']
    return keystone(environ, start_response)
