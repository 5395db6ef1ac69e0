"""Walks made again are what they would be if every page was decoded."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.config import Auth
from exporter.errors import ProtocolError
from exporter.protocols.snmp import Limits, Memory, Target, Traffic, replay, session
from exporter.protocols.snmp.memory import IDLE, LONGEST_WAIT, UNUSED
from tests.exporter.agent import (
    GETBULK,
    Agent,
    Request,
    Value,
    encode,
    integer,
    octets,
    parse,
    serve,
)
from tests.exporter.protocols import netsnmp

COLUMN = "1.3.6.1.2.1.2.2.1.10"
BEHIND = "1.3.6.1.2.1.2.2.1.11"
REPETITIONS = 20
PLENTY, LITTLE = 1 << 24, 20_000
ANN = Auth(
    version=3,
    username="ann",
    security_level="authPriv",
    auth_protocol="SHA",
    password="correct horse",
    priv_protocol="AES",
    priv_password="battery staple",
)

Reply = Callable[[Agent, Request], list[bytes]]
Outcome = tuple[object, dict[str, Any]]

steady = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def table(*columns: dict[int, Value]) -> dict[str, Value]:
    """Return columns by row as a table of OIDs."""
    names = (COLUMN, BEHIND)
    return {
        f"{names[at]}.{row}": cell for at, rows in enumerate(columns) for row, cell in rows.items()
    }


def counters(offset: int = 0, rows: int = 75) -> dict[str, Value]:
    column = {row: integer(70_000 + row + offset, 0x41) for row in range(1, rows + 1)}
    return table(column, {1: integer(offset % 100)})


async def walk(
    port: int, memory: Memory | None, auth: Auth | None = None, **patience: Any
) -> Outcome:
    """Return the values of a walk, or what kind of error it ended with; and its figures."""
    limits = Limits(
        asyncio.get_running_loop().time() + 5, 0.1, retries=1, max_repetitions=REPETITIONS
    )
    limits, traffic = replace(limits, **patience), Traffic()
    outcome: object
    try:
        async with session(
            Target("127.0.0.1", port), auth or Auth(), limits, traffic, memory=memory
        ) as opened:
            outcome = list((await opened.walk(COLUMN, limits)).items())
    except ProtocolError as error:
        outcome = type(error).__name__
    figures = asdict(traffic)
    figures["waits"] = len(figures["waits"])
    return outcome, figures


def become(agent: Agent, now: dict[str, Value], reply: Reply | None = None) -> None:
    """Let an agent have another table, and other manners."""
    agent.table = {parse(oid): value for oid, value in now.items()}
    agent.order, agent.reply = sorted(agent.table), reply


def alike(one: Outcome, other: Outcome) -> bool:
    """Return whether two walks had the same values, or end, and figures."""
    own = ("replayed", "decoded")
    figures = [{name: of[1][name] for name in of[1] if name not in own} for of in (one, other)]
    return one[0] == other[0] and figures[0] == figures[1]


class TestReplay:
    async def test_counters(self) -> None:
        """Where only values change, no page is decoded, and the requests are the same."""
        memory = Memory(PLENTY)
        async with serve(counters()) as agent:
            first = await walk(agent.port, memory)
            become(agent, counters(999))
            second = await walk(agent.port, memory)
            direct = await walk(agent.port, None)
        asked = [request._replace(request_id=0) for request in agent.requests]
        identities = {request.request_id for request in agent.requests}

        assert first[1]["decoded"] == second[1]["replayed"] == 4
        assert first[1]["replayed"] == second[1]["decoded"] == 0
        assert first[0] != second[0]
        assert alike(second, direct)
        assert asked[:4] == asked[4:8] == asked[8:]
        assert len(identities) == 12

    async def test_one_page(self) -> None:
        """A page that looks otherwise is decoded alone, and learned."""
        memory = Memory(PLENTY)
        async with serve(counters()) as agent:
            await walk(agent.port, memory)
            become(agent, counters() | {f"{COLUMN}.30": integer(2**31, 0x41)})
            second, third = [await walk(agent.port, memory) for _ in range(2)]
            direct = await walk(agent.port, None)

        assert (second[1]["replayed"], second[1]["decoded"]) == (3, 1)
        assert (third[1]["replayed"], third[1]["decoded"]) == (4, 0)
        assert alike(second, direct)
        assert alike(third, direct)

    @pytest.mark.parametrize("rows", [10, 39, 60, 74, 76, 80, 81, 200])
    async def test_rows(self, rows: int) -> None:
        """Rows that came or went are seen, and so is the end of the table."""
        memory = Memory(PLENTY)
        async with serve(counters()) as agent:
            await walk(agent.port, memory)
            become(agent, counters(rows=rows))
            assert alike(await walk(agent.port, memory), direct := await walk(agent.port, None))
            assert len(direct[0]) == rows  # type: ignore[arg-type]
            become(agent, {oid: value for oid, value in counters().items() if oid != f"{COLUMN}.7"})
            assert alike(await walk(agent.port, memory), await walk(agent.port, None))

    async def test_unsteady(self) -> None:
        """A page that changes each time is learned more and more seldom."""
        memory, learned = Memory(PLENTY), set()
        async with serve(counters()) as agent:
            for turn in range(300):
                become(agent, counters() | {f"{COLUMN}.30": octets("x" * (turn % 50))})
                await walk(agent.port, memory)
                (device,) = memory.devices.values()
                (made,) = device.walks.values()
                learned.add(id(made.pages[f"{COLUMN}.20"].layout))
                assert made.pages[f"{COLUMN}.40"].hits == turn

        assert made.pages[f"{COLUMN}.20"].wait == LONGEST_WAIT

    async def test_version_3(self, tmp_path: Path) -> None:
        """Pages of SNMPv3 are looked at once they are decrypted and verified."""
        lines = "createUser ann SHA 'correct horse' AES 'battery staple'\nrouser ann priv\n"
        memory, port = Memory(PLENTY), netsnmp.free_port()
        system = {"oid": "1.3.6.1.2.1"}
        with netsnmp.running(tmp_path, lines.replace("'", '"'), port):
            first, second = [await self._all(port, memory, **system) for _ in range(2)]
        with netsnmp.running(tmp_path, lines.replace("'", '"'), port):
            third = await self._all(port, memory, **system)

        assert first.replayed == 0
        assert second.replayed > 0
        assert third.values > 0

    async def _all(self, port: int, memory: Memory, oid: str) -> Traffic:
        limits = Limits(asyncio.get_running_loop().time() + 10, 2, max_repetitions=REPETITIONS)
        traffic = Traffic()
        async with session(
            Target("127.0.0.1", port), ANN, limits, traffic, memory=memory
        ) as opened:
            await opened.walk(oid, limits)
        return traffic


def renamed(agent: Agent, request: Request) -> list[bytes]:
    return agent.answer(request._replace(request_id=request.request_id ^ 1))


def foreign(agent: Agent, request: Request) -> list[bytes]:
    return agent.answer(request._replace(community=b"private"))


def older(agent: Agent, request: Request) -> list[bytes]:
    return agent.answer(request._replace(version=0))


def failing(agent: Agent, request: Request) -> list[bytes]:
    return [encode(request, agent._bulk(request.oids[0], request.max_repetitions), error=5)]


def modest(agent: Agent, request: Request) -> list[bytes]:
    if request.max_repetitions > 5:
        return [encode(request, [], error=1)]
    return agent.answer(request)


def circling(agent: Agent, request: Request) -> list[bytes]:
    return agent.answer(request._replace(oids=[parse(COLUMN)]))


def cut(agent: Agent, request: Request) -> list[bytes]:
    return [packet[:-1] for packet in agent.answer(request)]


def longer(agent: Agent, request: Request) -> list[bytes]:
    return [packet + b"\x00" for packet in agent.answer(request)]


def noisy(agent: Agent, request: Request) -> list[bytes]:
    (packet,) = agent.answer(request)
    return [packet[:40], *renamed(agent, request), packet, packet]


def losing(agent: Agent, request: Request) -> list[bytes]:
    asked = sum(request.oids == other.oids for other in agent.requests)
    return [] if request.pdu == GETBULK and asked % 2 else agent.answer(request)


def repeating(agent: Agent, request: Request) -> list[bytes]:
    """Answer the question before once more, ahead of each answer."""
    before = agent.requests[-2:-1] or [request]
    return [packet for each in (*before, request) for packet in agent.answer(each)]


MANNERS = [
    renamed,
    foreign,
    older,
    failing,
    modest,
    circling,
    cut,
    noisy,
    losing,
    repeating,
]
ANSWERING = [None, failing, modest, circling, noisy, repeating]  # nobody waits for these in vain


@pytest.mark.parametrize("manners", MANNERS)
async def test_manners(manners: Reply) -> None:
    """However an agent misbehaves, a walk made again ends as one that is decoded."""
    memory = Memory(PLENTY)
    async with serve(counters()) as agent:
        await walk(agent.port, memory)
        become(agent, counters(5), manners)
        agent.requests.clear()
        again = await walk(agent.port, memory)
        agent.requests.clear()
        direct = await walk(agent.port, None)

    assert alike(again, direct)


async def test_octets_behind() -> None:
    """An answer with more behind it is read as the decoder behind a relay reads it."""
    memory = Memory(PLENTY)
    async with serve(counters()) as agent:
        await walk(agent.port, memory)
        become(agent, counters(5), longer)
        again, direct = await walk(agent.port, memory), await walk(agent.port, None)

    assert again[1]["replayed"] == 0
    assert again[0] == direct[0]


cells = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda number: integer(number, 0x41)),
    st.integers(0, 2**64 - 1).map(lambda number: integer(number, 0x46)),
    st.integers(-(2**31), 2**31 - 1).map(integer),
    st.binary(max_size=8).map(octets),
    st.builds(Value, st.sampled_from([2, 0x41, 0x46]), st.binary(min_size=1, max_size=8)),
    st.builds(Value, st.sampled_from([5, 0x80, 0x81]), st.just(b"")),
)
changes = st.dictionaries(st.integers(1, 60), st.none() | cells, max_size=4)


@steady
@given(st.lists(st.tuples(changes, st.sampled_from(ANSWERING)), min_size=2, max_size=5))
def test_any_walks(turns: list[tuple[dict[int, Value | None], Reply | None]]) -> None:
    """Whatever comes between walks, each is what it would be if it was the first."""

    async def compare() -> None:
        memory, now = Memory(PLENTY), {row: integer(1000 + row, 0x41) for row in range(1, 50)}
        async with serve({}) as agent:
            for changed, manners in turns:
                now = {row: cell for row, cell in (now | changed).items() if cell is not None}
                become(agent, table(now, {1: integer(len(now))}), manners)
                found = []
                for known in (memory, None):
                    agent.requests.clear()
                    found.append(await walk(agent.port, known, timeout=0.3))
                assert alike(*found)

    asyncio.run(compare())


class TestMemory:
    async def test_budget(self) -> None:
        """The budget is kept; who came first stays, all others are decoded."""
        memory, budget = Memory(PLENTY), 60_000
        async with serve(counters()) as agent:
            await walk(agent.port, memory)
        assert 10_000 < memory.used < budget
        memory = Memory(budget)
        for _ in range(2):
            for number in range(20):
                async with serve(counters()) as agent:
                    found = await walk(agent.port, memory, Auth(community="public"))
                    assert alike(found, await walk(agent.port, None))
                    assert memory.used <= budget, number
        assert memory.full

    async def test_first_stays(self) -> None:
        """Where there is no room, those who came first are still read by their layout."""
        memory = Memory(LITTLE)
        async with (
            serve(counters()) as first,
            serve(counters()) as second,
            serve(counters()) as third,
        ):
            ports = [first.port, second.port, third.port]
            for port in ports:
                await walk(port, memory)
            hits = [(await walk(port, memory))[1]["replayed"] for port in ports]

        assert hits[0] == 4
        assert hits[2] == 0

    async def test_share(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of an endless table only the first pages are remembered, the others decoded."""
        monkeypatch.setattr(replay, "MOST_PAGES", 3)
        memory = Memory(PLENTY)
        async with serve(counters(rows=200)) as agent:
            first, second = [await walk(agent.port, memory) for _ in range(2)]
        assert first[0] == second[0]
        assert (second[1]["replayed"], second[1]["decoded"]) == (3, 8)

    async def test_none(self) -> None:
        """Without a budget nothing is remembered."""
        memory = Memory(0)
        async with serve(counters()) as agent:
            for _ in range(2):
                assert (await walk(agent.port, memory))[1]["replayed"] == 0
        assert memory.used == 0

    async def test_idle(self) -> None:
        """A device that nobody asked for an hour makes room for another, and all is given back."""
        now = 0.0
        memory = Memory(LITTLE, clock=lambda: now)
        async with (
            serve(counters()) as first,
            serve(counters()) as second,
            serve(counters()) as third,
        ):
            for agent in (first, second, third):
                await walk(agent.port, memory)
            now = IDLE + 1
            for _ in range(2):
                last = await walk(third.port, memory)
        assert last[1]["replayed"] > 0
        now += IDLE + 1
        memory.full = True
        memory._make_room(now)
        assert (memory.used, memory.shared, memory.full) == (0, {}, False)

    async def test_pages_that_went(self) -> None:
        """Pages of a table that shrank are forgotten."""
        memory = Memory(PLENTY)
        async with serve(counters(rows=200)) as agent:
            await walk(agent.port, memory)
            before = memory.used
            become(agent, counters(rows=20))
            for _ in range(UNUSED + 2):
                await walk(agent.port, memory)
        assert memory.used < before / 3
