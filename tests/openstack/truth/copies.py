"""Swift: copies."""
from truth.request import subject

REQUESTS, ask = subject('copies', '{account}/truth-copies')

ask('container', 'PUT')
ask('another container', 'PUT', '{account}/truth-copies-2')
ask('object', 'PUT', '/%C3%A4', b'to be copied', fields={
    'Content-Type': 'text/plain', 'X-Object-Meta-Colour': 'blue', 'Content-Disposition': 'inline'})
ask('copy', 'COPY', '/%C3%A4', fields={'Destination': 'truth-copies/b'})
ask('get the copy', 'GET', '/b')
ask('copy with a slash first', 'COPY', '/%C3%A4', fields={'Destination': '/truth-copies-2/b'})
ask('copy with other fields', 'COPY', '/%C3%A4', fields={
    'Destination': 'truth-copies/c', 'X-Object-Meta-Shape': 'round', 'Content-Type': 'text/html'})
ask('get other fields', 'HEAD', '/c')
ask('copy with fresh fields', 'COPY', '/%C3%A4', fields={
    'Destination': 'truth-copies/d', 'X-Object-Meta-Shape': 'round', 'X-Fresh-Metadata': 'true'})
ask('get fresh fields', 'HEAD', '/d')
ask('put a copy', 'PUT', '/e%20f', b'', fields={'X-Copy-From': 'truth-copies/%C3%A4'})
ask('get the put copy', 'GET', '/e%20f')
ask('put a copy over itself with another field', 'PUT', '/b', b'', fields={
    'X-Copy-From': '/truth-copies/b', 'X-Object-Meta-Colour': 'red'})
ask('get over itself', 'HEAD', '/b')
ask('put a part of it', 'PUT', '/g', b'', fields={'X-Copy-From': '/truth-copies/b', 'Range': 'bytes=0-1'})
ask('get a part of it', 'GET', '/g')
ask('put a copy with a body', 'PUT', '/h', b'body', fields={'X-Copy-From': '/truth-copies/b'})
ask('put a copy of a missing one', 'PUT', '/h', b'', fields={'X-Copy-From': '/truth-copies/missing'})
ask('put a copy from no object', 'PUT', '/h', b'', fields={'X-Copy-From': 'truth-copies'})
ask('put a copy from the account of others', 'PUT', '/h', b'', fields={
    'X-Copy-From': '/truth/b', 'X-Copy-From-Account': 'AUTH_{admin_project_id}'})
ask('put a copy if it is another', 'PUT', '/h', b'', fields={
    'X-Copy-From': '/truth-copies/b', 'X-Copy-From-If-Match': 'other', 'If-Match': 'other'})
ask('copy a missing one', 'COPY', '/missing', fields={'Destination': 'truth-copies/h'})
ask('copy without a destination', 'COPY', '/b')
ask('copy to no object', 'COPY', '/b', fields={'Destination': 'truth-copies'})
ask('copy to a missing container', 'COPY', '/b', fields={'Destination': 'truth-missing/b'})
ask('copy to the account of others', 'COPY', '/b', fields={
    'Destination': 'truth/b', 'Destination-Account': 'AUTH_{admin_project_id}'})
ask('copy a container', 'COPY', '', fields={'Destination': 'truth-copies-3'})
