"""A port that several processes answer on."""

import pickle
import select
import socket
from contextlib import ExitStack

import pytest
import uvicorn

from controlplane.app import port
from controlplane.errors import ConfigurationError

CLIENTS = 40


def test_each_process_is_given_connections() -> None:
    """What uvicorn hands to a process is a socket of its own, which gets a part of the clients."""
    with ExitStack() as stack:
        first = stack.enter_context(port.bound("127.0.0.1", 0)[0])
        sockets = port.Sockets(*first.getsockname())
        (second,) = (stack.enter_context(s) for s in pickle.loads(pickle.dumps(sockets)))  # noqa: S301 - our own
        for listener in (first, second):
            listener.listen(CLIENTS)
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(first.getsockname()))
        given = [_accepted(listener, stack) for listener in (first, second)]
        assert sum(given) == CLIENTS
        assert min(given) > 0


def _accepted(listener: socket.socket, stack: ExitStack) -> int:
    count = 0
    while select.select([listener], [], [], 0)[0]:
        stack.enter_context(listener.accept()[0])
        count += 1
    return count


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_that_another_service_has(*, shared: bool) -> None:
    """Two services never share a port because both were told the same one."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=shared) as other:
        host, number = other.getsockname()
        config = uvicorn.Config("nowhere:nothing", workers=2, host=host, port=number)
        with pytest.raises(ConfigurationError, match=f"port {number} of {host}: Address already"):
            port.share(config)
