"""Which ports a process and its children connect to, as the kernel was asked to (strace)."""
import collections
import re

from clients import tools

CONNECT = re.compile(r'connect\(\d+, \{sa_family=AF_INET6?, sin6?_port=htons\((\d+)\)'
                     r'.*?inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"')


def traced(command, file):
    """The command that runs another and writes each connect() of it to a file."""
    return [tools.debian('strace'), '-f', '-qq', '--seccomp-bpf', '-e', 'trace=connect', '-o', file,
            '--', *command]


def connections(text):
    """How many connections there were to each (address, port); Unix sockets are none."""
    return collections.Counter((address, int(port)) for port, address in CONNECT.findall(text))
