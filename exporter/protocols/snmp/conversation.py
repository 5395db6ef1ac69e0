"""Requests and their responses: sent, waited for, sent again, and told from everything else.

Lost datagrams are asked for again after growing, jittered waits until the deadline; everything
wrong is a `ProtocolError`.
"""

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from gufo.snmp._fast import SnmpAuthError, SnmpError

from exporter.config import Auth
from exporter.errors import Endless, OutOfTime, ProtocolError, Undecodable, Unreachable
from exporter.protocols.snmp import header, pdus, security
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.header import TOO_BIG, Oversize, Unexpected, error_status, usual_status
from exporter.protocols.snmp.limits import Limits, Traffic
from exporter.protocols.snmp.relay import Refused, Relay
from exporter.protocols.snmp.security import Socket
from exporter.protocols.snmp.usm import STALE

T = TypeVar("T")

GROWTH = 1.5  # each wait for an answer is this much longer than the one before
MAX_OCTETS = 1 << 25  # of all answers in a session; decoded they take some six times as much
LARGEST = 65_535  # octets of a datagram
PANIC = "pyo3_runtime"  # whose PanicException is no Exception; gufo-snmp panics at some garbage
AUTHORIZATION_ERROR = 16  # error-status, RFC 3416 section 3
RESYNCHRONISATIONS = 3  # of a v3 engine's id and clock in one request; a sane one needs two


class Conversation:
    """One agent, spoken to with one auth, one request at a time."""

    def __init__(self, target: str, agent: Socket, auth: Auth, traffic: Traffic) -> None:
        self.target = target
        self.traffic = traffic
        self._auth = auth
        self._loop = asyncio.get_running_loop()
        self._socket = agent
        self._fd = agent.get_fd()
        if not isinstance(agent, Relay):
            self._peek = socket.socket(fileno=os.dup(self._fd))
            self._peek.setblocking(False)
            self._head = pdus.head(auth)
        self._listener: Callable[[], None] | None = None
        self._reading = False
        self._undecodable = ""
        self._octets = 0
        self._heard = self._served = False

    @property
    def _introduced(self) -> bool:
        """Whether there is nothing to learn of the agent before it can be asked."""
        agent = self._socket
        if not isinstance(agent, Relay) or not agent.datagrams:
            return False
        return agent.envelope is None or bool(agent.envelope.engine.id)

    def close(self) -> None:
        """Stop listening."""
        if self._reading:
            self._loop.remove_reader(self._fd)
            self._reading = False
        if isinstance(self._socket, Relay):
            self._socket.close()
        else:
            self._peek.close()

    async def _exchange(
        self,
        oid: str,
        send: Callable[[], None],
        receive: Callable[[], T],
        limits: Limits,
        *,
        again: bool = False,
    ) -> tuple[int, T | None]:
        """Return the error-status and content of the response; None is the end of the MIB view.

        An answer to any of the requests counts; where the same was asked `again`, to that one, too.
        """
        wait, failure = limits.timeout, "no answer"
        for attempt in range(limits.retries + 1):
            left = limits.deadline - self._loop.time()
            if left <= 0:
                raise OutOfTime(self.target, f"{failure} at {oid} before the scrape's deadline")
            if attempt:
                self.traffic.retries += 1
            if attempt or again:
                self._relay().again = True
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
                    self.traffic.waits.append(time.perf_counter() - started)
                    return reply
            wait *= GROWTH * random.uniform(0.9, 1.1)  # noqa: S311 - spreads retries, hides nothing
        raise await self._silence(oid, failure, limits)

    async def _asked(
        self, send: Callable[[], None], receive: Callable[[], T], seconds: float
    ) -> tuple[int, T | None] | None:
        """Send once, and again where the agent was restarted or is new to us, or tells too much."""
        for _ in range(RESYNCHRONISATIONS + 1):
            self.traffic.packets += 1
            send()
            try:
                return await self._reply(receive, seconds)
            except Oversize:
                self._relay()
            except Refused as refused:
                self._heard = True
                self.traffic.replies += 1
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
        envelope, self._served = agent.envelope, True  # whatever is said is said to another
        try:
            for auth, problem in security.variants(self.target, self._auth):
                agent.speak(auth)
                if await self._answers(agent, limits):
                    return problem
        finally:
            agent.envelope, self._served = envelope, False
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

    def _read(  # noqa: C901 - what can be wrong is many things, and each call would be one a page
        self, receive: Callable[[], T]
    ) -> tuple[int, T | None] | None:
        """Return what has arrived; None where it is no answer to us.

        Anyone can send a datagram; after one that cannot be read the real answer may still come.
        """
        status = 0
        try:
            agent = self._socket
            status = agent.take() if isinstance(agent, Relay) else self._status()
            answer = status, receive()
        except (StopAsyncIteration, SnmpAuthError):
            # The latter is how gufo-snmp calls the error-status authorizationError.
            return status, None
        except Oversize:
            if not isinstance(self._socket, Relay):
                raise  # a relay may make it shorter
            return TOO_BIG, None
        except BlockingIOError:
            return None
        except (SnmpError, Malformed, RuntimeError) as error:
            self._undecodable = str(error)
            self.traffic.unexpected += isinstance(error, Unexpected)
        except BaseException as error:
            if type(error).__module__ != PANIC:
                raise
            self._undecodable = "it makes no sense"
        else:
            if isinstance(agent, Relay) and agent.octets > MAX_OCTETS:
                raise self._endless()
            if not self._served and self._introduced:
                self._granted(status)
            return answer
        return None

    def _status(self) -> int:
        """Return the error-status of what has arrived for the codec."""
        packet = self._peek.recv(header.LARGEST + 1, socket.MSG_PEEK)
        if len(packet) > header.LARGEST:
            packet = self._peek.recv(LARGEST, socket.MSG_PEEK)
        self._octets += len(packet)
        if self._octets > MAX_OCTETS:
            raise self._endless()
        if (usual := usual_status(packet, self._head)) is not None:
            return usual
        try:
            return error_status(packet)
        except (Malformed, Oversize):
            self._peek.recv(1)
            raise

    def _relay(self) -> Relay:
        """Return the relay to the agent; from here on there is one."""
        if not isinstance(self._socket, Relay):
            if self._reading:
                self._loop.remove_reader(self._fd)
                self._reading = False
            self._socket = Relay.taking_over(self._socket, self._peek, self._auth)
            self._socket.octets = self._octets
            self._fd = self._socket.get_fd()
        return self._socket

    def _endless(self) -> Endless:
        """Return what ends a session whose answers together would fill the memory."""
        return Endless(self.target, f"more than {MAX_OCTETS >> 20} MiB of answers")

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


def _settle(waiter: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001 - a callback
    if not waiter.done():
        waiter.set_result(value)
