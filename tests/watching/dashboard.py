"""The dashboard as a file: what Grafana wants of it, and what it asks Prometheus for."""
import json
from dataclasses import dataclass
from pathlib import Path

from common import expect

FILE = Path(__file__).resolve().parents[2] / 'config/monitoring/grafana/gatestone.json'
SOURCE = {'type': 'prometheus', 'uid': '${datasource}'}
VARIABLES = ['datasource', 'job', 'instance', 'service', 'region']
ROWS = ['Overview', 'By service', 'Token and identity', 'Proxy', 'Process']
# Dashboards older than Grafana 11 are migrated on the way, and look it.
SCHEMA = 39
COLUMNS = 24


@dataclass
class Query:
    """What one target of a panel asks."""

    panel: str
    expr: str


def load():
    return json.loads(FILE.read_text())


def queries(dashboard):
    """All queries: of panels, then of annotations."""
    found = [Query('%s (%d)' % (panel['title'], panel['id']), target['expr'])
             for panel in panels(dashboard) for target in panel['targets']]
    return found + [Query('annotation %s' % it['name'], it['expr'])
                    for it in dashboard['annotations']['list'] if it.get('expr')]


def variables(dashboard):
    """The variables that Prometheus fills."""
    return [it for it in dashboard['templating']['list'] if it['type'] == 'query']


def panels(dashboard):
    return [panel for panel in dashboard['panels'] if panel['type'] != 'row']


def complaints(dashboard):
    """What is wrong with it as a file."""
    wrong = []

    def want(holds, why):
        if not holds:
            wrong.append(why)

    want(dashboard['schemaVersion'] >= SCHEMA, 'its schemaVersion is %d' % dashboard['schemaVersion'])
    want(not dashboard.get('id'), 'it has the id of one Grafana')
    want(dashboard.get('uid'), 'it has no uid, so that every import is another dashboard')
    names = [it['name'] for it in dashboard['templating']['list']]
    want(names == VARIABLES, 'its variables are %s' % names)
    for variable in variables(dashboard):
        want(variable['datasource'] == SOURCE, 'variable %s has another data source' % variable['name'])
        want(variable['includeAll'] and variable['multi'], 'variable %s does not have All' % variable['name'])
    rows = [panel['title'] for panel in dashboard['panels'] if panel['type'] == 'row']
    want(rows == ROWS, 'its rows are %s' % rows)
    ids = [panel['id'] for panel in dashboard['panels']]
    want(len(set(ids)) == len(ids), 'ids of panels are not unique')
    for panel in panels(dashboard):
        title = '%s (%d)' % (panel['title'], panel['id'])
        want(panel['title'], 'a panel has no title')
        want(panel['targets'], '%s asks for nothing' % title)
        want(panel['datasource'] == SOURCE, '%s has another data source' % title)
        want(panel['fieldConfig']['defaults'].get('unit'), '%s has no unit' % title)
        refs = [target['refId'] for target in panel['targets']]
        want(len(set(refs)) == len(refs), '%s has a refId twice' % title)
        for target in panel['targets']:
            want(target['datasource'] == SOURCE, 'a target of %s has another data source' % title)
            want('$job' in target['expr'] and '$instance' in target['expr'],
                 'a target of %s does not keep to the instances that are chosen' % title)
    return wrong + overlaps(dashboard['panels'])


def overlaps(placed):
    """Panels that stand on one another, or beside the grid."""
    taken, wrong = {}, []
    for panel in placed:
        at = panel['gridPos']
        if at['x'] < 0 or at['x'] + at['w'] > COLUMNS or at['w'] < 1 or at['h'] < 1:
            wrong.append('%s (%d) is beside the grid' % (panel['title'], panel['id']))
        for cell in ((x, y) for x in range(at['x'], at['x'] + at['w']) for y in range(at['y'], at['y'] + at['h'])):
            if cell in taken:
                wrong.append('%s (%d) stands on %s' % (panel['title'], panel['id'], taken[cell]))
                break
            taken[cell] = panel['title']
    return wrong


def misspell(dashboard):
    """Spells the metric of one target wrong; returns the panel's name."""
    target = panels(dashboard)[0]['targets'][0]
    expect.that('gatestone_ready' in target['expr'], 'the first panel asks for something else')
    target['expr'] = target['expr'].replace('gatestone_ready', 'gatestone_raedy')
    return queries(dashboard)[0].panel
