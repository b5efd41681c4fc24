#!/usr/bin/env python3
"""Hold the licence and the source of every dependency against deny.toml.

A cheap stand-in for `cargo deny check licenses sources`, which needs no installation.
The list of allowed licences is deny.toml's; a licence expression (SPDX) is met when its
ANDs and ORs are. `X WITH exception` counts as a licence of its own.
"""
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES_IO = 'registry+https://github.com/rust-lang/crates.io-index'


def main():
    rules = tomllib.loads((ROOT / 'deny.toml').read_text())
    allowed = set(rules['licenses']['allow'])
    packages = dependencies(rules['graph']['targets'])
    wrong = [line for package in packages for line in complaints(package, allowed)]
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong or not packages:
        return 1
    print('%d dependencies, all under %s' % (len(packages), ', '.join(sorted(allowed))))
    return 0


def dependencies(targets):
    """What cargo would build for any of the targets, without our own package."""
    command = ['cargo', 'metadata', '--format-version', '1', '--locked', '--quiet']
    for target in targets:
        command += ['--filter-platform', target]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    metadata = json.loads(done.stdout)
    ours = set(metadata['workspace_members'])
    used = {node['id'] for node in metadata['resolve']['nodes']} - ours
    return [package for package in metadata['packages'] if package['id'] in used]


def complaints(package, allowed):
    name = '%s %s' % (package['name'], package['version'])
    if package['source'] != CRATES_IO:
        yield '%s: comes from %s, not from crates.io' % (name, package['source'] or 'a path')
    if not package['license']:
        yield '%s: states no licence expression; read its licence file' % name
        return
    try:
        met = is_met(package['license'], allowed)
    except ValueError as error:
        yield '%s: cannot read its licence `%s`: %s' % (name, package['license'], error)
        return
    if not met:
        yield '%s: `%s` is not covered by [licenses] allow in deny.toml' % (name, package['license'])


def is_met(expression, allowed):
    """Whether the allowed licences satisfy an SPDX expression; `/` is the old way to write OR."""
    # The token at the end is never one of those asked for.
    tokens = re.findall(r'[()]|[^\s()]+', expression.replace('/', ' OR ')) + ['']

    def either():
        met = both()
        while tokens[0] == 'OR':
            tokens.pop(0)
            met |= both()
        return met

    def both():
        met = single()
        while tokens[0] == 'AND':
            tokens.pop(0)
            met &= single()
        return met

    def single():
        token = tokens.pop(0)
        if token == '(':
            met = either()
            if tokens.pop(0) != ')':
                raise ValueError('a `)` is missing')
            return met
        if token in ('', ')', 'OR', 'AND', 'WITH'):
            raise ValueError('a licence is missing')
        if tokens[0] == 'WITH':
            token = ' '.join([token, tokens.pop(0), tokens.pop(0)])
        return token in allowed

    met = either()
    if tokens != ['']:
        raise ValueError('`%s` is left over' % tokens[0])
    return met


if __name__ == '__main__':
    sys.exit(main())
