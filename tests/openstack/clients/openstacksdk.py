"""openstacksdk: a large object in segments, and lists that come in many pages."""
import json
from pathlib import Path

from clients import tools, tree
from clients.part import Part
from support import expect

PROGRAM = Path(__file__).with_name('openstacksdk_program.py')


def play(place, mebibytes=1024, objects=2000, images=60):
    file = place.path('big.bin')
    digest = tree.big(file, mebibytes)
    said = json.loads(place.run(tools.python('python'), PROGRAM, place.prefix, file, objects, images,
                                variables=place.openstack()))
    for kind in ('slo', 'dlo'):
        expect.equal(said[kind], digest, 'SHA-256 of the ' + kind)
    expect.equal((said['objects'], said['images']), (objects, images), 'objects and images that were listed')
    expect.equal((said['objects_left'], said['images_left']), (0, 0), 'objects and images after delete')
    expect.equal(said['project'], place.lab.project, 'the project')
    return ('%d MiB up in segments (SLO, DLO) and down, SHA-256 %s; %d objects listed in %d pages, %d images in %d; '
            'created, deleted' % (mebibytes, digest[:8], objects, said['object_pages'], images, said['image_pages']))


PARTS = [Part('openstacksdk', play)]
