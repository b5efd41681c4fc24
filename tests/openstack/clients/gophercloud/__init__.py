"""gophercloud: the library below Terraform and most of what is written in Go, by a program of fifty lines."""
import hashlib
import json
import os
from functools import cache
from pathlib import Path

from clients import tools, tree
from clients.part import Part
from support import expect

PROGRAM = Path(__file__).with_name('main.go')
LIBRARY = 'golang-github-gophercloud-gophercloud-dev'


@cache
def build():
    """The program, built without the network from Debian's library."""
    go = tools.debian('go', 'golang-go', LIBRARY)
    binary = tools.folder() / ('gophercloud-' + hashlib.sha256(PROGRAM.read_bytes()).hexdigest()[:12])
    if not binary.exists():
        tools.quietly(go, 'build', '-o', binary, PROGRAM, cwd=PROGRAM.parent, env=dict(
            os.environ, GOPATH='/usr/share/gocode', GO111MODULE='off', GOFLAGS='', GOCACHE=str(tools.folder() / 'go')))
    return binary


def play(place):
    container, name = place.prefix + '-gophercloud', 'folder/ä%41.bin'  # it writes a blank as +
    file = place.path('file.bin')
    digest = tree.big(file, 3)
    variables = dict(place.openstack(), OS_DOMAIN_NAME='Default')  # the name it knows
    said = json.loads(place.run(build(), container, name, file, variables=variables))
    expect.equal(said['project'], place.lab.project, 'the project')
    expect.that(container in said['containers'], 'the container is not listed')
    expect.equal(said['objects'], [name], 'objects')
    expect.equal(said['sha256'], digest, 'SHA-256 of the download')
    for endpoint in (said['object-store'], said['image']):
        expect.that(endpoint.startswith(place.url + '/'), 'it found ' + endpoint)
    return 'log in, object store and image found, %d containers, %d images, 3 MiB up and down, SHA-256 %s' % (
        len(said['containers']), said['images'], digest[:8])


PARTS = [Part('gophercloud', play)]
