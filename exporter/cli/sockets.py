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


def listen(address: str, count: int = 1) -> list[socket.socket]:
    """Return `count` listening sockets on `[HOST]:PORT`, or raise UsageError.

    The kernel spreads connections over sockets of one port, so several processes get equal shares.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "0.0.0.0"  # noqa: S104 - `:9116` means every address
    if not port.isdecimal() or not int(port) <= LAST_PORT:
        raise UsageError(f"--web.listen-address is not [HOST]:PORT: {address}")
    try:
        family, *_, where = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        first = socket.create_server(where[:2], family=family, backlog=BACKLOG)
        if count == 1:
            return [first]
        # The first proved that the port is free: a shared one never says that it is taken.
        where = first.getsockname()
        first.close()
        return [
            socket.create_server(where[:2], family=family, backlog=BACKLOG, reuse_port=True)
            for _ in range(count)
        ]
    except OSError as error:
        # create_server adds its own words to the system's; those of a resolver have no number.
        number = error.errno or 0
        problem = os.strerror(number) if number > 0 else error.strerror
        raise UsageError(f"cannot listen on {address}: {problem}") from error
