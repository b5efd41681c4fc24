"""Runs Swift's suite once, inside the lab's virtualenv: runner.py PLAN, a file of JSON.

The plan names the suite's folder, the region, where to write results, the tests (default: all), and
in `logins`, if the suite is to go through the proxy, where each of its users finds its own: one
listener holds one identity. Nothing else of the suite is changed: a user logs in by v1 there, a
request goes to the proxy of the user whose token it bears, and one without a token to the proxy of
the account it asks for.
"""
import http.client
import json
import os
import re
import sys
import time
import traceback
import unittest
from urllib.parse import urlsplit

# The S3 API, which the lab's Swift is without and whose client is not installed.
LEFT_OUT = ('test.functional.s3api', 'unittest.loader._FailedTest.test.functional.s3api')


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        plan = json.load(f)
    os.chdir(plan['suite'])
    sys.path.insert(0, plan['suite'])
    os.environ['SWIFT_TEST_CONFIG_FILE'] = plan['config']
    import swiftclient
    get_auth = swiftclient.get_auth
    if plan['logins']:
        proxies = Proxies(plan['logins'], get_auth)
        swiftclient.get_auth = proxies.get_auth
        proxies.take_requests(swiftclient.client.HTTPConnection)
    else:
        swiftclient.get_auth = in_region(get_auth, plan['region'])
    found = unittest.defaultTestLoader.discover('test/functional', 'test*.py', plan['suite'])
    tests = [test for test in each(found) if not test.id().startswith(LEFT_OUT)]
    access_control = sys.modules['test.functional.test_access_control']
    access_control.BaseTestAC._run_scenario = run_rows
    if plan['logins']:
        access_control.ksc = proxies
    if plan['tests']:
        tests = [test for test in tests if test.id() in plan['tests']]
    with open(plan['results'], 'w', encoding='utf-8') as file:
        unittest.TestSuite(tests).run(Result(file))


def each(suite):
    """Every test of a suite."""
    for one in suite:
        yield from each(one) if isinstance(one, unittest.TestSuite) else (one,)


def run_rows(test, rows):
    """In the place of the suite's own, which ends a test of hundreds of rows with the first that fails."""
    # named first, as they stand in the suite, since the ids of a run are written into them; the suite shuffles
    for name, row in sorted(((' '.join(map(str, row)), row) for row in rows), key=lambda named: named[0]):
        case = test._convert_data(row)
        test.created_resources = []
        with test.subTest(name):
            try:
                test._prepare(case)
                test.assertEqual(case['expected'], test._execute(case))
            finally:
                test._cleanup()


def in_region(get_auth, region):
    """The suite takes the first endpoint of a catalog, which may be another region's."""
    def chosen(*arguments, os_options=None, **options):
        return get_auth(*arguments, os_options=dict(os_options or {}, region_name=region), **options)
    return chosen


class Proxies:
    """The proxy of each user, and of each token that one of them gave."""

    def __init__(self, logins, real_get_auth):
        self.logins, self.real_get_auth, self.by_token = logins, real_get_auth, {}

    def get_auth(self, _url, user, key, **_options):
        """A login by Swift's v1 authentication at the user's proxy."""
        url, token = self.real_get_auth(self.logins[user]['pinned'] + '/auth/v1.0', user, key, auth_version='1')
        self.by_token[token] = urlsplit(url).netloc
        return url, token

    def netloc(self, headers, otherwise):
        for name, token in (headers or {}).items():
            name = name.decode('latin-1') if isinstance(name, bytes) else name
            if name.lower() == 'x-auth-token':
                token = token.decode('latin-1') if isinstance(token, bytes) else token
                return self.by_token.get(token, otherwise)
        return otherwise

    def take_requests(self, stock):
        """Let both ways by which the suite sends requests go where the token belongs."""
        find = self.netloc
        plain = stock._request

        def request(connection, method, url, headers=None, **options):
            parts = urlsplit(url)
            url = url.replace(parts.netloc, find(headers, parts.netloc), 1)
            return plain(connection, method, url, headers=headers, **options)

        stock._request = request

        class Connection(http.client.HTTPConnection):
            """What the suite's own client connects with, anew for each request, once it knows the head."""

            def endheaders(self, *arguments, **options):
                fields = dict(line.split(b': ', 1) for line in self._buffer if b': ' in line)
                ours = '%s:%d' % (self.host, self.port)
                other = find(fields, ours)
                if other != ours and self.sock is None:
                    self._buffer = [line.replace(ours.encode(), other.encode()) for line in self._buffer]
                    self.host, self.port = other.split(':')[0], int(other.split(':')[1])
                return super().endheaders(*arguments, **options)

        http.client.HTTPConnection = Connection

    def Client(self, username, auth_url, **options):
        """Keystone's client, for the ids of a user and its project: at the user's proxy."""
        from keystoneclient.v3 import client
        return client.Client(username=username, auth_url=self.logins[username]['v3'], **options)


class Result(unittest.TestResult):
    """One line of JSON a test, written when it is over; the name alone when it begins."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    def write(self, **facts):
        self.file.write(json.dumps(facts) + '\n')
        self.file.flush()

    def startTest(self, test):
        super().startTest(test)
        self.began, self.said = time.monotonic(), None
        self.write(began=test.id())

    def stopTest(self, test):
        super().stopTest(test)
        outcome, why = self.said or ('passed', '')
        self.write(test=test.id(), outcome=outcome, why=why, seconds=round(time.monotonic() - self.began, 1))

    def say(self, test, outcome, why):
        if hasattr(test, 'description'):  # not a test: the set-up of a class or a module
            self.write(test=test.description, outcome=outcome, why=why, seconds=0)
        else:
            self.said = (outcome, why)

    def addError(self, test, err):
        self.say(test, 'failed', told(err))

    def addFailure(self, test, err):
        self.say(test, 'failed', told(err))

    def addSubTest(self, test, subtest, err):
        """A row is a test by itself; what holds them has passed."""
        self.write(test='%s %s' % (test.id(), subtest._message), outcome='failed' if err else 'passed',
                   why=told(err) if err else '', seconds=0)

    def addSkip(self, test, reason):
        self.say(test, 'skipped', reason)


def told(err):
    """An exception in words, without the tokens that the suite shows."""
    return re.sub(r'gatestone-local-\w+|gAAAA[\w-]+', '(token)', ''.join(traceback.format_exception(*err)))


if __name__ == '__main__':
    main()
