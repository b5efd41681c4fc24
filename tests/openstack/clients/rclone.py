"""rclone: a tree of files up, checked, down, compared."""
from clients import tools, tree
from clients.part import Part
from support import expect

FILES = 2000


def play(place, files=FILES):
    rclone, store = tools.python('rclone'), 'store:%s-rclone' % place.prefix
    variables = variables_of(place)

    def run(*arguments):
        return place.run(rclone, '--config=', '--retries=1', '--low-level-retries=1', '--transfers=8',
                         '--checkers=16', *arguments, variables=variables)

    source = tree.make(place.path('tree'), files, 8000)
    for number in place.rounds():
        if number:
            tree.change(source, number)
        run('sync', source, store)
        run('check', source, store)
    expect.equal(int(run('lsf', '-R', '--files-only', store).count('\n')), len(tree.digests(source)), 'files listed')
    run('copy', store, place.path('down'))
    expect.equal(tree.digests(place.path('down')), tree.digests(source), 'the tree')
    # larger than rclone's segments here
    digest = tree.big(place.path('big.bin'), 12)
    run('copyto', '--swift-chunk-size=5Mi', place.path('big.bin'), store + '/big.bin')
    run('copyto', store + '/big.bin', place.path('back.bin'))
    expect.equal(tree.sha256(place.path('back.bin')), digest, 'SHA-256 of the large file')
    run('purge', store)
    return '%d files up, checked, down, equal (%d rounds), 12 MiB in segments, purged' % (files, number + 1)


def variables_of(place):
    """A remote named `store`, as `gatestone env --for rclone` would have it."""
    remote = {'TYPE': 'swift', 'USER': 'nobody', 'KEY': 'nothing', 'REGION': place.region}
    if place.login == 'v1':
        remote |= {'AUTH': place.url + '/auth/v1.0', 'AUTH_VERSION': '1'}
    else:
        remote |= {'AUTH': place.url + '/v3', 'AUTH_VERSION': '3', 'DOMAIN': 'Default'}
    return {'RCLONE_CONFIG_STORE_' + name: value for name, value in remote.items()}


PARTS = [Part('rclone', play, login, short=True) for login in ('v1', 'v3')]
