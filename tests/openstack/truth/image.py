"""Glance: images and their data."""
from truth.request import Chunked, subject

REQUESTS, ask = subject('image', '{image}')
IMAGES = '/v2/images'
MINE = '?owner={project_id}'
DATA = {'Content-Type': 'application/octet-stream'}
PATCH = {'Content-Type': 'application/openstack-images-v2.1-json-patch'}
NOBODY = '00000000-0000-0000-0000-000000000000'
PLAIN = ('$.name', '$.status', '$.visibility', '$.protected', '$.tags', '$.owner', '$.self', '$.file', '$.schema',
         '$.disk_format', '$.container_format', '$.min_disk', '$.min_ram', '$.size', '$.virtual_size', '$.checksum',
         '$.os_hidden', '$.os_hash_algo', '$.os_hash_value')

ask('versions at the root', 'GET', '/', token=None)
ask('versions', 'GET', '/versions', token=None)
ask('versions without a slash', 'GET', '', token=None)
ask('the second version', 'GET', '/v2/', token=None)
ask('the second version with a token', 'GET', '/v2/')
ask('without a token', 'GET', IMAGES, token=None)
ask('with a token that is not there', 'GET', IMAGES, token='no-such-token')
ask('none yet', 'GET', IMAGES + MINE + '&name=truth', values=('*',))
ask('make', 'POST', IMAGES, {'name': 'truth', 'disk_format': 'raw', 'container_format': 'bare',
                             'tags': ['a'], 'colour': 'blue', 'min_ram': 1},
    save={'image_id': 'json id'}, values=PLAIN)
ask('show', 'GET', IMAGES + '/{image_id}', values=PLAIN)
ask('make from little', 'POST', IMAGES, {'name': 'truth'}, save={'second_id': 'json id'}, values=PLAIN)
ask('make with an id', 'POST', IMAGES, {'id': '{image_id}', 'name': 'truth'})
ask('make a third', 'POST', IMAGES, {'name': 'truth', 'visibility': 'private'}, save={'third_id': 'json id'},
    values=PLAIN)
ask('make a public one, as a user', 'POST', IMAGES, {'name': 'truth', 'visibility': 'public'})
ask('make with an unknown format', 'POST', IMAGES, {'name': 'truth', 'disk_format': 'floppy'})
ask('make with a number for a name', 'POST', IMAGES, {'name': 7})
ask('make with a field that is only read', 'POST', IMAGES, {'name': 'truth', 'status': 'active'})
ask('make from no JSON', 'POST', IMAGES, '{nope', fields={'Content-Type': 'application/json'})
ask('make from nothing', 'POST', IMAGES)
ask('list', 'GET', IMAGES + MINE + '&name=truth', values=('$.first', '$.schema', '$.images[].name'))
ask('list the first', 'GET', IMAGES + MINE + '&name=truth&limit=1', values=('$.first', '$.schema', '$.next'))
ask('list the next', 'GET', IMAGES + MINE + '&name=truth&limit=1&marker={third_id}',
    values=('$.first', '$.schema', '$.next'))
ask('list after the last', 'GET', IMAGES + MINE + '&name=truth&limit=1&marker={image_id}', values=('*',))
ask('list after one that is not there', 'GET', IMAGES + '?marker=' + NOBODY)
ask('list many', 'GET', IMAGES + MINE + '&limit=many')
ask('list below nothing', 'GET', IMAGES + MINE + '&limit=-1')
ask('list sorted', 'GET', IMAGES + MINE + '&name=truth&sort=created_at:asc', values=('$.first', '$.images[].id'))
ask('list by status', 'GET', IMAGES + MINE + '&status=active&name=truth', values=('*',))
ask('list of another project', 'GET', IMAGES + '?name=truth', token='{other_token}', values=('*',))
ask('data that is not there', 'GET', IMAGES + '/{image_id}/file')
ask('put data of the wrong kind', 'PUT', IMAGES + '/{image_id}/file', b'data', fields={
    'Content-Type': 'application/json'})
ask('put data', 'PUT', IMAGES + '/{image_id}/file', b'the data of an image', fields=DATA)
ask('show with data', 'GET', IMAGES + '/{image_id}', values=PLAIN)
ask('put data again', 'PUT', IMAGES + '/{image_id}/file', b'other data', fields=DATA)
ask('get data', 'GET', IMAGES + '/{image_id}/file')
ask('get a part of the data', 'GET', IMAGES + '/{image_id}/file', fields={'Range': 'bytes=4-7'})
ask('put data in pieces', 'PUT', IMAGES + '/{second_id}/file', Chunked((b'in ', b'pieces')), fields=DATA)
ask('put data without formats', 'GET', IMAGES + '/{second_id}', values=PLAIN)
ask('change', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'replace', 'path': '/name', 'value': 'truth told'}, {'op': 'add', 'path': '/shape', 'value': 'round'},
    {'op': 'remove', 'path': '/colour'}], fields=PATCH, values=PLAIN)
ask('change back', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'replace', 'path': '/name', 'value': 'truth'}], fields=PATCH, values=PLAIN)
ask('change what is only read', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'replace', 'path': '/status', 'value': 'queued'}], fields=PATCH)
ask('change what is not there', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'replace', 'path': '/weight', 'value': '1'}], fields=PATCH)
ask('change with an unknown step', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'move', 'path': '/name', 'value': 'x'}], fields=PATCH)
ask('change as plain JSON', 'PATCH', IMAGES + '/{image_id}', [], fields={'Content-Type': 'application/json'})
ask('change from no JSON', 'PATCH', IMAGES + '/{image_id}', '[nope', fields=PATCH)
ask('change one that is not there', 'PATCH', IMAGES + '/' + NOBODY, [], fields=PATCH)
ask('protect', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'replace', 'path': '/protected', 'value': True}], fields=PATCH, values=PLAIN)
ask('remove what is protected', 'DELETE', IMAGES + '/{image_id}')
ask('do not protect', 'PATCH', IMAGES + '/{image_id}', [
    {'op': 'replace', 'path': '/protected', 'value': False}], fields=PATCH)
ask('tag', 'PUT', IMAGES + '/{image_id}/tags/b')
ask('remove a tag', 'DELETE', IMAGES + '/{image_id}/tags/a')
ask('remove a tag that is not there', 'DELETE', IMAGES + '/{image_id}/tags/a')
ask('show with tags', 'GET', IMAGES + '/{image_id}', values=PLAIN)
ask('show, as another project', 'GET', IMAGES + '/{image_id}', token='{other_token}')
ask('remove, as another project', 'DELETE', IMAGES + '/{image_id}', token='{other_token}')
ask('show one that is not there', 'GET', IMAGES + '/' + NOBODY)
ask('head of one', 'HEAD', IMAGES + '/{image_id}')
ask('data of one that is not there', 'GET', IMAGES + '/' + NOBODY + '/file')
ask('put data of one that is not there', 'PUT', IMAGES + '/' + NOBODY + '/file', b'data', fields=DATA)
ask('wrong method', 'PUT', IMAGES)
ask('wrong method on one', 'POST', IMAGES + '/{image_id}')
ask('a path that is not there', 'GET', '/v2/no-such-thing')
ask('a version that is not there', 'GET', '/v9/images')
ask('schema of an image', 'GET', '/v2/schemas/image', maps=('$.properties',))
ask('schema of images', 'GET', '/v2/schemas/images', maps=('$.properties.images.items.properties',))
ask('remove', 'DELETE', IMAGES + '/{image_id}')
ask('remove again', 'DELETE', IMAGES + '/{image_id}')
ask('show what was removed', 'GET', IMAGES + '/{image_id}')
ask('remove the second', 'DELETE', IMAGES + '/{second_id}')
ask('remove the third', 'DELETE', IMAGES + '/{third_id}')
ask('none any more', 'GET', IMAGES + MINE + '&name=truth', values=('*',))
