"""A session with one agent: gufo-snmp's sockets, driven one PDU at a time.

One `await` per PDU, not per value, is what makes a walk cheap. Lost datagrams are asked for
again after growing, jittered waits until the deadline; everything wrong is a `ProtocolError`.
"""

import asyncio
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from gufo.snmp._fast import (
    GetIter,
    SnmpAuthError,
    SnmpDecodeError,
    SnmpV1ClientSocket,
    SnmpV3ClientSocket,
)

from exporter.config import Auth
from exporter.errors import (
    Endless,
    NotIncreasing,
    OutOfTime,
    ProtocolError,
    Undecodable,
    Unreachable,
    WrongCredentials,
)
from exporter.profiles.values import Value
from exporter.protocols.snmp import security
from exporter.protocols.snmp.header import NO_SUCH_NAME, TOO_BIG, error_status
from exporter.protocols.snmp.target import Target

T = TypeVar("T")

MAX_VALUES = 1_000_000  # in one walk; the largest known tables stay well below
GROWTH = 1.5  # each wait for an answer is this much longer than the one before
PEEK = 512  # bytes; the status of a response stands at its beginning

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
    """What a session sent and got; `refusals` counts answers that were errors of the agent."""

    packets: int = 0
    retries: int = 0
    values: int = 0
    refusals: int = 0
    observe: Callable[[float], None] = field(default=_ignore, repr=False)


class Session:
    """One agent, asked with one auth; use `session` to open and close it."""

    def __init__(self, target: str, address: str, auth: Auth, traffic: Traffic) -> None:
        self.target = target
        self.traffic = traffic
        self._auth = auth
        self._loop = asyncio.get_running_loop()
        self._socket = security.open_socket(address, auth)
        self._fd = self._socket.get_fd()
        self._peek = socket.socket(fileno=os.dup(self._fd))
        self._peek.setblocking(False)
        self._waiter: asyncio.Future[bool] | None = None
        self._reading = False
        self._undecodable = ""

    def close(self) -> None:
        """Stop listening."""
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False
        self._peek.close()

    async def authenticate(self, limits: Limits) -> None:
        """Learn the engine's id, boots and time, and localise the keys (RFC 3414); v3 only."""
        agent = self._socket
        if not isinstance(agent, SnmpV3ClientSocket):
            return
        await self._exchange("engine id", agent.send_refresh, agent.recv_refresh, limits)
        user = security.user(self._auth)
        algorithms = user.get_auth_alg(), user.get_priv_alg()
        agent.set_keys(
            user.name, algorithms[0], user.get_auth_key(), algorithms[1], user.get_priv_key()
        )
        if user.require_auth():
            await self._exchange("engine time", agent.send_refresh, agent.recv_refresh, limits)

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
        """Return everything below an OID, in the agent's order."""
        repetitions = limits.max_repetitions
        while True:
            answers: dict[str, Value] = {}
            status = await self._walk(oid, repetitions, answers, limits)
            if status != TOO_BIG or repetitions == 1:
                break
            repetitions //= 2
        self.traffic.refusals += status not in {0, NO_SUCH_NAME}
        self.traffic.values += len(answers)
        return answers

    async def _walk(
        self, oid: str, repetitions: int, answers: dict[str, Value], limits: Limits
    ) -> int:
        """Fill `answers` page by page; return the error-status that ended the walk, or 0."""
        send, receive = self._pager(oid, repetitions)
        last, arcs = oid, _arcs(oid)
        while True:
            status, page = await self._exchange(last, send, receive, limits)
            if status or not page:
                return status
            more = page[-1] is not None
            bindings = [binding for binding in page if binding is not None]
            before = len(answers)
            answers.update(bindings)
            if not more:
                return 0
            last, previous = bindings[-1][0], arcs
            arcs = _arcs(last)
            stuck = len(answers) == before
            if stuck or (arcs <= previous and not limits.allow_nonincreasing):
                raise NotIncreasing(self.target, f"OID {last} does not increase")
            if len(answers) > MAX_VALUES:
                raise Endless(self.target, f"more than {MAX_VALUES} values below {oid}")

    def _pager(self, oid: str, repetitions: int) -> tuple[Callable[[], None], Callable[[], Page]]:
        """Return how to ask for the next page of a walk, and how to read it."""
        agent = self._socket
        if isinstance(agent, SnmpV1ClientSocket):
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
            self.traffic.packets += 1
            started = time.perf_counter()
            try:
                send()
                reply = await self._reply(receive, min(wait, left))
            except SnmpAuthError as error:
                raise WrongCredentials(self.target, "wrong user name or password") from error
            except ConnectionRefusedError:
                failure = "the port is closed"
                await asyncio.sleep(min(wait / 4, left))
            except OSError as error:
                failure = error.strerror or str(error)
                await asyncio.sleep(min(wait / 4, left))
            else:
                if reply is not None:
                    self.traffic.observe(time.perf_counter() - started)
                    return reply
            wait *= GROWTH * random.uniform(0.9, 1.1)  # noqa: S311 - spreads retries, hides nothing
        raise self._silence(oid, failure)

    def _silence(self, oid: str, failure: str) -> ProtocolError:
        if self._undecodable:
            return Undecodable(self.target, f"unreadable answer at {oid}: {self._undecodable}")
        return Unreachable(self.target, f"{failure} at {oid}")

    async def _reply(self, receive: Callable[[], T], seconds: float) -> tuple[int, T | None] | None:
        """Return the response, or None when there was none in time; strays are passed over."""
        until = self._loop.time() + seconds
        while await self._readable(until):
            status = self._status()
            try:
                return status, receive()
            except StopAsyncIteration:
                return status, None
            except BlockingIOError:
                continue
            except SnmpDecodeError as error:
                # Anyone can send a datagram; the real answer may still come.
                self._undecodable = str(error)
        return None

    def _status(self) -> int:
        if isinstance(self._socket, SnmpV3ClientSocket):
            return 0
        try:
            return error_status(self._peek.recv(PEEK, socket.MSG_PEEK))
        except BlockingIOError:
            return 0

    async def _readable(self, until: float) -> bool:
        """Wait for a datagram; return False when `until` passed first."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiter = waiter
        if not self._reading:
            self._loop.add_reader(self._fd, self._arrived)
            self._reading = True
        timer = self._loop.call_at(until, _settle, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _arrived(self) -> None:
        if self._waiter is not None:
            _settle(self._waiter, True)
        else:
            # Nobody waits: listen again with the next request, or the loop would spin.
            self._loop.remove_reader(self._fd)
            self._reading = False


def _settle(waiter: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001 - a callback
    if not waiter.done():
        waiter.set_result(value)


def _arcs(oid: str) -> list[int]:
    return [int(arc) for arc in oid.split(".")]


@asynccontextmanager
async def session(
    target: Target, auth: Auth, limits: Limits, traffic: Traffic | None = None
) -> AsyncIterator[Session]:
    """Open a session with an agent for the length of a block."""
    if problem := security.unsupported(auth):
        raise ProtocolError(str(target), problem)
    try:
        async with asyncio.timeout_at(limits.deadline):
            address = await target.resolve()
    except TimeoutError:
        raise OutOfTime(str(target), "the name was not resolved in time") from None
    opened = Session(str(target), address, auth, traffic or Traffic())
    try:
        await opened.authenticate(limits)
        yield opened
    finally:
        opened.close()
