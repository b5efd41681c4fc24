"""Reads {name: {"text": YAML, "versions": [..]}} and prints {name: {"objects": [..], "mistakes": [..], "checked": number}}.

Each object is validated strictly, so that a field which the schema does not have is a mistake, against the schema of each
version of Kubernetes. Runs in the Python of tools.py.
"""
import functools
import importlib
import json
import sys

import jsonschema
import kubernetes_validate
import yaml
from kubernetes_validate import utils

# It reads the same few files for each object.
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


@functools.lru_cache(maxsize=None)
def of_the_operator(kind):
    """The schema of one of the Prometheus operator's kinds, made strict."""
    model = getattr(importlib.import_module('cloudcoil.models.prometheus_operator.v1'), kind)
    # Its regular expressions are Go's; Python wants the flag first.
    schema = json.loads(json.dumps(model.model_json_schema(by_alias=True)).replace('"^(?i)', '"(?i)^'))
    for part in [schema, *schema['$defs'].values()]:
        if 'properties' in part:
            part.setdefault('additionalProperties', False)
    return schema


def mistakes(item, version):
    """Where and why it is not as the schema of this version wants it."""
    try:
        if item['apiVersion'] == 'monitoring.coreos.com/v1':
            jsonschema.validate(item, of_the_operator(item['kind']))
        else:
            kubernetes_validate.validate(item, version, strict=True)
    except jsonschema.ValidationError as error:
        yield '%s: %s' % ('.'.join(map(str, error.absolute_path)) or 'at the top', error.message)
    except kubernetes_validate.SchemaNotFoundError as error:
        yield error.message


def main():
    report = {}
    for name, part in json.load(sys.stdin).items():
        objects = [item for item in yaml.safe_load_all(part['text']) if item]
        found = ['%s %s, Kubernetes %s: %s' % (item['kind'], item['metadata']['name'], version, why)
                 for item in objects for version in part['versions'] for why in mistakes(item, version)]
        report[name] = {'objects': objects, 'mistakes': found, 'checked': len(objects) * len(part['versions'])}
    json.dump(report, sys.stdout)


main()
