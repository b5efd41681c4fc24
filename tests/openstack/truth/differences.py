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


LISTED = (
    *(Listed(('tokens: the version as JSON-Home',), 'json $.resources.*.%s missing' % what,
             'JSON-Home names the resources that there are, and none here has a template')
      for what in ('hints', 'href-template', 'href-vars')),
    *(Listed(('identity: all users, as an administrator',),
             'json $.users[].options.multi_factor_auth_%s missing' % what,
             'the lab has a user with rules for several factors, the embedded cloud has none')
      for what in ('enabled', 'rules')),
    *(Listed(('account: what it can do',), 'json $.%s missing' % what,
             'what the embedded store cannot do is not named, so that clients do not try')
      for what in ('account_quotas', 'bulk_upload', 'container_quotas', 'container_sync', 'etag_quoter', 'formpost',
                   'object_versioning', 'ratelimit', 'staticweb', 'symlink', 'versioned_writes')),
    *(Listed(('image: schema of an image', 'image: schema of images'), 'json $.properties.*' + what,
             'the schemas name the properties and their types, without prose and limits')
      for what in ('.description missing', '.enum missing', '.items missing', '.maxLength missing',
                   '.pattern missing', '.type: list+string -> string', '.type[] missing')),
)
