"""The running lab: agents on their addresses, and a clock that moves the network on.

async with Lab(topology.demo("127.0.9.0"), snmp_port=0) as lab:
    lab.network.start("core1", "cpu-hot", {"percent": 95})
    ...ask lab.address("core1"), lab.port
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from lab import recording
from lab.agent import DEFAULT_DATAGRAM, Agent
from lab.ber import Oid, object_identifier, octets, sequence
from lab.device import CHASSIS_INDEX, identity
from lab.mibs.entity import ENT_PHYSICAL_ENTRY
from lab.mibs.lldp import LOCAL_SYSTEM
from lab.mibs.system import SYS_NAME
from lab.network import Network, UnderWay
from lab.recording import Recording
from lab.sockets import Sockets, Statistics
from lab.table import Source
from lab.topology import DeviceSpec, Topology
from lab.traps import Traps

DEFAULT_COMMUNITY = "public"
BULK_TICK = 10.0  # seconds
SERIAL: Oid = (*ENT_PHYSICAL_ENTRY, 11, CHASSIS_INDEX)
LLDP_SYS_NAME: Oid = (*LOCAL_SYSTEM, 3, 0)


class Lab:
    """A simulated network that answers on loopback while the context is open."""

    def __init__(
        self,
        topology: Topology,
        *,
        snmp_port: int = 1161,
        bulk: Iterable[DeviceSpec] = (),
        recordings: Iterable[Recording] = (),
        tick: float = 1.0,
        bulk_tick: float = BULK_TICK,
        community: str = DEFAULT_COMMUNITY,
        datagram: int = DEFAULT_DATAGRAM,
        clock: Callable[[], float] = time.time,
        traps: tuple[str, int] | None = None,
    ) -> None:
        self.bulk = tuple(bulk)
        self.network = Network(topology, clock, self.bulk)
        self.community = community
        self.statistics = Statistics()
        self._snmp_port, self._tick, self._bulk_tick = snmp_port, tick, bulk_tick
        self._datagram = datagram
        self._sources: dict[str, Source] = {}
        self._addresses = {spec.name: spec.address for spec in (*topology.devices, *self.bulk)}
        self._agents = {
            spec.name: self._agent(self._source(spec.name)) for spec in topology.devices
        }
        self._bulk_source: Source | None = None
        if shared := self.network.bulk:
            self._bulk_source = Source(lambda: shared.rows(self.network.now, ()))
            for spec in self.bulk:
                self._agents[spec.name] = self._bulk_agent(spec, self._bulk_source)
        for played in recordings:
            self._addresses[played.name] = played.address
            self._agents[played.name] = self._agent(_player(played))
        by_address = {self._addresses[name]: agent for name, agent in self._agents.items()}
        self._sockets = Sockets(by_address, self.statistics)
        self._traps = Traps(traps, community) if traps else None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._sockets.open(self._snmp_port)
        self._tasks.append(asyncio.create_task(self._every(self._tick, self.advance)))
        if self._bulk_source:
            self._tasks.append(
                asyncio.create_task(self._every(self._bulk_tick, self._bulk_source.expire))
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._sockets.close()
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def port(self) -> int:
        """The UDP port of every device."""
        return self._sockets.port

    @property
    def addresses(self) -> Mapping[str, str]:
        """The IPv4 address of every device by its name."""
        return self._addresses

    def address(self, device: str) -> str:
        """Return the IPv4 address of a device."""
        return self._addresses[device]

    def start(
        self, device: str, scenario: str, arguments: Mapping[str, Any] | None = None
    ) -> UnderWay:
        """Start a scenario; it shows from the next question on."""
        entry = self.network.start(device, scenario, arguments or {})
        self._follow(device)
        return entry

    def stop(self, device: str, scenario: str) -> None:
        """End a scenario; it shows from the next question on."""
        self.network.stop(device, scenario)
        self._show()

    def advance(self) -> None:
        """Move time on and let the next question see it."""
        self.network.advance()
        self._show()

    def _show(self) -> None:
        for name, source in self._sources.items():
            source.expire()
            self._agents[name].silent = not self.network.answers(name)
        if self._traps is not None:
            self._traps.follow(self.network, self._addresses)

    def _follow(self, device: str) -> None:
        """Give a bulk device that got a scenario a table of its own, then show what changed."""
        if device not in self._sources:
            self._agents[device].source = self._source(device)
            self._agents[device].own = dict
        self._show()

    def _source(self, name: str) -> Source:
        self._sources[name] = source = Source(lambda: self.network.rows(name))
        return source

    def _agent(self, source: Source) -> Agent:
        return Agent(source, self.community.encode(), datagram=self._datagram)

    def _bulk_agent(self, spec: DeviceSpec, source: Source) -> Agent:
        agent = self._agent(source)
        agent.own = lambda: _own(spec)
        return agent

    async def _every(self, seconds: float, action: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            action()


def _player(played: Recording) -> Source:
    """Return the source of a recording, whose values never change."""
    rows = recording.read(played.path)
    return Source(lambda: rows)


def _own(spec: DeviceSpec) -> Mapping[Oid, bytes]:
    """Return the bindings in which a bulk device differs from its siblings."""
    who = identity(spec)
    values = {SYS_NAME: who.name, LLDP_SYS_NAME: who.name, SERIAL: who.serial}
    return {
        name: sequence((object_identifier(name), octets(text))) for name, text in values.items()
    }
