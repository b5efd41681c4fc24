"""What may differ between the real services and the embedded cloud, and why.

Everything else that differs is a failure; so is an entry of `LISTED` that does not differ any more.
"""
from dataclasses import dataclass

# Fields of one connection, one server program or one moment: they say nothing of the service.
NEVER_COMPARED = {
    'date': 'the moment of the answer',
    'server': 'which program serves it: gunicorn says so, Swift does not',
    'connection': 'of one connection (RFC 9110 7.6.1)',
    'keep-alive': 'of one connection (RFC 9110 7.6.1)',
}


@dataclass(frozen=True)
class Listed:
    """Differences that are accepted: these entries (`*` stands for anything) differ in this, for this reason.

    `what` is written as `compare.differences` writes it, with `*`.
    """

    entries: tuple
    what: str
    reason: str


LISTED = ()
