"""restic: a repository made, two backups, checked, restored, compared."""
import json

from clients import tools, tree
from clients.part import Part
from support import expect


def play(place, files=400):
    restic = tools.debian('restic')
    variables = dict(place.swift(), RESTIC_PASSWORD='of the repository',
                     RESTIC_REPOSITORY='swift:%s-restic:/backup' % place.prefix)

    def run(*arguments):
        return place.run(restic, *arguments, variables=variables)

    source = tree.make(place.path('tree'), files, 200_000)
    run('init')
    for number in place.rounds():
        run('backup', source)
        tree.change(source, number)
    run('backup', source)
    run('check', '--read-data')
    snapshots = json.loads(run('snapshots', '--json'))
    expect.equal(len(snapshots), number + 2, 'number of snapshots')
    run('restore', 'latest', '--target', place.path('back'))
    restored = place.path('back', *source.parts[1:])
    expect.equal(tree.digests(restored), tree.digests(source), 'the restored tree')
    run('forget', '--keep-last', '1', '--prune')
    return 'init, %d backups of %d files, check --read-data, restore, equal, forget and prune' % (number + 2, files)


PARTS = [Part('restic', play, login, short=True) for login in ('v1', 'v3')]
