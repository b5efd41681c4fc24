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


def filled(query):
    """A query of the dashboard with its variables as Grafana fills them in where all is chosen."""
    for name, value in (('$job', '.+'), ('$instance', '.+'), ('$service', '.+'), ('$region', '.*'),
                        ('$__rate_interval', '30s'), ('$__range', '2m')):
        query = query.replace(name, value)
    return query


def families(exposition):
    """The families of a text of metrics, and the names of their series: {name of a series: family}."""
    names = {}
    for family, kind in re.findall(r'(?m)^# TYPE (\S+) (\S+)$', exposition):
        for end in ('_bucket', '_sum', '_count') if kind == 'histogram' else ('',):
            names[family + end] = family
    return names
