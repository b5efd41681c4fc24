"""What `seen/clients` runs: one client with one kind of login."""
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Part:
    """`play(place)` does what a user does and says in words what it saw."""

    client: str
    play: Callable
    login: str = 'v3'
    user: str = 'demo'
    # also with real tokens that live for seconds
    short: bool = False

    @property
    def name(self):
        return '%s %s' % (self.client, self.login) + (' as ' + self.user if self.user != 'demo' else '')
