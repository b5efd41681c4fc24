"""The list of cases, and what each of them is given."""
from functools import cached_property

from support import direct, gatestone

CASES = []


def case(function):
    """Put a function on the list; its name is the sentence it proves."""
    CASES.append(function)
    return function


def name(function):
    return '%s.%s' % (function.__module__.removeprefix('cases.'), function.__name__)


class World:
    """The lab, one proxy for its user demo, and the same user without the proxy."""

    container = 'cases'

    def __init__(self, lab):
        self.lab = lab

    @cached_property
    def proxy(self):
        return gatestone.Proxy(self.lab.environment('demo'))

    @cached_property
    def direct(self):
        """The login the proxy replaces, with the container the cases write to."""
        login = direct.login(self.lab, 'demo')
        for region in self.lab.facts['regions']:
            login.fetch('%s/%s' % (login.endpoint('object-store', region), self.container), 'PUT')
        return login

    @property
    def ours(self):
        """The cases' container through the proxy."""
        return '%s/object-store/%s' % (self.proxy.url, self.container)

    @property
    def theirs(self):
        """The same container at the real service."""
        return '%s/%s' % (self.swift, self.container)

    @property
    def swift(self):
        return self.direct.endpoint('object-store', self.lab.facts['regions'][0])

    def put(self, path, body, headers=None):
        """Store an object without the proxy, as the starting point of a case."""
        reply = self.direct.fetch('%s/%s' % (self.theirs, path), 'PUT', headers, body)
        if reply.status != 201:
            raise RuntimeError('PUT %s: %d' % (path, reply.status))

    def close(self):
        """End the proxy, if a case started it."""
        if 'proxy' in self.__dict__:
            self.proxy.stop()
