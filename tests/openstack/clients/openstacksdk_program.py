"""What `openstacksdk.py` runs with nothing but OS_ variables: usage: PREFIX FILE OBJECTS IMAGES"""
import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import openstack

OBJECT_PAGE, IMAGE_PAGE = 100, 7
PARALLEL = 8


def main(prefix, file, objects, images):
    cloud = openstack.connect()
    said = {'project': cloud.current_project_id}
    container = prefix + '-sdk'
    cloud.create_container(container)
    for kind in ('slo', 'dlo'):
        cloud.create_object(container, kind, filename=file, segment_size=128 << 20, use_slo=kind == 'slo',
                            generate_checksums=False)
        digest = hashlib.sha256()
        for piece in cloud.stream_object(container, kind):
            digest.update(piece)
        said[kind] = digest.hexdigest()
        cloud.delete_object(container, kind)
    listings(cloud, prefix, int(objects), said)
    pictures(cloud, prefix, int(images), said)
    print(json.dumps(said))


def listings(cloud, prefix, count, said):
    """Objects made, listed page by page, deleted."""
    store, container = cloud.object_store, prefix + '-sdk-many'
    cloud.create_container(container)
    names = ['object %05d é' % n for n in range(count)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda name: store.upload_object(container, name, data=b'x'), names))
    pages = counted(store, container)
    listed = [one.name for one in store.objects(container, limit=OBJECT_PAGE)]
    said['object_pages'] = pages.total
    said['objects'] = len(set(listed)) if listed == names else listed[:3]
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda name: store.delete_object(name, container=container), names))
    said['objects_left'] = len(list(store.objects(container)))
    cloud.delete_container(container)


def pictures(cloud, prefix, count, said):
    """Images made, listed page by page, deleted; one after the other, since the lab's Glance has one writer."""
    made = [cloud.image.create_image(name='%s %02d' % (prefix, n), disk_format='raw', container_format='bare').id
            for n in range(count)]
    pages = counted(cloud.image, '/images')
    listed = {one.id for one in cloud.image.images(limit=IMAGE_PAGE)}
    said['image_pages'] = pages.total
    said['images'] = len(listed & set(made))
    for one in made:
        cloud.image.delete_image(one)
    said['images_left'] = len({one.id for one in cloud.image.images()} & set(made))


def counted(adapter, part):
    """Count the GETs of an adapter whose path has this in it."""
    class Pages:
        total = 0
    get = adapter.get

    def counting(url, **options):
        Pages.total += part in url
        return get(url, **options)
    adapter.get = counting
    return Pages


main(*sys.argv[1:])
