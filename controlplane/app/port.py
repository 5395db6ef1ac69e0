"""The port that several processes answer on: each listens for itself, and the kernel deals out.

Of a socket that processes share, one takes nearly all connections: whoever is awake takes whatever
is there, and keeps it. With sockets of their own (SO_REUSEPORT, socket(7)) connections are spread
by their addresses, whoever is awake; those of a process that ended go to the others.
"""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess

from controlplane.errors import ConfigurationError


class Sockets(list[socket.socket]):
    """What uvicorn hands to each process that it starts, where it becomes a socket of its own."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._address = host, port

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, int]]:
        """Give what makes the sockets of the process that unpickles this."""
        return bound, self._address


def bound(host: str, port: int, *, shared: bool = True) -> list[socket.socket]:
    """Give a socket on a port that others may have, too; its server listens once it is ready."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ConfigurationError(f"port {port} of {host}: {error.strerror}") from None
    return [sock]


def share(config: uvicorn.Config) -> None:
    """Run as many processes as the configuration says; ConfigurationError where another listens."""
    for sock in bound(config.host, config.port, shared=False):  # two services must not share one
        sock.close()
    with bound(config.host, config.port)[0]:  # so that nobody else takes it meanwhile
        Multiprocess(config, Sockets(config.host, config.port)).run()
