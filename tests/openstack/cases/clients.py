"""Stock clients as their users run them, in small; `seen/clients` has all of them at full size."""
from clients import duplicity, openstackclient, rclone, restic, swiftclient, tools
from clients.place import Place
from support.cases import case


def run(world, login, play, **sizes):
    """What the client does, then where it connected and what its token is worth."""
    with Place(world.lab, login) as place:
        play(place, **sizes)
        place.verify()


@case
def openstack_prints_what_it_prints_at_the_real_endpoints(world):
    with Place(world.lab, 'v3') as place:
        openstackclient.compare(place, tools.python('openstack'), openstackclient.QUICK)
        place.verify()


@case
def swift_logs_in_by_v1_and_v3(world):
    for login in ('v1', 'v3'):
        run(world, login, swiftclient.play_briefly)


@case
def rclone_carries_a_tree(world):
    run(world, 'v1', rclone.play, files=40)


@case
def restic_backs_up_and_restores(world):
    run(world, 'v3', restic.play, files=20)


@case
def duplicity_backs_up_and_restores(world):
    run(world, 'v1', duplicity.play, files=10)
