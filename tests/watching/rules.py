"""The alert rules as files: promtool's checks, and whether their unit tests notice when a rule is another."""
import json
import re
import tempfile
from pathlib import Path

from common import expect, seen
from server import promtool

FOLDER = Path(__file__).resolve().parents[2] / 'config/monitoring'
RULES, TESTS = FOLDER / 'alerts.yaml', FOLDER / 'alerts.test.yaml'
SEVERITIES = {'critical', 'warning'}
# A comparison and its threshold.
COMPARED = re.compile(r'(?<![!=<>~])(==|>|<)\s*(\d+(?:\.\d+)?)')


def check():
    """promtool's own checks."""
    for what, *arguments in (('check rules', 'check', 'rules', '--lint=all', '--lint-fatal', RULES),
                             ('check config', 'check', 'config', FOLDER / 'prometheus.yaml'),
                             ('test rules', 'test', 'rules', TESTS)):
        status, text = promtool(*arguments)
        expect.equal((status, 'FAILED' in text), (0, False), 'promtool %s (%s)' % (what, text))
    tests = TESTS.read_text()
    seen('rules', 'promtool: check rules, check config and test rules (%d tests, %d questions) have no complaint'
         % (tests.count('\n  - name: '), tests.count('- expr: ')))


def alerts(prometheus):
    """The alerts as Prometheus has read them."""
    groups = [group for group in prometheus.get('rules', type='alert')['groups'] if group['file'].endswith(RULES.name)]
    return [rule for group in groups for rule in group['rules']]


def look(found):
    """What every alert has to have."""
    tests = TESTS.read_text()
    expect.holds((FOLDER.parents[1] / 'README.md').read_text(), '`alerts.yaml` (%d alerts;' % len(found), 'the README')
    for alert in found:
        name, texts = alert['name'], alert['annotations']
        expect.that(alert['labels'].get('severity') in SEVERITIES, '%s has the severity %s' % (
            name, alert['labels'].get('severity')))
        expect.equal(sorted(texts), ['description', 'summary'], 'the annotations of %s' % name)
        expect.that(texts['description'].endswith('.') and len(texts['description']) > 100,
                    'the description of %s is short' % name)
        fires = re.findall(r'alertname="%s", alertstate="firing", ([^}]*)}' % name, tests)
        expect.that(fires, 'no unit test has %s fire' % name)
        has = set(re.findall(r'(\w+)=', fires[0]))
        wants = set(re.findall(r'\$labels\.(\w+)', ' '.join(texts.values())))
        expect.that(wants <= has, '%s speaks of %s, which it does not have' % (name, sorted(wants - has)))


def mutants(alert):
    """(what is other, the rule) for each way to spoil one that its unit tests have to notice."""
    rule = {'alert': alert['name'], 'expr': alert['query'], 'for': '%ds' % alert['duration'], 'labels': alert['labels']}
    yield 'it never fires', {**rule, 'expr': '(%s) unless on () vector(1)' % alert['query']}
    yield 'another severity', {**rule, 'labels': {'severity': 'none'}}
    if alert['duration']:
        yield 'it fires at once', {**rule, 'for': '0s'}
    for found in COMPARED.finditer(alert['query']):
        operator, threshold = found[1], float(found[2])
        if threshold == 0:
            other = '%s= 0' % operator.replace('==', '>')
        else:
            other = '%s %g' % (operator, threshold * (0.1 if operator == '>' else 10))
        yield 'at %s' % other, {**rule, 'expr': alert['query'][:found.start()] + other + alert['query'][found.end():]}


def spoil(found):
    """Each unit test has to fail when the rule that it is about is spoilt."""
    head, *blocks = re.split(r'(?m)^(?=  - name: )', TESTS.read_text())
    tried, missed = 0, []
    with tempfile.TemporaryDirectory(prefix='gatestone-rules-') as folder:
        test, rules = Path(folder) / TESTS.name, Path(folder) / RULES.name
        for alert in found:
            mine = [block for block in blocks if re.search(r'\b%s\b' % alert['name'], block)
                    or 'ALERTS{alertname=~"%s(Soon)?"' % alert['name'].removesuffix('Soon') in block]
            for what, rule in mutants(alert):
                others = [{'alert': it['name'], 'expr': it['query'], 'for': '%ds' % it['duration'], 'labels': it['labels']}
                          for it in found if it is not alert]
                test.write_text(head + ''.join(mine))
                # YAML reads JSON.
                rules.write_text(json.dumps({'groups': [{'name': 'all', 'rules': [rule, *others]}]}))
                status, _ = promtool('test', 'rules', test.name, cwd=folder)
                tried += 1
                if status == 0:
                    missed.append('%s: %s' % (alert['name'], what))
    expect.equal(missed, [], 'spoilt rules that no unit test notices')
    seen('rules', '%d alerts spoilt in %d ways (never, at once, another severity, another threshold): the unit tests '
         'notice each' % (len(found), tried))


def texts(found):
    """The same alerts with labels of every kind and no condition, to see what their texts become: rules of a file."""
    value = 'vector(0.123)'
    for label, text in (('instance', '10.0.0.7:5059'), ('job', 'a-job'), ('service', 'a-service'),
                        ('region', 'a-region'), ('reason', 'a_reason')):
        value = 'label_replace(%s, "%s", "%s", "", "")' % (value, label, text)
    return json.dumps({'groups': [{'name': 'texts', 'rules': [
        {'alert': 'Text' + it['name'], 'expr': value, 'annotations': it['annotations']} for it in found]}]})
