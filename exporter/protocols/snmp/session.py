"""A session with one agent: a socket, driven one PDU at a time.

One `await` per PDU, not per value, is what makes a walk cheap. Lost datagrams are asked for
again after growing, jittered waits until the deadline; everything wrong is a `ProtocolError`.
"""

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gufo.snmp._fast import GetIter, SnmpAuthError, SnmpEncodeError, SnmpError

from exporter.config import Auth
from exporter.errors import (
    Endless,
    NotIncreasing,
    OutOfTime,
    ProtocolError,
    Undecodable,
    Unreachable,
)
from exporter.profiles.values import Value
from exporter.protocols.snmp import security
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.header import NO_SUCH_NAME, TOO_BIG, Oversize, error_status
from exporter.protocols.snmp.relay import Refused, Relay
from exporter.protocols.snmp.security import Socket
from exporter.protocols.snmp.stream import End, Stream
from exporter.protocols.snmp.usm import STALE

T = TypeVar("T")

MAX_VALUES = 1_000_000  # in one walk; the largest known tables stay well below
GROWTH = 1.5  # each wait for an answer is this much longer than the one before
MAX_OCTETS = 1 << 25  # of all answers in a session; decoded they take some six times as much
LARGEST = 65_535  # octets of a datagram
PANIC = "pyo3_runtime"  # whose PanicException is no Exception; gufo-snmp panics at some garbage
AUTHORIZATION_ERROR = 16  # error-status, RFC 3416 section 3
RESYNCHRONISATIONS = 3  # of a v3 engine's id and clock in one request; a sane one needs two

Page = list[tuple[str, Value] | None]
"""What one response brought; None is the end of the subtree."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient and how greedy to be; times in seconds, `deadline` on the loop's clock."""

    deadline: float
    timeout: float = 5.0
    retries: int = 3
    max_repetitions: int = 25
    allow_nonincreasing: bool = False


def _ignore(_seconds: float) -> None:
    """Observe nothing."""


@dataclass(slots=True)
class Traffic:
    """What a session sent and got; `refusals` counts answers that were errors of the agent.

    `repetitions` is how many values the agent can send at once, where that is less than it was
    asked for; 0 is no limit.
    """

    packets: int = 0
    retries: int = 0
    replies: int = 0
    values: int = 0
    refusals: int = 0
    repetitions: int = 0
    observe: Callable[[float], None] = field(default=_ignore, repr=False)


class Session:
    """One agent, asked with one auth; use `connection.session` to open and close it."""

    def __init__(self, target: str, agent: Socket, auth: Auth, traffic: Traffic) -> None:
        self.target = target
        self.traffic = traffic
        self._auth = auth
        self._loop = asyncio.get_running_loop()
        self._socket = agent
        self._fd = agent.get_fd()
        self._peek = socket.socket(fileno=os.dup(self._fd))
        self._peek.setblocking(False)
        self._listener: Callable[[], None] | None = None
        self._reading = False
        self._undecodable = ""
        self._octets = 0
        self._heard = self._served = False

    def close(self) -> None:
        """Stop listening."""
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False
        self._peek.close()
        if isinstance(self._socket, Relay):
            self._socket.close()

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
        agent = self._socket
        status, got = TOO_BIG, None
        with suppress(SnmpEncodeError):
            status, got = await self._exchange(
                oids[0], lambda: agent.send_get_many(oids), agent.recv_get_many, limits
            )
        if status == TOO_BIG and len(oids) > 1:
            half = len(oids) // 2
            return await self._get(oids[:half], limits) | await self._get(oids[half:], limits)
        if status:
            self.traffic.refusals += status != NO_SUCH_NAME
            return {}
        return {oid: got[oid] for oid in oids if got and got.get(oid) is not None}

    async def walk(self, oid: str, limits: Limits) -> dict[str, Value]:
        """Return everything below an OID, in the agent's order.

        Where the agent says that a response would be too big, or none comes, it is asked for less.
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
        self.traffic.refusals += status not in {0, NO_SUCH_NAME}
        self.traffic.values += len(answers)
        return answers

    async def _walk(
        self, oid: str, repetitions: int, answers: dict[str, Value], limits: Limits
    ) -> int:
        """Fill `answers` page by page; return the error-status that ended the walk, or 0."""
        send, receive = self._pager(oid, repetitions)
        paging = Paging(self.target, oid, answers, limits.allow_nonincreasing)
        patience = limits
        while not paging.take(await self._exchange(paging.last, send, receive, patience)):
            end = await self._streamed(send, receive, paging, limits)
            if end is End.COMPLETE:
                break
            patience = limits
            if end is End.SILENCE:
                # The stream has waited once for this page.
                if not limits.retries:
                    raise await self._silence(paging.last, "no answer", limits)
                self.traffic.retries += 1
                patience = replace(limits, retries=limits.retries - 1)
        return paging.status

    async def _streamed(
        self,
        send: Callable[[], None],
        receive: Callable[[], Page],
        paging: "Paging",
        limits: Limits,
    ) -> End:
        """Go on with a walk from the reader's callback while all goes well."""
        sent = 0.0

        def ask() -> None:
            nonlocal sent
            sent = time.perf_counter()
            self.traffic.packets += 1
            send()

        def take(answer: tuple[int, Page | None]) -> bool:
            self.traffic.replies += 1
            self.traffic.observe(time.perf_counter() - sent)
            return paging.take(answer)

        def patience() -> float:
            return max(min(limits.timeout, limits.deadline - self._loop.time()), 0)

        stream = Stream(ask, lambda: self._read(receive), take, patience)
        self._listen(stream.arrived)
        try:
            return await stream.run()
        finally:
            self._listener = None

    def _pager(self, oid: str, repetitions: int) -> tuple[Callable[[], None], Callable[[], Page]]:
        """Return how to ask for the next page of a walk, and how to read it."""
        agent = self._socket
        if self._auth.version == 1:
            single = GetIter(oid)
            return lambda: agent.send_get_next(single), lambda: [agent.recv_get_next(single)]
        cursor = GetIter(oid, repetitions)
        return lambda: agent.send_get_bulk(cursor), lambda: agent.recv_get_bulk(cursor)

    async def _exchange(
        self, oid: str, send: Callable[[], None], receive: Callable[[], T], limits: Limits
    ) -> tuple[int, T | None]:
        """Return the error-status and content of the response; None is the end of the MIB view."""
        wait, failure = limits.timeout, "no answer"
        for attempt in range(limits.retries + 1):
            left = limits.deadline - self._loop.time()
            if left <= 0:
                raise OutOfTime(self.target, f"{failure} at {oid} before the scrape's deadline")
            if attempt:
                self.traffic.retries += 1
            started = time.perf_counter()
            try:
                reply = await self._asked(send, receive, min(wait, left))
            except ConnectionRefusedError:
                failure = "the port is closed"
                await asyncio.sleep(min(wait / 4, left))
            except OSError as error:
                failure = error.strerror or str(error)
                await asyncio.sleep(min(wait / 4, left))
            else:
                if reply is not None:
                    self._granted(reply[0])
                    self.traffic.replies += 1
                    self.traffic.observe(time.perf_counter() - started)
                    return reply
            wait *= GROWTH * random.uniform(0.9, 1.1)  # noqa: S311 - spreads retries, hides nothing
        raise await self._silence(oid, failure, limits)

    async def _asked(
        self, send: Callable[[], None], receive: Callable[[], T], seconds: float
    ) -> tuple[int, T | None] | None:
        """Send once, and again where the agent reports that it was restarted or is new to us."""
        for _ in range(RESYNCHRONISATIONS + 1):
            self.traffic.packets += 1
            send()
            try:
                return await self._reply(receive, seconds)
            except Refused as refused:
                self._heard = True
                if refused.report.counter not in STALE:
                    raise security.refusal(self.target, self._auth, refused.report) from None
        raise Undecodable(self.target, "the agent's engine id or clock changes with every answer")

    def _granted(self, status: int) -> None:
        """Raise WrongCredentials where the first thing an agent says is that we may see nothing."""
        if status == AUTHORIZATION_ERROR and not self._served:
            raise security.denied(self.target, self._auth)
        self._served = True

    async def _silence(self, oid: str, failure: str, limits: Limits) -> ProtocolError:
        if self._undecodable:
            return Undecodable(self.target, f"unreadable answer at {oid}: {self._undecodable}")
        if isinstance(self._socket, Relay) and self._socket.envelope and not self._served:
            if not self._heard:
                # Another device may have the address now: ask anew who it is.
                self._socket.envelope.engine.id = b""
            elif found := await self._diagnosed(self._socket, limits):
                return found
        return Unreachable(self.target, f"{failure} at {oid}")

    async def _diagnosed(self, agent: Relay, limits: Limits) -> ProtocolError | None:
        """Return why an agent that told its engine id passes over our requests, if that shows.

        net-snmp does so where it cannot decrypt them, and where it does not have the context.
        """
        envelope = agent.envelope
        try:
            for auth, problem in security.variants(self.target, self._auth):
                agent.speak(auth)
                if await self._answers(agent, limits):
                    return problem
        finally:
            agent.envelope = envelope
        return None

    async def _answers(self, agent: Relay, limits: Limits) -> bool:
        """Return whether the agent says anything to a GET of nothing."""
        self.traffic.packets += 1
        left = limits.deadline - self._loop.time()
        try:
            agent.send_get_many([])
            return await self._reply(lambda: None, min(limits.timeout, left)) is not None
        except Refused:
            return True
        except OSError:
            return False

    async def _reply(self, receive: Callable[[], T], seconds: float) -> tuple[int, T | None] | None:
        """Return the response, or None when there was none in time; strays are passed over."""
        until = self._loop.time() + seconds
        while await self._readable(until):
            if (reply := self._read(receive)) is not None:
                return reply
        return None

    def _read(self, receive: Callable[[], T]) -> tuple[int, T | None] | None:
        """Return what has arrived; None where it is no answer to us.

        Anyone can send a datagram; after one that cannot be read the real answer may still come.
        """
        status = 0
        try:
            status = self._status()
            return status, receive()
        except (StopAsyncIteration, SnmpAuthError):
            # The latter is how gufo-snmp calls the error-status authorizationError.
            return status, None
        except Oversize:
            return TOO_BIG, None
        except BlockingIOError:
            return None
        except (SnmpError, Malformed, RuntimeError) as error:
            self._undecodable = str(error)
        except BaseException as error:
            if type(error).__module__ != PANIC:
                raise
            self._undecodable = "it makes no sense"
        return None

    def _status(self) -> int:
        """Return the error-status of what has arrived."""
        if isinstance(self._socket, Relay):
            status = self._socket.take()
            self._count(self._socket.octets - self._octets)
            return status
        packet = self._peek.recv(LARGEST, socket.MSG_PEEK)
        self._count(len(packet))
        try:
            return error_status(packet)
        except (Malformed, Oversize):
            self._peek.recv(1)
            raise

    def _count(self, octets: int) -> None:
        """Raise Endless where the answers together would fill the memory."""
        self._octets += octets
        if self._octets > MAX_OCTETS:
            raise Endless(self.target, f"more than {MAX_OCTETS >> 20} MiB of answers")

    async def _readable(self, until: float) -> bool:
        """Wait for a datagram; return False when `until` passed first."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._listen(lambda: _settle(waiter, True))
        timer = self._loop.call_at(until, _settle, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._listener = None

    def _listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever there is something to read."""
        self._listener = listener
        if not self._reading:
            self._loop.add_reader(self._fd, self._arrived)
            self._reading = True

    def _arrived(self) -> None:
        if self._listener is not None:
            self._listener()
        else:
            # Nobody waits: listen again with the next request, or the loop would spin.
            self._loop.remove_reader(self._fd)
            self._reading = False


@dataclass(slots=True)
class Paging:
    """How far a walk has come: what it returned, and the last OID of it."""

    target: str
    root: str
    answers: dict[str, Value]
    allow_nonincreasing: bool
    status: int = 0
    last: str = field(init=False)
    _arcs: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.last, self._arcs = self.root, _arcs(self.root)

    def take(self, answer: tuple[int, Page | None]) -> bool:
        """Keep one more page; return whether it was the last."""
        self.status, page = answer
        if self.status or not page:
            return True
        bindings = [binding for binding in page if binding is not None]
        before = len(self.answers)
        self.answers.update(bindings)
        if page[-1] is None:
            return True
        self.last, previous = bindings[-1][0], self._arcs
        self._arcs = _arcs(self.last)
        stuck = len(self.answers) == before
        if stuck or (self._arcs <= previous and not self.allow_nonincreasing):
            raise NotIncreasing(self.target, f"OID {self.last} does not increase")
        if len(self.answers) > MAX_VALUES:
            raise Endless(self.target, f"more than {MAX_VALUES} values below {self.root}")
        return False


def _settle(waiter: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001 - a callback
    if not waiter.done():
        waiter.set_result(value)


def _arcs(oid: str) -> list[int]:
    return [int(arc) for arc in oid.split(".")]
