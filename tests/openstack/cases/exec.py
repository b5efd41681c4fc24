"""`gatestone exec` and `gatestone env`: stock clients at a proxy of their own, without the credentials."""
import os
import pty
import signal
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import expect, gatestone, leaks, prying
from support.cases import case

CLOUD = 'lab-demo'  # of the lab's clouds.yaml

CLOUDS = '''
import openstack, openstack.config, sys
config = openstack.config.OpenStackConfig()
print(config.config_filename)
print(' '.join(sorted(config.get_cloud_names())))
for name in (None, 'gatestone', sys.argv[1]):
    print(openstack.connect(cloud=name).auth_token.split('-')[0])
'''

COUNT = '''
import os, signal, sys, time
if sys.argv[1:] == ['apart']:
    os.setpgid(0, 0)
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
print('ready', flush=True)
end = time.monotonic() + (2 if sys.argv[1:] else 20)
while not got and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(0.5)
print('interrupted %d' % len(got), flush=True)
sys.exit(5)
'''


def client(world, name):
    """A stock client of the lab."""
    return str(Path(world.lab.python).with_name(name))


def execute(world, *command, options=(), variables=None, **others):
    """Run a command below `gatestone exec` with the login of the lab's user demo."""
    variables = world.lab.environment('demo') if variables is None else variables
    return gatestone.once(variables, 'exec', *options, '--', *command, timeout=120, **others)


@case
def openstack_and_swift_work_below_it(world):
    done = execute(world, client(world, 'openstack'), 'token', 'issue', '-f', 'value', '-c', 'id', '-c', 'project_id')
    expect.equal((done.returncode, done.stderr), (0, ''), 'the end of openstack')
    token, project = sorted(done.stdout.split(), key=lambda word: word == world.lab.project)
    expect.equal(project, world.lab.project, 'the project')
    expect.that(token.startswith('gatestone-local-'), 'the token is not one of the proxy\'s own')
    done = execute(world, client(world, 'swift'), 'stat')
    expect.equal((done.returncode, done.stderr), (0, ''), 'the end of swift')
    expect.holds(done.stdout, 'AUTH_' + world.lab.project, 'swift stat')


@case
def clouds_yaml_is_the_proxys_whatever_else_there_is(world):
    with tempfile.TemporaryDirectory() as folder:
        real = Path(world.lab.clouds).read_text()
        for place in ('clouds.yaml', '.config/openstack/clouds.yaml', '.config/openstack/secure.yaml'):
            path = Path(folder, place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(real)
        environment = dict(gatestone.environment({}), HOME=folder)
        done = subprocess.run(
            [gatestone.binary(), 'exec', '--cloud', CLOUD, '--', world.lab.python, '-c', CLOUDS, CLOUD],
            env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    expect.equal(done.returncode, 0, 'exit status (%s)' % done.stderr[-600:])
    file, names, *tokens = done.stdout.splitlines()
    expect.holds(file, 'gatestone-exec-', 'the file that openstacksdk reads')
    expect.equal(names, ' '.join(sorted(['envvars', 'gatestone', CLOUD])), 'the clouds there are')
    expect.equal(tokens, ['gatestone'] * 3, 'kinds of tokens')


@case
def a_command_cannot_find_the_password(world):
    variables = world.lab.environment('demo')
    secret = {'the password': variables['OS_PASSWORD']}
    read, closed = prying.pry(variables, ['gatestone', 'exec', '--', *prying.command()])
    expect.equal(leaks.search(secret, read), [], 'places with the password')
    for place in ('parent environ', 'parent fd', 'parent mem'):
        expect.that(place in closed, '%s can be read' % place)
    for place in ('own environ', 'own cmdline', 'parent cmdline', 'OS_CLIENT_CONFIG_FILE'):
        expect.that(place in read, '%s was not searched' % place)


@case
def the_search_finds_the_password_where_it_is(world):
    variables = world.lab.environment('demo')
    secret = {'the password': variables['OS_PASSWORD']}
    read, _ = prying.pry(variables, ['sh', '-c', '"$@"; exit $?', 'sh', *prying.command()])
    found = ' '.join(leaks.search(secret, read))
    for place in ('own environ', 'parent environ', 'parent mem'):
        expect.holds(found, place, 'places with the password')


@case
def ten_run_side_by_side(world):
    with ThreadPoolExecutor(10) as pool:
        runs = [pool.submit(execute, world, 'sh', '-c', 'curl -sS "$GATESTONE_URL/object-store" && echo $GATESTONE_URL')
                for _ in range(10)]
    ends = [run.result() for run in runs]
    for done in ends:
        expect.equal((done.returncode, done.stderr), (0, ''), 'the end of one')
    expect.equal(len({done.stdout.splitlines()[-1] for done in ends}), 10, 'number of ports')


def press_ctrl_c(world, *arguments):
    """What the command says when the keys are pressed at the terminal it runs in, and the exit status."""
    environment = gatestone.environment(world.lab.environment('demo'))
    arguments = [gatestone.binary(), 'exec', '--', world.lab.python, '-c', COUNT, *arguments]
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(environment['HOME'])
            os.execve(arguments[0], arguments, environment)
        finally:
            os._exit(127)
    said = b''
    try:
        while b'interrupted' not in said:
            part = os.read(terminal, 4096)
            said += part
            if part.startswith(b'ready'):
                os.write(terminal, b'\x03')
    except OSError:  # the terminal is gone with the command
        pass
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return said.decode(), os.waitstatus_to_exitcode(status)


@case
def ctrl_c_reaches_the_command_once(world):
    said, status = press_ctrl_c(world)
    expect.holds(said, 'interrupted 1', 'the command')
    expect.equal(status, 5, 'exit status')
    # one that has left the terminal's group gets it from us
    said, status = press_ctrl_c(world, 'apart')
    expect.holds(said, 'interrupted 1', 'the command')
    expect.equal(status, 5, 'exit status')


@case
def an_interrupt_from_elsewhere_is_passed_on(world):
    # in a session without a terminal
    process = subprocess.Popen([gatestone.binary(), 'exec', '--', world.lab.python, '-c', COUNT],
                               env=gatestone.environment(world.lab.environment('demo')), cwd=gatestone.nowhere(),
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
    expect.equal(process.stdout.readline(), 'ready\n', 'the first line')
    process.send_signal(signal.SIGINT)
    expect.equal(process.communicate(timeout=30)[0], 'interrupted 1\n', 'the rest')
    expect.equal(process.returncode, 5, 'exit status')


@case
def env_works_in_a_shell_that_has_a_login(world):
    variables = dict(world.lab.environment('alt'), OS_TOKEN='stale', OS_CLOUD='nowhere', GATESTONE=gatestone.binary(),
                     OS_PROJECT_ID=world.lab.facts['projects']['alt'], AT='127.0.0.1:%d' % world.proxy.port)
    for tool, command in (('openstack', [client(world, 'openstack'), 'token', 'issue', '-f', 'value']),
                          ('terraform', [client(world, 'swift'), 'stat']),
                          ('curl', ['sh', '-c', 'curl -sS "$GATESTONE_URL/-/status"'])):
        done = subprocess.run(
            ['sh', '-c', 'eval "$("$GATESTONE" env --listen "$AT" --for "$0")" && "$@"', tool, *command],
            env=gatestone.environment(variables), cwd=gatestone.nowhere(), capture_output=True, text=True,
            timeout=60, check=False)
        expect.equal((done.returncode, done.stderr), (0, ''), 'the end of %s' % command[0])
        expect.holds(done.stdout, world.lab.project, 'the project')
        expect.that(variables['OS_PASSWORD'] not in done.stdout, 'a password is shown')
