"""The request the proxy exists for: one line instead of three manual steps."""
from support import expect, wire
from support.cases import case


@case
def head_of_an_object_is_what_three_manual_steps_give(world):
    world.put('photos/a.jpg', b'jpeg', {'Content-Type': 'image/jpeg', 'X-Object-Meta-Place': 'Lyon'})
    ours = wire.fetch(world.ours + '/photos/a.jpg', 'HEAD')
    theirs = world.direct.fetch(world.theirs + '/photos/a.jpg', 'HEAD')
    expect.status(theirs, 200)
    expect.same(ours, theirs)


@case
def a_token_of_the_client_is_not_used(world):
    world.put('a', b'a')
    reply = wire.fetch(world.ours + '/a', headers={
        'X-Auth-Token': 'garbage', 'X-Storage-Token': 'garbage', 'Authorization': 'Bearer garbage'})
    expect.status(reply, 200)
    expect.equal(reply.body, b'a', 'body')


@case
def the_token_is_in_no_reply(world):
    echo = wire.fetch(world.ours + '/a')
    told = ''.join('%s: %s\n' % kv for kv in echo.fields).lower()
    for name in ('x-auth-token', 'x-storage-token', 'x-subject-token'):
        expect.that(name not in told, 'a reply has ' + name)
