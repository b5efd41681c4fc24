"""What differs from cloud to cloud and run to run, made alike: addresses, ids, times.

A value of the cloud becomes its name, so that `Location` must lead to the right image; a time becomes
its form, so that a date in another notation still shows.
"""
import re

FORMS = [(re.compile(pattern), name) for pattern, name in (
    (r'\breq-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b', '<request id>'),
    (r'\btx[0-9a-f]{21}-[0-9a-f]{10}\b', '<transaction id>'),
    (r'\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b', '<uuid>'),
    (r'\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} '
     r'\d\d:\d\d:\d\d GMT\b', '<date>'),
    (r'\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', '<time, microseconds, Z>'),
    (r'\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\b', '<time, microseconds>'),
    (r'\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', '<time, Z>'),
    (r'\b\d{10}\.\d{5}\b', '<seconds.fraction>'),
    (r'\bnewcomer-[0-9a-f]{6}-', ''),
    (r'\b1[78]\d{8}\b', '<seconds>'),
    (r'\bboundary=[0-9a-f]{32}\b', 'boundary=<boundary>'),
    (r'(?m)^--[0-9a-f]{32}(?=(--)?\r?$)', '--<boundary>'),
)]
OWN = re.compile(r'(_id|token|_sum|_secret|account|account_name)$'
                 r'|^(identity|root|image|swift|swift_version)$')


def alike(text, values):
    """The same text as it would be from any other cloud."""
    for known, name in values:
        text = text.replace(known, '{%s}' % name)
    for pattern, name in FORMS:
        text = pattern.sub(name, text)
    return text


def known(values):
    """What `alike` replaces: the cloud's own addresses, ids and tokens, the longest first.

    They are told by the names of the placeholders, since a project may be called like a user.
    """
    return sorted(((value, name) for name, value in values.items()
                   if isinstance(value, str) and OWN.search(name)),
                  key=lambda pair: (-len(pair[0]), pair[1]))
