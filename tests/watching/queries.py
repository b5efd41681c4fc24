"""PromQL as far as a test needs it: which metrics a query names."""
import re

# What follows these in parentheses are labels.
GROUPING = re.compile(r'\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)')
OURS = re.compile(r'\b(?:gatestone|process)_\w+\b|\bup\b')


def metrics(query):
    """The metrics that a query asks for, of ours and of the process."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)
    bare = re.sub(r'\{[^{}]*\}', '', bare)
    return set(OURS.findall(GROUPING.sub('', bare)))


def filled(query, chosen):
    """A query of the dashboard with its variables as Grafana fills them in: {name: what is chosen}."""
    for name, value in {**chosen, '__rate_interval': '30s', '__range': '2m'}.items():
        query = query.replace('$' + name, value)
    return query


def any_of(values):
    """What Grafana makes of several values that are chosen: a regular expression, in a string of PromQL."""
    escaped = [re.sub(r'[\\^$*+?.()|\[\]{}]', r'\\\\\g<0>', value) for value in values]
    return escaped[0] if len(escaped) == 1 else '(%s)' % '|'.join(escaped)


def without(query, job):
    """A query of the dashboard that passes one job over."""
    return query.replace('job=~"$job"', 'job=~"$job", job!="%s"' % job)


def families(exposition):
    """The families of a text of metrics, and the names of their series: {name of a series: family}."""
    names = {}
    for family, kind in re.findall(r'(?m)^# TYPE (\S+) (\S+)$', exposition):
        for end in ('_bucket', '_sum', '_count') if kind == 'histogram' else ('',):
            names[family + end] = family
    return names
