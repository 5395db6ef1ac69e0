import asyncio
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import pytest

from exporter.errors import LocalFault, NotPermitted, OutOfTime, Unreachable
from exporter.protocols import icmp
from exporter.protocols.icmp import Echoes, Pace

QUICK = Pace(count=3, interval=0.01, timeout=0.5)


def soon() -> float:
    return asyncio.get_running_loop().time() + 3


def refused(number: int) -> Callable[..., NoReturn]:
    """Return a system call that fails."""

    def fail(*_arguments: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


class TestPing:
    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    async def test_host(self, address: str) -> None:
        """A host that is there answers every echo, where the system lets us ask."""
        try:
            echoes = await icmp.ping(address, QUICK, soon())
        except NotPermitted:
            return
        assert (echoes.sent, len(echoes.round_trips), echoes.loss) == (3, 3, 0)
        assert all(0 < seconds < 0.5 for seconds in echoes.round_trips)
        assert echoes.hop_limit == 64

    async def test_busy_process(self) -> None:
        """A process that has no time to look does not make the network look slow."""
        loop = asyncio.get_running_loop()
        try:
            loop.call_soon(time.sleep, 0.2)
            echoes = await icmp.ping("127.0.0.1", Pace(count=1, timeout=1), soon())
        except NotPermitted:
            return
        assert max(echoes.round_trips) < 0.1

    async def test_deadline(self) -> None:
        """No request is sent after the deadline, and nothing is waited for."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            echoes = await icmp.ping("127.0.0.1", Pace(count=50, interval=0.05), started + 0.2)
        except NotPermitted:
            return
        assert loop.time() - started < 0.4
        assert 2 <= echoes.sent < 10

    @pytest.fixture
    def any_socket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every process open what is pinged with, also one that may not send ICMP."""
        udp = partial(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
        monkeypatch.setattr(icmp, "_socket", lambda _version: udp())

    @pytest.mark.usefixtures("any_socket")
    async def test_cannot_send(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where this host sends nothing that is said with the reason, and is no loss."""
        monkeypatch.setattr(socket.socket, "send", refused(errno.EPERM))
        with pytest.raises(LocalFault, match="can be sent: Operation not permitted"):
            await icmp.ping("127.0.0.1", QUICK, soon())

    async def test_told_by_a_router(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A router's word on an earlier request, which the kernel tells once, costs no other."""
        fails = iter([False, True, False, False])
        send = socket.socket.send

        def told(opened: socket.socket, data: bytes) -> int:
            return refused(errno.EHOSTUNREACH)() if next(fails) else send(opened, data)

        monkeypatch.setattr(socket.socket, "send", told)
        try:
            echoes = await icmp.ping("127.0.0.1", QUICK, soon())
        except NotPermitted:
            return
        assert (echoes.sent, echoes.loss) == (3, 0)

    @pytest.mark.usefixtures("any_socket")
    async def test_no_time(self) -> None:
        """A deadline that has passed leaves nothing to say about a host."""
        with pytest.raises(OutOfTime):
            await icmp.ping("127.0.0.1", QUICK, asyncio.get_running_loop().time())

    @pytest.mark.parametrize(
        ("number", "kind"), [(errno.EPERM, NotPermitted), (errno.EMFILE, Unreachable)]
    )
    async def test_no_socket(
        self, number: int, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever keeps us from a socket is one named error."""
        monkeypatch.setattr(socket, "socket", refused(number))
        with pytest.raises(kind):
            await icmp.ping("127.0.0.1", QUICK, soon())


class TestEchoes:
    def test_loss(self) -> None:
        """Loss is the share of requests without an answer; without a request there is none."""
        assert Echoes(4, 0, [0.1, 0.2, 0.1]).loss == 0.25
        assert Echoes().loss is None

    def test_jitter(self) -> None:
        """Jitter is the mean step from one round trip to the next; one trip has none."""
        assert Echoes(3, 0, [0.1, 0.3, 0.2]).jitter == pytest.approx(0.15)
        assert Echoes(1, 0, [0.1]).jitter is None


class TestAnswers:
    def test_not_ours(self) -> None:
        """Only an answer with our token counts, and none breaks the look at it."""
        pinger = object.__new__(icmp._Pinger)
        pinger._version, pinger._token, pinger._sent = 4, b"t" * 16, {1: 0.0}
        reply = struct.pack("!BBHHH", 0, 0, 0, 7, 1)
        strays = [
            b"",
            reply,
            reply + b"x" * 16,
            struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"t" * 16,
            struct.pack("!BBHHH", 0, 0, 0, 7, 2) + b"t" * 16,
        ]

        assert pinger._ours(reply + b"t" * 16) == 1
        assert [pinger._ours(stray) for stray in strays] == [None] * len(strays)

    def test_checksum(self) -> None:
        """The checksum of a packet with its checksum in place is 0 (RFC 1071)."""
        blank = struct.pack("!BBHHH", 8, 0, 0, 0x1234, 1) + b"odd"
        filled = blank[:2] + icmp.checksum(blank).to_bytes(2, "big") + blank[4:]
        assert icmp.checksum(filled) == 0
