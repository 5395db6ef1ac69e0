"""Answers fill datagrams, and are never larger."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.config import Auth
from exporter.protocols.snmp import Limits, Memory, Target, Traffic, datagrams, session
from exporter.protocols.snmp.memory import LONGEST_WAIT
from tests.exporter.agent import (
    GETBULK,
    Agent,
    Request,
    Value,
    counter64,
    encode,
    integer,
    octets,
    serve,
)
from tests.exporter.protocols.test_replay import COLUMN, PLENTY, become, changes, table

DATAGRAM = 1_472
REPETITIONS, KNOWN = 20, 200
ROWS = 300

steady = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@dataclass
class Manners:
    """How an agent answers: with so many octets or values at most, and not at all to large wishes.

    `refusing` says so with an error. What was asked for and sent since the last look is noted.
    """

    octets: int = 65_535
    values: int = 10_000
    silent: int = 10_000
    refusing: bool = False
    asked: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def __call__(self, agent: Agent, request: Request) -> list[bytes]:
        """Answer a request."""
        if request.pdu != GETBULK:
            return agent.answer(request)
        self.asked.append(request.max_repetitions)
        if request.max_repetitions > self.silent:
            return [encode(request, [], error=1)] if self.refusing else []
        bindings = agent._bulk(request.oids[0], min(request.max_repetitions, self.values))
        while len(packet := encode(request, bindings)) > self.octets:
            bindings.pop()
        self.sent.append(len(packet))
        return [packet]

    def forget(self) -> None:
        """Note anew."""
        self.asked.clear()
        self.sent.clear()


def numbers(
    start: int = 100, rows: int = ROWS, make: Callable[[int], Value] = counter64
) -> dict[str, Value]:
    """Return a column of counters, and another one behind it."""
    behind = {row: octets("a text behind it") for row in range(1, 51)}
    return table({row: make(start + row) for row in range(1, rows + 1)}, behind)


async def walk(
    port: int, memory: Memory | None, known: int = KNOWN, auth: Auth | None = None
) -> tuple[object, Traffic]:
    """Return the values of a walk, and its figures."""
    deadline = asyncio.get_running_loop().time() + 20
    limits = Limits(deadline, 0.15, 3, REPETITIONS, known_repetitions=known)
    traffic, target = Traffic(), Target("127.0.0.1", port)
    async with session(target, auth or Auth(), limits, traffic, memory=memory) as opened:
        return list((await opened.walk(COLUMN, limits)).items()), traffic


class TestWalk:
    async def test_filled(self) -> None:
        """Once a walk is known, it takes fewer answers, each of which fits into a datagram."""
        memory, manners = Memory(PLENTY), Manners()
        async with serve(numbers(), manners) as agent:
            first, _ = await walk(agent.port, memory)
            asked = list(manners.asked)
            manners.forget()
            second, _ = await walk(agent.port, memory)
            third, traffic = await walk(agent.port, memory)

        assert set(asked) == {REPETITIONS}
        assert first == second == third
        assert traffic.replayed == traffic.packets == len(manners.asked) / 2
        assert traffic.packets < len(asked) / 2
        assert max(manners.asked) > REPETITIONS
        assert max(manners.sent) <= DATAGRAM

    async def test_asked_no_more(self) -> None:
        """Without leave, no walk asks for more than it is told to."""
        memory, manners = Memory(PLENTY), Manners()
        async with serve(numbers(), manners) as agent:
            for _ in range(3):
                await walk(agent.port, memory, known=0)
                await walk(agent.port, memory)
                await walk(agent.port, memory, known=0)
            manners.forget()
            await walk(agent.port, memory, known=0)
            assert set(manners.asked) == {REPETITIONS}
            manners.forget()
            await walk(agent.port, memory, known=30)
            await walk(agent.port, memory, known=30)
        assert max(manners.asked) == 30

    async def test_growing(self) -> None:
        """Numbers that all take one more octet than at the last walk still fit."""
        memory, manners = Memory(PLENTY), Manners()
        async with serve(numbers(), manners) as agent:
            for bits in range(15, 64, 8):
                become(agent, numbers(2**bits - ROWS - 1), manners)
                for _ in range(LONGEST_WAIT):
                    await walk(agent.port, memory)
                become(agent, numbers(2**bits), manners)
                found, _ = await walk(agent.port, memory)
                assert (found, max(manners.sent) <= DATAGRAM) == (
                    (await walk(agent.port, None))[0],
                    True,
                )

    async def test_long_texts(self) -> None:
        """Of long texts fewer are asked for than otherwise, as many as fit."""
        memory, manners = Memory(PLENTY), Manners()
        texts = {row: octets("x" * 100) for row in range(1, 101)}
        async with serve(numbers(rows=0) | table(texts), manners) as agent:
            first, _ = await walk(agent.port, memory)
            assert max(manners.sent) > DATAGRAM
            manners.forget()
            second, _ = await walk(agent.port, memory)
        assert first == second
        assert max(manners.sent) <= DATAGRAM

    @pytest.mark.parametrize("rows", [5, 100, 150, 299, 301, 400])
    async def test_rows(self, rows: int) -> None:
        """Rows that came or went are seen at once, and planned for later."""
        memory, manners = Memory(PLENTY), Manners()
        async with serve(numbers(), manners) as agent:
            for _ in range(3):
                await walk(agent.port, memory)
            become(agent, numbers(rows=rows), manners)
            direct, _ = await walk(agent.port, None)
            for _ in range(6):
                found, traffic = await walk(agent.port, memory)
                assert found == direct
        fitting = rows // 60 + 1
        assert traffic.replayed == traffic.packets <= fitting + 1

    async def test_framed(self) -> None:
        """What is around the values counts, too."""
        memory, manners = Memory(PLENTY), Manners()
        long = Auth(community="c" * 400)
        async with serve(numbers(), manners, long.community.encode()) as agent:
            for _ in range(3):
                manners.forget()
                await walk(agent.port, memory, auth=long)
        assert max(manners.asked) > REPETITIONS
        assert DATAGRAM - 100 < max(manners.sent) <= DATAGRAM


class TestAgents:
    @pytest.mark.parametrize("refusing", [False, True])
    async def test_too_much(self, refusing: bool) -> None:  # noqa: FBT001
        """An agent that bears no more than the module says is asked for that, ever more often."""
        memory, manners = Memory(PLENTY), Manners(silent=REPETITIONS, refusing=refusing)
        failures = []
        async with serve(numbers(), manners) as agent:
            direct, _ = await walk(agent.port, None)
            for turn in range(40):
                manners.forget()
                found, traffic = await walk(agent.port, memory)
                assert found == direct
                assert traffic.repetitions == 0
                assert sum(count > REPETITIONS for count in manners.asked) <= 1
                if max(manners.asked) > REPETITIONS:
                    failures.append(turn)
        pauses = [later - sooner for sooner, later in pairwise(failures)]
        assert 2 <= len(failures) <= 4
        assert pauses == sorted(pauses)

    async def test_lost(self) -> None:
        """An answer that is lost once does not change what is asked for."""
        memory, manners, lost = Memory(PLENTY), Manners(), 0

        def losing(agent: Agent, request: Request) -> list[bytes]:
            nonlocal lost
            packets = manners(agent, request)
            if lost or len(manners.asked) != 3:
                return packets
            lost += 1
            return []

        async with serve(numbers(), manners) as agent:
            for _ in range(3):
                direct, before = await walk(agent.port, memory)
            manners.forget()
            agent.reply = losing
            found, traffic = await walk(agent.port, memory)
            after, again = await walk(agent.port, memory)
        assert found == after == direct
        assert (lost, traffic.retries) == (1, 1)
        assert (again.packets, again.replayed) == (before.packets, before.packets)

    @pytest.mark.parametrize(
        ("octets", "values"),
        [*((most, 10_000) for most in (484, 700, 1_300)), *((65_535, n) for n in (18, 20, 30, 61))],
    )
    async def test_smaller_answers(self, octets: int, values: int) -> None:
        """An agent that sends no more is asked for what fits, or as if there was no plan."""
        memory, manners = Memory(PLENTY), Manners(octets, values)
        async with serve(numbers(), manners) as agent:
            direct, _ = await walk(agent.port, None)
            pages = len(manners.sent)
            for _ in range(12):
                manners.forget()
                found, traffic = await walk(agent.port, memory)
                assert found == direct
        assert traffic.decoded == 0
        assert len(manners.sent) <= pages


@steady
@given(
    st.lists(
        st.tuples(
            changes,
            st.builds(
                Manners,
                octets=st.sampled_from([400, 1_000, 65_535]),
                values=st.sampled_from([10, 25, 10_000]),
                silent=st.sampled_from([25, 10_000, 10_000]),
                refusing=st.just(True),
            ),
        ),
        min_size=3,
        max_size=8,
    )
)
def test_any_walks(turns: list[tuple[dict[int, Value | None], Manners]]) -> None:
    """Whatever comes between walks, each brings what it would if it was the first."""

    async def compare() -> None:
        memory, now = Memory(PLENTY), {row: integer(1000 + row, 0x41) for row in range(1, 90)}
        async with serve({}) as agent:
            for changed, manners in turns:
                now = {row: cell for row, cell in (now | changed).items() if cell is not None}
                become(agent, table(now, {1: integer(len(now))}), manners)
                found = [(await walk(agent.port, known))[0] for known in (memory, None, memory)]
                assert found[0] == found[1] == found[2]

    asyncio.run(compare())


@given(
    st.lists(st.integers(10, 300), min_size=1, max_size=400),
    st.integers(300, 1_500),
    st.integers(1, 100),
)
def test_counts(widths: list[int], room: int, most: int) -> None:
    """Everything is asked for in as few pages as can be, each of which fits."""
    counts = datagrams.counts(widths, room, most)
    cut, pages = list(widths), []
    for count in counts:
        pages.append(cut[:count])
        cut = cut[count:]
    fewest, left = 0, list(widths)
    while left:
        fitting = 0
        while fitting < min(most, len(left)) and sum(left[: fitting + 1]) <= room:
            fitting += 1
        left, fewest = left[fitting:], fewest + 1

    assert not cut
    assert all(pages)
    assert len(counts) == fewest
    assert all(len(page) <= most and sum(page) <= room for page in pages)
