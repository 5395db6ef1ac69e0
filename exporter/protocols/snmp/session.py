"""A session with one agent: objects got, and tables walked page by page.

One `await` per PDU, not per value, is what makes a walk cheap.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain
from typing import NamedTuple

from gufo.snmp._fast import GetIter, SnmpEncodeError

from exporter.config import Auth
from exporter.errors import Endless, NotIncreasing, Unreachable
from exporter.profiles.values import Value
from exporter.protocols.snmp.conversation import GROWTH, Conversation
from exporter.protocols.snmp.header import NO_SUCH_NAME, TOO_BIG, name_of
from exporter.protocols.snmp.limits import Limits, Traffic
from exporter.protocols.snmp.memory import Device, Key, Memory
from exporter.protocols.snmp.relay import Relay
from exporter.protocols.snmp.replay import Bindings, Replay, bindings
from exporter.protocols.snmp.security import Socket
from exporter.protocols.snmp.stream import End, Stream

MAX_VALUES = 1_000_000  # in one walk; the largest known tables stay well below
BATCH = 64  # pages that are kept before their values are looked at
ENDS = 4_000  # OIDs that pages ended with, which they mostly do again


class Session(Conversation):
    """One agent, asked with one auth; use `connection.session` to open and close it.

    `known` is where the walks of this agent are remembered, if they are.
    """

    def __init__(
        self,
        target: str,
        agent: Socket,
        auth: Auth,
        traffic: Traffic,
        known: tuple[Memory, Device] | None = None,
    ) -> None:
        super().__init__(target, agent, auth, traffic)
        self._known = known

    async def get(self, oids: Iterable[str], limits: Limits) -> dict[str, Value]:
        """Return the values of those objects that the agent has."""
        wanted = list(oids)
        # An SNMPv1 agent refuses the whole request for one object it does not have.
        size = 1 if self._auth.version == 1 else limits.max_repetitions
        answers: dict[str, Value] = {}
        for start in range(0, len(wanted), size):
            answers |= await self._get(wanted[start : start + size], limits)
        self.traffic.values += len(answers)
        return answers

    async def _get(self, oids: list[str], limits: Limits) -> dict[str, Value]:
        status, got = TOO_BIG, None
        with suppress(SnmpEncodeError):
            status, got = await self._exchange(
                oids[0],
                lambda: self._socket.send_get_many(oids),
                lambda: self._socket.recv_get_many(),  # noqa: PLW0108 - a relay may take its place
                limits,
            )
        if status and len(oids) > 1:
            # One object is at fault, or all are too much: what can be had is had in parts.
            half = len(oids) // 2
            return await self._get(oids[:half], limits) | await self._get(oids[half:], limits)
        if status:
            self._refused(status, f"at {oids[0]}")
            return {}
        return {oid: got[oid] for oid in oids if got and got.get(oid) is not None}

    async def walk(self, oid: str, limits: Limits, *, rows: bool = False) -> dict[str, Value]:
        """Return everything below an OID, in the agent's order, or what is at the OID itself.

        Where the agent says that a response would be too big, or none comes, it is asked for less.
        Nothing stands at the OID itself where `rows` says that it is a table or a column.
        """
        repetitions = 1 if self._auth.version == 1 else limits.max_repetitions
        left, attempts = limits.retries, 1 + min(limits.retries, 1)
        try:
            while True:
                answers: dict[str, Value] = {}
                last = repetitions == 1 or left < attempts
                patience = replace(limits, retries=left if last else attempts - 1)
                try:
                    status = await self._walk(oid, repetitions, answers, patience)
                except Unreachable:
                    if last:
                        raise
                    left, attempts = left - attempts, 1
                    self.traffic.retries += 1
                    limits = replace(limits, timeout=limits.timeout * GROWTH)
                else:
                    if status != TOO_BIG or repetitions == 1:
                        break
                repetitions //= 2
        finally:
            if self._auth.version != 1 and repetitions < limits.max_repetitions:
                self.traffic.repetitions = repetitions
        # A table refused from the start is one that the agent does not have.
        self._refused(status, f"after {list(answers)[-1]}" if answers else "")
        if not (answers or status or rows):
            # Nothing is below an instance; it is asked for itself.
            answers = await self._get([oid], limits)
        self.traffic.values += len(answers)
        return answers

    def _refused(self, status: int, where: str) -> None:
        """Note an error-status, and where it broke off what the agent has, if anything."""
        if status in {0, NO_SUCH_NAME}:
            return
        self.traffic.refusals += 1
        self.traffic.incomplete = True
        if where and not self.traffic.broken:
            self.traffic.broken = f"the agent answered {name_of(status)} {where}"

    async def _walk(
        self, oid: str, repetitions: int, answers: dict[str, Value], limits: Limits
    ) -> int:
        """Fill `answers` page by page; return the error-status that ended the walk, or 0."""
        pager = self._pager(oid, repetitions, limits)
        send, receive = pager.send, pager.receive
        paging = Paging(self.target, oid, answers, limits.allow_nonincreasing, pager.lowered)
        patience, again = limits, False
        streaming = self._served or self._introduced
        while streaming or not paging.take(
            await self._exchange(paging.last, send, receive, patience, again=again)
        ):
            streaming = False
            end = await self._streamed(send, receive, paging, limits)
            if end is End.COMPLETE:
                break
            patience, again = limits, True
            if end is End.SILENCE:
                # The stream has waited once for this page.
                if not limits.retries:
                    raise await self._silence(paging.last, "no answer", limits)
                self.traffic.retries += 1
                longer = limits.timeout * GROWTH
                patience = replace(limits, retries=limits.retries - 1, timeout=longer)
        paging.gather()
        return paging.status

    async def _streamed(
        self,
        send: Callable[[], None],
        receive: Callable[[], Bindings],
        paging: "Paging",
        limits: Limits,
    ) -> End:
        """Go on with a walk from the reader's callback while all goes well."""
        stream = Stream(send, partial(self._read, receive), paging.take, limits, self.traffic)
        self._listen(stream.arrived)
        try:
            return await stream.run()
        finally:
            self._listener = None

    def _pager(self, oid: str, repetitions: int, limits: Limits) -> "Pager":
        """Return how to ask for the next page of a walk, and how to read it."""
        # Here, too, the socket is looked up each time.
        if self._auth.version == 1:
            cursor = GetIter(oid)
            return Pager(
                lambda: self._socket.send_get_next(cursor),
                lambda: bindings([self._socket.recv_get_next(cursor)]),
            )
        known = limits.known_repetitions if repetitions == limits.max_repetitions else 0
        if replay := self._replay((oid, repetitions, known)):
            return Pager(replay.send, replay.receive, replay.lowered)
        cursor = GetIter(oid, repetitions)
        return Pager(
            lambda: self._socket.send_get_bulk(cursor),
            lambda: bindings(self._socket.recv_get_bulk(cursor)),
        )

    def _replay(self, key: Key) -> Replay | None:
        """Return what makes a walk again, None where walks are not remembered."""
        relay = self._socket
        if self._known is None or not isinstance(relay, Relay) or not relay.datagrams:
            return None
        memory, device = self._known
        walk = memory.walk(device, key)
        return Replay(memory, walk, relay, self.traffic, key) if walk else None


class Pager(NamedTuple):
    """How to ask for the next page of a walk, how to read it, and whether less is asked for now."""

    send: Callable[[], None]
    receive: Callable[[], Bindings]
    lowered: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Paging:
    """How far a walk has come: what it returned, and the last OID of it.

    `lowered` asks for less where the agent says that it was too much, and returns if that can be.
    """

    target: str
    root: str
    answers: dict[str, Value]
    allow_nonincreasing: bool
    lowered: Callable[[], bool]
    status: int = 0
    last: str = field(init=False)
    _pages: list[Iterable[tuple[str, Value]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = self.root

    def take(self, answer: tuple[int, Bindings | None]) -> bool:
        """Keep one more page; return whether it was the last."""
        self.status, page = answer
        if self.status or page is None:
            return self.status != TOO_BIG or not self.lowered()
        found, last, ends = page
        self._pages.append(found)
        if ends:
            return True
        self.last, previous = last, self.last
        rising = self.gather() if self.allow_nonincreasing else _arcs(previous) < _arcs(last)
        if not rising:
            raise NotIncreasing(self.target, f"OID {last} does not increase")
        if len(self._pages) == BATCH:
            self.gather()
        if len(self.answers) > MAX_VALUES:
            raise Endless(self.target, f"more than {MAX_VALUES} values below {self.root}")
        return False

    def gather(self) -> bool:
        """Put the pages kept into the answers, and return whether that made them more.

        All at once takes half of one by one.
        """
        before = len(self.answers)
        self.answers.update(chain.from_iterable(self._pages))
        self._pages.clear()
        return len(self.answers) > before


@lru_cache(ENDS)
def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))
