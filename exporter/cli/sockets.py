"""The sockets to serve on: one for each address, or one more for each process that shares it."""

import os
import resource
import socket

from exporter.cli import flags
from exporter.cli.flags import UsageError

BACKLOG = 1024
BUFFER = 4 * 1024 * 1024  # octets of traps that wait, as far as the system lets us


def lift_limit() -> None:
    """Let this process open as many descriptors as it may: each scrape takes several."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(address: str) -> socket.socket:
    """Return a socket that listens on `[HOST]:PORT`, or raise UsageError."""
    host, port = flags.address("--web.listen-address", address)
    try:
        family, *_, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server adds its own words to the system's; those of a resolver have no number.
        number = error.errno or 0
        problem = os.strerror(number) if number > 0 else error.strerror
        raise UsageError(f"cannot listen on {address}: {problem}") from error


def receive(address: str) -> socket.socket:
    """Return a UDP socket that receives on `[HOST]:PORT`, or raise UsageError."""
    host, port = flags.address("--traps.listen-address", address)
    try:
        family, kind, *_, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, kind)
        try:
            made.setblocking(False)
            # A storm shall find room while we are at something else.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            made.bind(where)
        except BaseException:
            made.close()
            raise
    except OSError as error:
        raise UsageError(f"cannot receive on {address}: {error.strerror}") from error
    return made


def reserve(address: str) -> socket.socket:
    """Return a socket that keeps `[HOST]:PORT` for processes to share, or raise UsageError.

    It does not listen: nothing is queued where nobody serves.
    """
    # A listener of our own proves that the port is free: a shared one never says that it is taken.
    with listen(address) as proof:
        where, family = proof.getsockname()[:2], proof.family
    return share(family, *where)


def share(family: int, host: str, port: int) -> socket.socket:
    """Return one more socket on a reserved address, which listens once it is told to.

    The kernel spreads connections over those that listen, so processes get equal shares.
    """
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return made
