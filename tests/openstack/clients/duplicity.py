"""duplicity: a full and an incremental backup, verified, restored, compared."""
from clients import tools, tree
from clients.part import Part
from support import expect


def play(place, files=200):
    duplicity, store = tools.python('duplicity'), 'swift://%s-duplicity' % place.prefix
    variables = {'SWIFT_USERNAME': 'nobody', 'SWIFT_PASSWORD': 'nothing', 'SWIFT_REGIONNAME': place.region}
    if place.login == 'v1':
        variables |= {'SWIFT_AUTHURL': place.url + '/auth/v1.0', 'SWIFT_AUTHVERSION': '1'}
    else:
        variables |= {'SWIFT_AUTHURL': place.url + '/v3', 'SWIFT_AUTHVERSION': '3',
                      'SWIFT_USER_DOMAIN_NAME': 'Default', 'SWIFT_PROJECT_NAME': place.user,
                      'SWIFT_PROJECT_DOMAIN_NAME': 'Default'}

    def run(*arguments):
        return place.run(duplicity, *arguments, '--no-encryption', '--num-retries', '1', variables=variables)

    source = tree.make(place.path('tree'), files, 50_000)
    run('full', source, store)
    tree.change(source, 1)
    run('incremental', source, store)
    run('verify', '--compare-data', store, source)
    status = run('collection-status', store)
    expect.holds(status, 'Incremental', 'collection-status')
    run('restore', store, place.path('back'))
    expect.equal(tree.digests(place.path('back')), tree.digests(source), 'the restored tree')
    return 'full and incremental backup of %d files, verify --compare-data, restore, equal' % files


PARTS = [Part('duplicity', play, login) for login in ('v1', 'v3')]
