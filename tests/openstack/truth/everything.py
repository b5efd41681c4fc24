"""The whole list, subject by subject.

Each stands alone, but for one token that `account` takes and `tokens` revoked. A cloud must be new to it: what a run
leaves behind changes the answers of the next.
"""
from truth import (account, bulk, conditions, containers, copies, identity, image, large, listings, objects,
                   temporary, tokens)

SUBJECTS = (tokens, identity, account, containers, listings, objects, conditions, copies, large, bulk,
            temporary, image)


def requests(*wanted):
    """The entries, in order; with words, only those of the subjects that are named so."""
    return [request for one in SUBJECTS for request in one.REQUESTS
            if not wanted or one.__name__.rpartition('.')[2] in wanted]
