"""What is remembered of devices from scrape to scrape: whose turn it is, and how they fared.

The circuit of a device that stays silent opens: for a while it is not asked at all. The first
scrape after that asks it as patiently as ever and, if there is an answer, is served in full, so a
device that came back is hidden for no longer than one interval.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from exporter.config import Auth
from exporter.errors import Busy, LeftAlone, ProtocolError, Unreachable
from exporter.profiles.schema import Profile
from exporter.protocols import snmp
from exporter.protocols.snmp import Engines, Limits, Memory, Session, Target, Traffic
from exporter.settings import Settings
from exporter.telemetry import Telemetry

MOST = 50_000  # devices that are remembered; the least recently asked goes first
FORGIVEN = 3600.0  # seconds after which a device is trusted with large responses again

Circuit = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class Known:
    """What earlier looks found a device to be.

    `said` are its sysObjectID and sysDescr, by which the profile was found `among` those there are.
    """

    auth: str = ""
    profile: str = ""
    said: tuple[str, str] = ("", "")
    among: Mapping[str, Profile] | None = field(default=None, repr=False)


@dataclass(slots=True)
class DeviceState:
    """What is known of one device; times on the loop's clock."""

    turns: asyncio.Semaphore
    scrapes: int = 0
    failures: int = 0
    retry_at: float = 0.0
    trying: bool = False
    repetitions: int = 0
    repetitions_until: float = 0.0
    known: Known = field(default_factory=Known)

    def bounded(self, limits: Limits) -> Limits:
        """Return limits that ask for no more at once than the device is known to bear."""
        if not 0 < self.repetitions < limits.max_repetitions:
            return limits
        return replace(limits, max_repetitions=self.repetitions, known_repetitions=0)


@dataclass(slots=True)
class Devices:
    """Everything remembered, by address; bounded, so that no list of targets fills the memory."""

    settings: Settings
    telemetry: Telemetry
    most: int = MOST
    engines: Engines = field(default_factory=Engines)
    known: OrderedDict[str, DeviceState] = field(default_factory=OrderedDict)
    memory: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.settings.replay_memory)

    @asynccontextmanager
    async def turn(
        self, address: str, deadline: float, asker: str = ""
    ) -> AsyncIterator[DeviceState]:
        """Wait until the device may be asked; raise Busy or LeftAlone where it may not.

        Askers take turns, but each has a circuit of its own: silence towards one who has the wrong
        password says nothing about the device.
        """
        device = self._device(address)
        if asker:
            device = self._device(f"{address} {asker}", device.turns)
        device.scrapes += 1
        try:
            await self._wait(device, address, deadline)
            try:
                trying = self._begin(device, address)
                try:
                    yield device
                finally:
                    if trying:
                        self._tried(device)
            finally:
                device.turns.release()
        finally:
            device.scrapes -= 1
            if self.memory.budget:
                self.telemetry.replay_bytes.set(self.memory.used)

    def session(
        self,
        target: Target,
        auth: Auth,
        limits: Limits,
        traffic: Traffic,
        context_engine_id: bytes = b"",
    ) -> AbstractAsyncContextManager[Session]:
        """Return a session with an agent, which profits from what earlier ones learned of it."""
        return snmp.session(
            target,
            auth,
            limits,
            traffic,
            engines=self.engines,
            context_engine_id=context_engine_id,
            source_address=self.settings.source_address,
            memory=self.memory,
        )

    def answered(self, device: DeviceState) -> None:
        """Note that the device is there."""
        if self._opened(device):
            self.telemetry.circuits.labels("open").dec()
        device.failures = 0

    def heard(self, address: str) -> None:
        """Note that a device spoke by itself: the next scrape of it is not passed over."""
        if (device := self.known.get(address)) is not None:
            self.answered(device)

    def silent(self, device: DeviceState) -> None:
        """Note that nothing came back at all."""
        before = self._opened(device)
        device.failures += 1
        if self._opened(device):
            now = asyncio.get_running_loop().time()
            device.retry_at = now + self.settings.breaker_interval
            if not before:
                self.telemetry.circuits.labels("open").inc()

    def failed(self, device: DeviceState, error: ProtocolError, traffic: Traffic) -> None:
        """Note a scrape that got nothing: whether there is a device shows in what came back."""
        if traffic.replies:
            self.answered(device)
        elif traffic.packets or isinstance(error, Unreachable):
            self.silent(device)

    def learned(self, device: DeviceState, repetitions: int) -> None:
        """Remember how many values the device can send at once, where that is few."""
        if not repetitions:
            return
        if not device.repetitions:
            self.telemetry.reduced.inc()
        device.repetitions = repetitions
        device.repetitions_until = asyncio.get_running_loop().time() + FORGIVEN

    def state(self, device: DeviceState) -> Circuit:
        """Return whether the device may be asked: closed yes, open no, half-open to find out."""
        if not self._opened(device):
            return "closed"
        if device.trying or asyncio.get_running_loop().time() < device.retry_at:
            return "open"
        return "half_open"

    def _opened(self, device: DeviceState) -> bool:
        return 0 < self.settings.breaker_failures <= device.failures

    def _device(self, address: str, turns: asyncio.Semaphore | None = None) -> DeviceState:
        if (device := self.known.get(address)) is None:
            turns = turns or asyncio.Semaphore(self.settings.device_concurrency)
            device = DeviceState(turns)
            self.known[address] = device
            self._forget()
        else:
            self.known.move_to_end(address)
        if device.repetitions and asyncio.get_running_loop().time() > device.repetitions_until:
            device.repetitions = 0
            self.telemetry.reduced.dec()
        return device

    def _forget(self) -> None:
        for _ in range(len(self.known) - self.most):
            address, device = self.known.popitem(last=False)
            if device.scrapes:
                self.known[address] = device
                continue
            if self._opened(device):
                self.telemetry.circuits.labels("open").dec()
            if device.repetitions:
                self.telemetry.reduced.dec()

    async def _wait(self, device: DeviceState, address: str, deadline: float) -> None:
        if not device.turns.locked():
            await device.turns.acquire()
            return
        # What is left must do for the asking: a hurried scrape would take a device for a dead one.
        latest = (asyncio.get_running_loop().time() + deadline) / 2
        try:
            async with asyncio.timeout_at(latest):
                await device.turns.acquire()
        except TimeoutError:
            raise Busy(address, "other scrapes of it are still under way") from None

    def _begin(self, device: DeviceState, address: str) -> bool:
        """Return whether this scrape is the one that finds out if a device is back."""
        state = self.state(device)
        if state == "open":
            self.telemetry.left_alone.inc()
            detail = f"not asked: the last {device.failures} scrapes of it got no answer"
            raise LeftAlone(address, detail)
        if state == "half_open":
            device.trying = True
            self.telemetry.circuits.labels("half_open").inc()
        return state == "half_open"

    def _tried(self, device: DeviceState) -> None:
        device.trying = False
        self.telemetry.circuits.labels("half_open").dec()
