"""The sockets to serve on: one for each address, or one more for each process that shares it."""

import os
import resource
import socket

from exporter.cli.flags import LAST_PORT, UsageError

BACKLOG = 1024


def lift_limit() -> None:
    """Let this process open as many descriptors as it may: each scrape takes several."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(address: str) -> socket.socket:
    """Return a socket that listens on `[HOST]:PORT`, or raise UsageError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "0.0.0.0"  # noqa: S104 - `:9116` means every address
    if not port.isdecimal() or not int(port) <= LAST_PORT:
        raise UsageError(f"--web.listen-address is not [HOST]:PORT: {address}")
    try:
        family, *_, where = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server adds its own words to the system's; those of a resolver have no number.
        number = error.errno or 0
        problem = os.strerror(number) if number > 0 else error.strerror
        raise UsageError(f"cannot listen on {address}: {problem}") from error


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
