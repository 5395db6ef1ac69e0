"""How one scrape asks an agent: sessions side by side where wished, no subtree asked for twice."""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from exporter import patterns
from exporter.errors import ProtocolError
from exporter.probe.devices import Devices, DeviceState
from exporter.profiles import values
from exporter.profiles.schema import Filter, Module
from exporter.profiles.table import Table
from exporter.protocols.snmp import Limits, Session, Traffic

T = TypeVar("T")

Answers = dict[str, values.Value]
"""What an agent returned, by dotted OID, in the order of its answers."""

Opening = Callable[[Traffic], AbstractAsyncContextManager[Session]]


async def side_by_side(width: int, work: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Return the results in order, at most `width` at a time; the first failure ends all."""
    if width == 1 or len(work) == 1:
        return [await one() for one in work]
    gate = asyncio.Semaphore(width)

    async def run(one: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await one()

    # No TaskGroup: its frame and its exception hold each other, and with them our sockets.
    tasks = [asyncio.create_task(run(one)) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await _ended(tasks)
    failures = [task.exception() for task in tasks if not task.cancelled()]
    first = next(filter(None, failures), None)
    try:
        if first is not None:
            raise first
        return [task.result() for task in tasks]
    finally:
        del first, failures, tasks


async def _ended(tasks: Collection[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


@dataclass(slots=True)
class Sessions:
    """Sessions with one agent, opened as they are needed, at most `size`."""

    opening: Opening
    stack: AsyncExitStack
    size: int = 1
    idle: list[Session] = field(default_factory=list)
    free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.free = asyncio.Semaphore(self.size)

    @asynccontextmanager
    async def one(self, traffic: Traffic) -> AsyncIterator[Session]:
        """Lend a session for the length of a block; what it sends is counted in `traffic`."""
        async with self.free:
            session = self.idle.pop() if self.idle else await self._open(traffic)
            session.traffic = traffic
            try:
                yield session
            finally:
                self.idle.append(session)

    async def _open(self, traffic: Traffic) -> Session:
        return await self.stack.enter_async_context(self.opening(traffic))


@dataclass(slots=True)
class Walks:
    """The walks of one scrape; `roots` are subtrees that will be asked for in any case.

    `alive` says that the device has answered, so that silence is the fault of the question.
    """

    sessions: Sessions
    device: DeviceState
    devices: Devices
    width: int = 1
    alive: bool = False
    roots: list[tuple[int, ...]] = field(default_factory=list)
    done: dict[str, Answers] = field(default_factory=dict)
    asked: dict[str, Traffic] = field(default_factory=dict)
    failed: dict[str, ProtocolError] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def collect(self, table: Table, limits: Limits, traffic: Traffic) -> Answers:
        """Return everything a module asks for; `traffic.values` is how much that was."""
        module = table.module
        walks, gets, amount = list(module.walk), list(module.get), 0
        for rule in module.filters:
            column = await self.walk(rule.oid, limits, traffic)
            kept = [oid.removeprefix(rule.oid) for oid, v in column.items() if _kept(rule, v)]
            walks = [oid for oid in walks if oid not in rule.targets]
            below = tuple(f"{target}." for target in rule.targets)
            gets = [oid for oid in gets if not oid.startswith(below)]
            gets += [target + index for target in rule.targets for index in kept]
        answers: Answers = {}
        if gets:
            async with self.sessions.one(traffic) as session:
                answers = await session.get(gets, self.device.bounded(limits))
            amount += len(answers)
        work = [self._walking(oid, limits, traffic, oid in table.tables) for oid in walks]
        for found in await side_by_side(self.width, work):
            # Others have what was walked, too: nothing is added to it.
            answers = {**answers, **found} if answers else found
            amount += len(found)
        traffic.values = amount
        return answers

    def _walking(
        self,
        oid: str,
        limits: Limits,
        traffic: Traffic,
        rows: bool,  # noqa: FBT001
    ) -> Callable[[], Awaitable[Answers]]:
        return lambda: self.walk(oid, limits, traffic, rows=rows)

    async def walk(
        self, oid: str, limits: Limits, traffic: Traffic, *, rows: bool = False
    ) -> Answers:
        """Return everything below an OID, asking only for what this scrape has not seen.

        With `rows` it is known to be a table or a column, so that nothing stands at it itself.
        """
        root = self._root(oid)
        async with self.locks[root]:
            if root in self.failed:
                raise self.failed[root].alone()
            if root not in self.done:
                self.done[root] = await self._asked(root, limits, traffic, rows=rows)
        traffic.note(self.asked[root])
        if root == oid:
            return self.done[root]
        # What begins with `1.2.` stands from there up to `1.2/`; comparing costs half of asking.
        first, beyond, found = f"{oid}.", f"{oid}/", self.done[root]
        # Names of interfaces are wanted by one module after the other: they are sought out once.
        self.asked[oid] = self.asked[root]
        part = {key: value for key, value in found.items() if first <= key < beyond}
        self.done[oid] = {oid: found[oid]} if oid in found else part
        return self.done[oid]

    async def _asked(self, root: str, limits: Limits, traffic: Traffic, *, rows: bool) -> Answers:
        own = self.asked[root] = Traffic()
        try:
            async with self.sessions.one(own) as session:
                found = await session.walk(root, self.device.bounded(limits), rows=rows)
        except ProtocolError as error:
            self.failed[root] = error.alone()
            raise
        else:
            self.alive = True
            return found
        finally:
            traffic.add(own)
            if self.alive:
                self.devices.learned(self.device, own.repetitions)

    def _root(self, oid: str) -> str:
        """Return the subtree that holds `oid`: one that is walked anyway, or its own."""
        at = oid
        while at:
            if at in self.done:
                return at
            at = at.rpartition(".")[0]
        arcs = _arcs(oid)
        position = bisect_right(self.roots, arcs) - 1
        if position >= 0 and arcs[: len(self.roots[position])] == self.roots[position]:
            return ".".join(map(str, self.roots[position]))
        return oid


def roots(modules: Iterable[Module]) -> list[tuple[int, ...]]:
    """Return the fewest subtrees that hold all that modules walk, in order."""
    wanted: set[tuple[int, ...]] = set()
    for module in modules:
        filtered = {oid for rule in module.filters for oid in rule.targets}
        wanted |= {_arcs(oid) for oid in module.walk if oid not in filtered}
        wanted |= {_arcs(rule.oid) for rule in module.filters}
    fewest: list[tuple[int, ...]] = []
    for arcs in sorted(wanted):
        if not fewest or arcs[: len(fewest[-1])] != fewest[-1]:
            fewest.append(arcs)
    return fewest


def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(int(arc) for arc in oid.split("."))


def _kept(rule: Filter, value: values.Value) -> bool:
    shown = values.text(value, "DisplayString")
    # As snmp_exporter does: a pattern that wants the whole text says so.
    return any(patterns.search(pattern, shown) for pattern in rule.values)
