from collections.abc import AsyncIterator

import pytest

from lab import topology
from lab.network import Network
from lab.server import Lab

BASE = "127.0.77.0"


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        """Return the Unix seconds it stands at."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def network(clock: Clock) -> Network:
    return Network(topology.demo(BASE), clock, topology.bulk(2, BASE))


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    demo = topology.demo(BASE)
    async with Lab(demo, snmp_port=0, bulk=topology.bulk(2, BASE), tick=0.05) as running:
        yield running


@pytest.fixture(params=[2, 300], ids=["a socket each", "one socket for all"])
async def crowd(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    empty = topology.Topology(())
    async with Lab(empty, snmp_port=0, bulk=topology.bulk(request.param, BASE)) as running:
        yield running
