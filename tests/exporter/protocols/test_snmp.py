import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Literal, cast

import pytest

from exporter.config import Auth
from exporter.errors import (
    BadRequest,
    ExporterError,
    NotIncreasing,
    OutOfTime,
    ProtocolError,
    Undecodable,
    Unreachable,
    UnresolvedName,
)
from exporter.protocols.snmp import Limits, Target, Traffic, session
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.header import error_status
from tests.exporter.agent import Agent, Request, Value, encode, integer, octets, parse, serve
from tests.exporter.conftest import free_port

COLUMN = "1.3.6.1.2.1.2.2.1.10"
TABLE = {f"{COLUMN}.{row}": integer(row, 0x41) for row in range(1, 31)}
SECRET = Auth(community="s3cret")
ANN = Auth(
    version=3,
    username="ann",
    security_level="authPriv",
    auth_protocol="SHA",
    password="correct horse",
    priv_protocol="AES",
    priv_password="battery staple",
)


class TestTarget:
    @pytest.mark.parametrize(
        ("text", "host", "port"),
        [
            ("192.0.2.1", "192.0.2.1", 161),
            ("192.0.2.1:1161", "192.0.2.1", 1161),
            ("udp://core1.example.net:1161", "core1.example.net", 1161),
            ("[2001:db8::1]:1161", "2001:db8::1", 1161),
            ("2001:db8::1", "2001:db8::1", 161),
            ("udp://[2001:db8::1]", "2001:db8::1", 161),
        ],
    )
    def test_forms(self, text: str, host: str, port: int) -> None:
        """A target is written as for snmp_exporter: `[transport://]host[:port]`."""
        assert Target.parse(text) == Target(host, port)

    @pytest.mark.parametrize(
        "text", ["", "a b", "host:0", "host:99999", "sctp://host", "http://x/y"]
    )
    def test_nonsense(self, text: str) -> None:
        """Anything else is a bad request, not a lookup."""
        with pytest.raises(BadRequest):
            Target.parse(text)

    async def test_unknown_name(self, limits: Limits) -> None:
        """A name without an address is named as such."""
        with pytest.raises(UnresolvedName, match=r"nowhere\.invalid"):
            async with session(Target("nowhere.invalid"), Auth(), limits):
                pass

    async def test_slow_resolver(self, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
        """A resolver that does not answer cannot hold a scrape beyond its deadline."""

        async def hang(*_args: object, **_options: object) -> None:
            await asyncio.sleep(60)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "getaddrinfo", hang)
        hurried = replace(limits, deadline=loop.time() + 0.1)
        with pytest.raises(OutOfTime, match="not resolved in time"):
            async with session(Target("slow.example.net"), Auth(), hurried):
                pass

    async def test_name(self, snmpd: str, limits: Limits) -> None:
        """Agents are asked by name, too."""
        target = Target("localhost", Target.parse(snmpd).port)
        async with session(target, Auth(), limits) as agent:
            assert await agent.get(["1.3.6.1.2.1.1.5.0"], limits)


@pytest.mark.parametrize("auth", [Auth(version=1), Auth(), ANN], ids=["v1", "v2c", "v3"])
class TestRealAgent:
    async def test_walk(self, snmpd: str, auth: Auth, limits: Limits) -> None:
        """Every version walks net-snmp's system group, in order and to its end."""
        async with session(Target.parse(snmpd), auth, limits) as agent:
            answers = await agent.walk("1.3.6.1.2.1.1", limits)

        assert answers["1.3.6.1.2.1.1.5.0"] == b"edge1"
        assert list(answers) == sorted(answers, key=parse)
        assert all(oid.startswith("1.3.6.1.2.1.1.") for oid in answers)

    async def test_get(self, snmpd: str, auth: Auth, limits: Limits) -> None:
        """Objects the agent lacks are left out, in every version."""
        wanted = ["1.3.6.1.2.1.1.99.0", "1.3.6.1.2.1.1.6.0", "1.3.6.1.2.1.1.5.0"]
        async with session(Target.parse(snmpd), auth, limits) as agent:
            answers = await agent.get(wanted, limits)

        assert answers == {"1.3.6.1.2.1.1.6.0": b"the basement", "1.3.6.1.2.1.1.5.0": b"edge1"}

    async def test_end_of_mib(self, snmpd: str, auth: Auth, limits: Limits) -> None:
        """A walk behind the last object is empty, not an error."""
        async with session(Target.parse(snmpd), auth, limits) as agent:
            assert await agent.walk("1.3.7", limits) == {}


async def walk(agent: Agent, limits: Limits, traffic: Traffic | None = None) -> dict[str, object]:
    target = Target("127.0.0.1", agent.port)
    async with session(target, Auth(), limits, traffic) as opened:
        return dict(await opened.walk(COLUMN, limits))


class TestLoss:
    async def test_retry(self, limits: Limits) -> None:
        """A lost datagram is asked for again, and counted."""

        def lose_first(agent: Agent, request: Request) -> list[bytes]:
            return [] if len(agent.requests) == 2 else agent.answer(request)

        traffic = Traffic()
        async with serve(TABLE, lose_first) as agent:
            answers = await walk(agent, limits, traffic)

        assert len(answers) == traffic.values == 30
        assert traffic.retries == 1
        assert traffic.packets == len(agent.requests)

    @pytest.mark.parametrize("retries", [0, 1, 3])
    async def test_next_walk(self, limits: Limits, retries: int) -> None:
        """The first answer of a later walk may get lost as any other, and is waited for as long."""

        def lose(agent: Agent, request: Request) -> list[bytes]:
            again = [one for one in agent.requests if one.oids == [parse(COLUMN)]]
            return [] if request in again[1:3] else agent.answer(request)

        limits, traffic = replace(limits, retries=retries, timeout=0.1), Traffic()
        async with (
            serve(TABLE, lose) as agent,
            session(Target("127.0.0.1", agent.port), Auth(), limits, traffic) as opened,
        ):
            whole = await opened.walk(COLUMN, limits)
            if retries < 2:
                with pytest.raises(Unreachable, match=f"no answer at {COLUMN}"):
                    await opened.walk(COLUMN, limits)
            else:
                assert await opened.walk(COLUMN, limits) == whole
            assert traffic.packets == len(agent.requests)
        assert traffic.retries == min(retries, 2)

    async def test_silence(self, limits: Limits) -> None:
        """An agent that never answers is unreachable; the error names target and OID, no secret."""
        async with serve(TABLE) as agent:
            target = Target("127.0.0.1", agent.port)
            with pytest.raises(Unreachable) as caught:
                async with session(target, SECRET, limits) as opened:
                    await opened.walk(COLUMN, limits)

        assert str(caught.value) == f"127.0.0.1:{agent.port}: no answer at {COLUMN}"

    async def test_closed_port(self, limits: Limits) -> None:
        """A closed port is told apart from silence."""
        async with session(Target("127.0.0.1", free_port()), Auth(), limits) as opened:
            with pytest.raises(Unreachable, match="the port is closed"):
                await opened.walk(COLUMN, limits)

    async def test_deadline(self, limits: Limits) -> None:
        """Retries end with the deadline of the scrape."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        patient = replace(limits, deadline=started + 0.4, timeout=0.3, retries=50)
        async with serve(TABLE, lambda _agent, _request: []) as agent:
            with pytest.raises(OutOfTime, match="deadline"):
                await walk(agent, patient)

        assert loop.time() - started < 1


@dataclass
class Slow(asyncio.DatagramProtocol):
    """The way to an agent that answers later than anyone waits for one request."""

    agent: tuple[str, int]
    delay: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the way."""
        self.transport = cast("asyncio.DatagramTransport", transport)
        self.tasks: set[asyncio.Task[None]] = set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Carry a request there, and its answer back."""
        task = asyncio.create_task(self.carry(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def carry(self, data: bytes, addr: tuple[str, int]) -> None:
        """Carry one request."""
        loop = asyncio.get_running_loop()
        with socket.socket(type=socket.SOCK_DGRAM) as way:
            way.setblocking(False)
            way.connect(self.agent)
            await loop.sock_sendall(way, data)
            answer = await loop.sock_recv(way, 65_535)
        await asyncio.sleep(self.delay)
        self.transport.sendto(answer, addr)


@asynccontextmanager
async def slowed(agent: str, delay: float) -> AsyncIterator[Target]:
    """Yield where to reach an agent by a slow way."""
    place = Target.parse(agent)
    transport, way = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Slow((place.host, place.port), delay), local_addr=("127.0.0.1", 0)
    )
    try:
        yield Target(*transport.get_extra_info("sockname"))
    finally:
        await asyncio.gather(*way.tasks)
        transport.close()


class TestSlowAgent:
    """An agent that takes longer than the wait for each request."""

    @pytest.fixture
    async def patient(self, limits: Limits) -> Limits:
        """Return limits under which no single wait is long enough for it."""
        deadline = asyncio.get_running_loop().time() + 20
        return replace(limits, deadline=deadline, timeout=0.1, retries=4, max_repetitions=100)

    @pytest.mark.parametrize("auth", [Auth(version=1), Auth(), ANN], ids=["v1", "v2c", "v3"])
    async def test_heard(self, snmpd: str, auth: Auth, patient: Limits) -> None:
        """An answer to any of the requests of one question is taken, in every version."""
        async with (
            slowed(snmpd, 0.7) as target,
            session(target, auth, patient, traffic := Traffic()) as agent,
        ):
            found = await agent.get(["1.3.6.1.2.1.1.5.0"], patient)
            assert found == {"1.3.6.1.2.1.1.5.0": b"edge1"}
            walked = await agent.walk("1.3.6.1.2.1.1.5", replace(patient, max_repetitions=1))
            assert walked == found
        assert traffic.retries > 2

    @pytest.mark.parametrize("late", [False, True])
    async def test_another_question(self, limits: Limits, late: bool) -> None:  # noqa: FBT001
        """What answers an earlier question is no answer to this one, before or after a loss."""

        def repeating(agent: Agent, request: Request) -> list[bytes]:
            if late and len(agent.requests) == 1:
                return []
            evil = [(parse(f"{COLUMN}.666"), octets("stale"))]
            earlier = agent.requests[:-1] if request.oids != agent.requests[0].oids else []
            stale = [encode(one, evil) for one in earlier if one.oids != request.oids]
            return [*stale, *agent.answer(request)]

        async with serve(TABLE, repeating) as agent:
            answers = await walk(agent, limits)
        assert list(answers.values()) == list(range(1, 31))
        assert len(agent.requests) == 4 + late

    @pytest.mark.parametrize("change", [{"request_id": 7}, {"community": b"other"}], ids=str)
    async def test_forged(self, limits: Limits, change: dict[str, object]) -> None:
        """After a loss, too, a forged answer is passed over."""

        def forging(agent: Agent, request: Request) -> list[bytes]:
            if len(agent.requests) == 1:
                return []
            forged = request._replace(**change)  # type: ignore[arg-type]
            return [encode(forged, [(parse(f"{COLUMN}.666"), octets("x"))]), *agent.answer(request)]

        async with serve(TABLE, forging) as agent:
            answers = await walk(agent, limits)
        assert list(answers.values()) == list(range(1, 31))


class TestLongValues:
    @pytest.mark.parametrize("version", [1, 2])
    @pytest.mark.parametrize("size", [4_100, 60_000])
    async def test_between_others(self, limits: Limits, version: Literal[1, 2], size: int) -> None:
        """A value longer than the decoder's memory is a value like all others."""
        table = {f"{COLUMN}.{row}": octets(f"port {row}") for row in range(1, 31)}
        table[f"{COLUMN}.7"] = octets(long := "x" * size)
        traffic, auth = Traffic(), Auth(version=version)
        async with (
            serve(table) as agent,
            session(Target("127.0.0.1", agent.port), auth, limits, traffic) as opened,
        ):
            walked = await opened.walk(COLUMN, limits)
            got = await opened.get([f"{COLUMN}.7", f"{COLUMN}.8"], limits)

        assert len(walked) == 30
        assert walked[f"{COLUMN}.7"] == got[f"{COLUMN}.7"] == long.encode()
        assert got[f"{COLUMN}.8"] == walked[f"{COLUMN}.8"] == b"port 8"
        assert not traffic.incomplete
        assert max(request.max_repetitions for request in agent.requests[1:]) in {0, 10}

    async def test_many(self, limits: Limits) -> None:
        """Several long values in one answer keep their places."""
        table = {f"{COLUMN}.{row}": octets(chr(96 + row) * 5_000) for row in range(1, 9)}
        async with serve(table) as agent:
            answers = await walk(agent, limits)
        assert list(answers.values()) == [bytes([96 + row]) * 5_000 for row in range(1, 9)]


class TestHostileReplies:
    async def test_truncated(self, limits: Limits) -> None:
        """Replies that cannot be read are reported as that."""
        async with serve(TABLE, lambda a, r: [a.answer(r)[0][:-7]]) as agent:
            with pytest.raises(Undecodable, match=COLUMN):
                await walk(agent, limits)

    @pytest.mark.parametrize(
        "change",
        [
            {"request_id": 7},
            {"version": 0},
            {"community": b"other"},
        ],
        ids=str,
    )
    async def test_stray(self, limits: Limits, change: dict[str, object]) -> None:
        """Datagrams that answer nothing we asked are passed over."""

        def stray(agent: Agent, request: Request) -> list[bytes]:
            forged = request._replace(**change)  # type: ignore[arg-type]
            evil = [(parse(COLUMN + ".666"), octets("forged"))]
            return [b"\x30\x03garbage", b"", encode(forged, evil), *agent.answer(request)]

        async with serve(TABLE, stray) as agent:
            answers = await walk(agent, limits)

        assert list(answers.values()) == list(range(1, 31))

    @pytest.mark.parametrize("rows", [[3, 2], [3], [5, 4, 3]], ids=str)
    async def test_not_increasing(self, limits: Limits, rows: list[int]) -> None:
        """An agent that walks in circles ends the walk with an error."""

        def circle(_agent: Agent, request: Request) -> list[bytes]:
            return [encode(request, [(parse(f"{COLUMN}.{row}"), integer(row)) for row in rows])]

        async with serve(TABLE, circle) as agent:
            with pytest.raises(NotIncreasing, match="does not increase"):
                await walk(agent, limits)

    async def test_unordered_allowed(self, limits: Limits) -> None:
        """Agents known to be unordered can be walked; they still must bring something new."""
        pages = {COLUMN: [5], f"{COLUMN}.5": [2], f"{COLUMN}.2": [5]}

        def unordered(_agent: Agent, request: Request) -> list[bytes]:
            rows = pages[".".join(map(str, request.oids[0]))]
            return [encode(request, [(parse(f"{COLUMN}.{row}"), integer(row)) for row in rows])]

        async with serve(TABLE, unordered) as agent:
            with pytest.raises(NotIncreasing):
                await walk(agent, replace(limits, allow_nonincreasing=True))
        assert len(agent.requests) == 3

    async def test_endless(self, limits: Limits) -> None:
        """A table without end ends at the deadline."""

        def endless(_agent: Agent, request: Request) -> list[bytes]:
            row = request.oids[0][-1] if len(request.oids[0]) > len(parse(COLUMN)) else 0
            rows = [(parse(f"{COLUMN}.{row + i}"), integer(1)) for i in range(1, 11)]
            return [encode(request, rows)]

        async with serve({}, endless) as agent:
            with pytest.raises(OutOfTime):
                await walk(agent, replace(limits, deadline=limits.deadline - 2.5))

    async def test_too_big(self, limits: Limits) -> None:
        """An agent that cannot build so large a page is asked for smaller ones."""

        def small(agent: Agent, request: Request) -> list[bytes]:
            if request.max_repetitions > 3:
                return [encode(request, [], error=1)]
            return agent.answer(request)

        async with serve(TABLE, small) as agent:
            assert len(await walk(agent, limits)) == 30

    async def test_large_page(self, limits: Limits) -> None:
        """A page larger than the decoder reads is asked for again in smaller ones."""
        table = {f"{COLUMN}.{row}": octets("x" * 100) for row in range(1, 131)}
        async with (
            serve(table) as agent,
            session(Target("127.0.0.1", agent.port), Auth(), limits) as opened,
        ):
            greedy = replace(limits, max_repetitions=120)
            assert len(await opened.walk(COLUMN, greedy)) == 130

        assert max(request.max_repetitions for request in agent.requests) == 120
        assert agent.requests[-1].max_repetitions == 30

    async def test_many_objects(self, limits: Limits) -> None:
        """More objects than fit into a request, or into its answer, are asked for in several."""
        table = {f"{COLUMN}.{row}": octets("x" * 30) for row in range(1, 301)}
        async with (
            serve(table) as agent,
            session(Target("127.0.0.1", agent.port), Auth(), limits) as opened,
        ):
            greedy = replace(limits, max_repetitions=300)
            assert len(await opened.get(table, greedy)) == 300

    async def test_agent_error(self, limits: Limits) -> None:
        """An error of the agent ends the walk, keeps what was there, and is counted."""

        def failing(agent: Agent, request: Request) -> list[bytes]:
            if len(agent.requests) > 1:
                return [encode(request, [(request.oids[0], Value(0x05, b""))], error=5, index=1)]
            return agent.answer(request)

        traffic = Traffic()
        async with serve(TABLE, failing) as agent:
            assert len(await walk(agent, limits, traffic)) == 10
        assert traffic.refusals == 1

    async def test_other_object(self, limits: Limits) -> None:
        """A GET answered with another object yields nothing."""
        forged = [(parse("1.3.6.1.2.1.1.6.0"), octets("x"))]
        async with (
            serve({}, lambda _agent, request: [encode(request, forged)]) as agent,
            session(Target("127.0.0.1", agent.port), Auth(), limits) as opened,
        ):
            assert await opened.get(["1.3.6.1.2.1.1.5.0"], limits) == {}


class TestErrorStatus:
    @pytest.mark.parametrize(
        "packet", [b"", b"\x30", b"\x30\x82", b"\x30\x80\x02\x01", b"\xff" * 64]
    )
    def test_garbage(self, packet: bytes) -> None:
        """What is no SNMP message is found out at its header, before anything decodes it."""
        with pytest.raises(Malformed):
            error_status(packet)

    def test_long_lengths(self) -> None:
        """The status is found behind a long community and long lengths."""
        request = Request(1, b"c" * 200, 0xA0, 2**31 - 1, 0, 0, [])
        bindings = [(parse(COLUMN), octets("x" * 300))]
        assert error_status(encode(request, bindings, error=5)) == 5


def test_errors_are_one_tree() -> None:
    """Whoever scrapes can catch everything the exporter raises as one class."""
    assert issubclass(ProtocolError, ExporterError)
