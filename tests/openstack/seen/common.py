"""What the commands of this folder share: the lab, a figure line, an end."""
import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support import expect, gatestone  # noqa: E402
from support.lab import Lab  # noqa: E402


def seen(name, figure):
    """One line of what was seen."""
    print('SEEN %s: %s' % (name, figure), flush=True)


def control(found):
    """What a command found with its feature off, which is why it must fail now."""
    print('control: %s' % found, flush=True)


def show(unexpected, limit=20):
    """The first of a list of what was not expected, one a line."""
    for one in unexpected[:limit]:
        print('unexpected: %s' % one)
    if len(unexpected) > limit:
        print('unexpected: ... and %d more' % (len(unexpected) - limit))


@contextmanager
def lab(**settings):
    """A running lab, left as it was found."""
    running = Lab(**settings)
    try:
        yield running
    finally:
        if running.started:
            running.down()
        elif settings:
            running.configure()


def curl(*arguments, body=None):
    """Run curl, showing the command without its secrets; the reply as text."""
    done = subprocess.run(['curl', '-sS', '--noproxy', '*', '--max-time', '60', *arguments],
                          input=body, text=True, capture_output=True, check=False)
    expect.equal(done.returncode, 0, 'exit status of curl (%s)' % done.stderr.strip())
    return done.stdout


def head(text):
    """(status, lasting fields) of the head that curl printed."""
    lines = text.replace('\r', '').split('\n\n')[0].splitlines()
    fields = [tuple(line.split(': ', 1)) for line in lines[1:] if ': ' in line]
    lasting = sorted((k.lower(), v) for k, v in fields if k.lower() not in expect.VOLATILE)
    return int(lines[0].split()[1]), lasting


def by_hand(environment):
    """Two of the manual steps with curl: ask for a token, read the catalog.

    Returns the token and a function from (service, region) to the endpoint.
    """
    login = {'auth': {
        'identity': {'methods': ['password'], 'password': {'user': {
            'name': environment['OS_USERNAME'], 'password': environment['OS_PASSWORD'],
            'domain': {'name': environment['OS_USER_DOMAIN_NAME']}}}},
        'scope': {'project': {'name': environment['OS_PROJECT_NAME'],
                              'domain': {'name': environment['OS_PROJECT_DOMAIN_NAME']}}}}}
    text = curl('-i', '-H', 'Content-Type: application/json', '-d', '@-',
                environment['OS_AUTH_URL'] + '/auth/tokens', body=json.dumps(login))
    fields, _, body = text.replace('\r', '').partition('\n\n')
    token = next(line.split(': ', 1)[1] for line in fields.splitlines()
                 if line.lower().startswith('x-subject-token: '))
    catalog = json.loads(body)['token']['catalog']

    def endpoint(service, region):
        return next(e['url'] for entry in catalog if entry['type'] == service
                    for e in entry['endpoints']
                    if e['region'] == region and e['interface'] == 'public')

    return token, endpoint


def main(command):
    """Run a command; an expectation that does not hold ends it with status 1."""
    try:
        command()
    except (expect.Failure, RuntimeError, OSError, subprocess.SubprocessError) as failure:
        sys.exit('FAIL %s: %s' % (Path(sys.argv[0]).name, failure))
