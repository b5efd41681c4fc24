"""Search texts for secrets, in every form that a log or a reply may give them."""
import base64
import json
import urllib.parse


def forms(secret):
    """{form: bytes} of one secret, without forms that look like another."""
    raw = secret.encode()
    found = {'raw': raw, 'URL-encoded': urllib.parse.quote(secret, safe='').encode(),
             'in JSON': json.dumps(secret)[1:-1].encode()}
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)
        # only these characters depend on the secret alone, whatever stands around it
        inner = encoded[-(-shift * 8 // 6):(shift + len(raw)) * 8 // 6]
        found['base64 at %d' % shift] = inner
        found['URL-safe base64 at %d' % shift] = inner.replace(b'+', b'-').replace(b'/', b'_')
    different = {}
    for form, text in found.items():
        if text not in different.values():
            different[form] = text
    return different


def search(secrets, texts):
    """Lines saying which of {name: secret} stands in which of {place: bytes}."""
    return ['%s (%s, %d characters) in %s' % (name, form, len(text), place)
            for name, secret in secrets.items()
            for form, text in forms(secret).items()
            for place, content in texts.items() if text in content]
