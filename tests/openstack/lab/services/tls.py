"""TLS in front of the services: haproxy, with HTTP/2 and a private CA."""
import os

from processes import Process
from settings import HOST, REGIONS, tool


def plan(lab):
    make_certificates(lab)
    conf = configuration(lab)
    port = lab.port('keystone-tls')
    return {'haproxy': Process(command=[tool('haproxy'), '-db', '-f', conf], files=[conf],
                               port=port, health=port)}


def configuration(lab):
    # Swift may answer with 90 metadata headers, and UTF-8 header names
    parts = [f'''global
    maxconn 512
    tune.http.maxhdr 400
    tune.bufsize 65536
    ca-base {lab.path('tls')}
defaults
    mode http
    option accept-invalid-http-request
    option accept-invalid-http-response
    option http-keep-alive
    timeout connect 5s
    timeout client 300s
    timeout server 300s
''']
    fronts = [('keystone-tls', 'keystone'), ('glance-tls', 'glance')]
    fronts += [(f'swift-tls-{r}', f'swift-proxy-{r}') for r in REGIONS]
    for front, back in fronts:
        parts.append(f'''frontend {front}
    bind {HOST}:{lab.port(front)} ssl crt {lab.path('tls/server.pem')} alpn h2,http/1.1
    http-request set-header X-Forwarded-Proto https
    default_backend {front}-back
backend {front}-back
    server s1 {HOST}:{lab.port(back)}
''')
    return lab.write('etc/haproxy/haproxy.cfg', ''.join(parts))


def make_certificates(lab):
    """A private CA (tls/ca.pem) and a server certificate for loopback."""
    if os.path.exists(lab.path('tls/server.pem')):
        return
    import datetime
    import ipaddress
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID, ExtendedKeyUsageOID
    now = datetime.datetime.now(datetime.timezone.utc)
    start = now - datetime.timedelta(days=1)
    end = now + datetime.timedelta(days=3650)

    def name(cn):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])

    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = (x509.CertificateBuilder()
          .subject_name(name('Lab Private CA')).issuer_name(name('Lab Private CA'))
          .public_key(ca_key.public_key())
          .serial_number(x509.random_serial_number())
          .not_valid_before(start).not_valid_after(end)
          .add_extension(x509.BasicConstraints(True, 0), True)
          .add_extension(x509.KeyUsage(
              False, False, False, False, False, True, True, False, False), True)
          .add_extension(x509.SubjectKeyIdentifier.from_public_key(
              ca_key.public_key()), False)
          .sign(ca_key, hashes.SHA256()))
    key = ec.generate_private_key(ec.SECP256R1())
    cert = (x509.CertificateBuilder()
            .subject_name(name('localhost')).issuer_name(ca.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(now + datetime.timedelta(days=800))
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(x509.SubjectAlternativeName([
                x509.DNSName('localhost'),
                x509.IPAddress(ipaddress.ip_address('127.0.0.1')),
                x509.IPAddress(ipaddress.ip_address('::1'))]), False)
            .add_extension(x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                ca_key.public_key()), False)
            .sign(ca_key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    key_pem = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    lab.write('tls/server.pem',
               (cert.public_bytes(pem) + key_pem).decode())
    lab.write('tls/ca.pem', ca.public_bytes(pem).decode(), 0o644)
