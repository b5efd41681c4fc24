#!/usr/bin/env python3
"""Start, stop and describe a loopback OpenStack lab.

usage: labctl.py (up|down|status) STATE_DIR

`down` and `status` need only the standard library; `up` runs inside the lab's
virtualenv (see the `up` script next to this file).
"""
import os
import sys
import time

import processes
from settings import Settings


def up(lab):
    import bootstrap
    import clients
    from services import glance, keystone, placement, swift, tls
    began = time.monotonic()
    for folder in ('etc', 'data', 'log', 'run', 'tls', 'data/keystone'):
        os.makedirs(lab.path(folder), mode=0o700, exist_ok=True)
    plan = {}
    for service in (keystone, swift, glance, placement, tls):
        plan |= service.plan(lab)
    # databases and keys first: they must exist before the services start
    for service in (keystone, glance, placement):
        once(lab, service)
    children = {}
    for name, process in plan.items():
        found = processes.find(lab, name)
        if found and found[1] == process.digest():
            continue
        if found:
            print('restarting %s (its configuration changed)' % name)
            processes.stop(lab, name)
        children[name] = processes.start(lab, name, process)
    # Keystone must hold the service users before anyone asks it
    processes.await_health(lab, {'keystone': plan['keystone']}, children)
    facts = bootstrap.populate(lab)
    processes.await_health(lab, plan, children)
    clients.write(lab, facts)
    print('lab up in %.1f s: %d processes, %d started now; token lifetime %d s' % (
        time.monotonic() - began, len(plan), len(children), lab.token_ttl))
    for what, name in (('environment', 'openrc-demo'), ('clouds.yaml', 'clouds.yaml'),
                       ('all facts', 'lab.json')):
        print('  %-12s %s' % (what + ':', lab.path(name)))


def once(lab, service):
    """A service's set-up, unless it was done before."""
    done = lab.path('run', 'set-up-' + service.__name__)
    if not os.path.exists(done):
        service.set_up(lab)
        with open(done, 'w', encoding='ascii'):
            pass


def down(lab):
    names = processes.known(lab)
    # front to back, so that nothing logs about a missing backend
    for name in reversed(names):
        if processes.stop(lab, name):
            print('stopped', name)
    if not names:
        print('nothing to stop')


def status(lab):
    dead = 0
    names = processes.known(lab)
    for name in names:
        found = processes.find(lab, name)
        print('%-22s %s' % (name, 'pid %d' % found[0] if found else 'dead'))
        dead += not found
    print('%d processes, %d dead' % (len(names), dead))
    return 0 if names and not dead else 1


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ('up', 'down', 'status'):
        sys.exit(__doc__)
    sys.exit(globals()[sys.argv[1]](Settings(sys.argv[2])) or 0)


if __name__ == '__main__':
    main()
