from pathlib import Path
from typing import Any

import pytest

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
from tests.exporter.serving import INTERFACES, calling, column, counted, made

DESCR, NAME = "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.31.1.1.1.1"
WIDE = {"walk": [INTERFACES], "metrics": [column("wideDescr", DESCR)]}
NARROW = {"walk": [DESCR], "metrics": [column("narrowDescr", DESCR)]}
OTHER = {"walk": [NAME], "metrics": [column("otherName", NAME)]}
MODULES = {"wide": WIDE, "narrow": NARROW, "other": OTHER}


def walks(agent: Agent, oid: str) -> int:
    """Return how often a walk began at an OID."""
    return sum(
        request.pdu == GETBULK and request.oids[0] == parse(oid) for request in agent.requests
    )


def series(text: str) -> list[str]:
    """Return the samples of a page, without what differs from scrape to scrape."""
    return [line for line in text.splitlines() if not line.startswith(("#", "snmp_scrape_"))]


class TestShared:
    @pytest.mark.parametrize("order", ["wide,narrow", "narrow,wide"])
    async def test_covered(self, tmp_path: Path, switch: dict[str, Value], order: str) -> None:
        """A subtree that lies within another one of the same scrape is not walked again."""
        async with serve(switch) as agent, calling(made(tmp_path, MODULES)) as client:
            answer = await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module={order}")

        assert (walks(agent, INTERFACES), walks(agent, DESCR)) == (1, 0)
        for name in ("wideDescr", "narrowDescr"):
            assert f'{name}{{index="2",{name}="GigabitEthernet1/0/2"}} 1' in answer.text
        assert 'snmp_scrape_pdus_returned{module="narrow"} 2' in answer.text

    async def test_similar_numbers(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """1.2 holds 1.2.3, and not 1.20."""
        modules = {"one": {"walk": ["1.3.6.1.2.1.2"]}, "two": {"walk": ["1.3.6.1.2.1.20"]}}
        async with serve(switch) as agent, calling(made(tmp_path, modules)) as client:
            await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=one,two")
        assert walks(agent, "1.3.6.1.2.1.20") == 1

    async def test_similar_numbers_within(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """What is taken of a walked 1.2 for 1.2.3 has nothing of 1.2.30 or 1.2.4."""
        beside = {f"1.3.6.1.2.1.2.2.1.{column}.1": integer(7) for column in (20, 29, 3)}
        async with serve({**switch, **beside}) as agent, calling(made(tmp_path, MODULES)) as client:
            answer = await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=wide,narrow")
        assert 'snmp_scrape_pdus_returned{module="narrow"} 2' in answer.text


@pytest.mark.parametrize(("modules", "walking"), [(1, 1), (3, 1), (1, 4), (3, 4)])
async def test_side_by_side(
    tmp_path: Path, switch: dict[str, Value], modules: int, walking: int
) -> None:
    """However many modules and walks run side by side, the page is the same."""
    alone, together = tmp_path / "a", tmp_path / "b"
    for folder in (alone, together):
        folder.mkdir()
    exporter = made(together, MODULES, module_concurrency=modules, walk_concurrency=walking)
    async with (
        serve(switch) as agent,
        calling(made(alone, MODULES)) as one,
        calling(exporter) as many,
    ):
        names = "wide,other,narrow,if_mib,system,cisco_envmon"
        url = f"/snmp?target=127.0.0.1:{agent.port}&module={names}"
        expected = await one.get(url)
        packets = len(agent.requests)
        found = await many.get(url)

    assert found.status_code == 200
    assert series(found.text) == series(expected.text)
    assert len(agent.requests) == 2 * packets


@pytest.mark.parametrize("concurrency", [1, 3])
class TestPartial:
    @staticmethod
    def deaf(agent: Agent, request: Request) -> list[bytes]:
        """Answer all but one walk."""
        return [] if request.oids[0] == parse(NAME) else agent.answer(request)

    async def test_strict(self, tmp_path: Path, switch: dict[str, Value], concurrency: int) -> None:
        """One module that fails is a 500 that names module and OID, as in snmp_exporter."""
        exporter = made(tmp_path, MODULES, module_concurrency=concurrency)
        async with serve(switch, self.deaf) as agent, calling(exporter, 1) as client:
            answer = await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=wide,other")

        assert answer.status_code == 500
        assert f"module other: no answer at {NAME}" in answer.text

    async def test_partial(
        self, tmp_path: Path, switch: dict[str, Value], concurrency: int
    ) -> None:
        """`partial=true` takes what can be had, and says of each module whether it is there."""
        exporter = made(tmp_path, MODULES, module_concurrency=concurrency)
        async with serve(switch, self.deaf) as agent, calling(exporter, 1) as client:
            url = f"/snmp?target=127.0.0.1:{agent.port}&partial=true&module="
            answer = await client.get(url + "wide,other")
            nothing = await client.get(url + "other")
            wrong = await client.get(f"{url}other&partial=perhaps")

        assert answer.status_code == 200
        assert 'chm_collector_success{collector="wide"} 1' in answer.text
        assert 'chm_collector_success{collector="other"} 0' in answer.text
        assert 'wideDescr{index="1"' in answer.text
        assert "otherName" not in answer.text
        assert nothing.status_code == 500
        assert wrong.status_code == 400


class TestRepetitions:
    """Agents that cannot send many values at once."""

    async def pages(
        self, folder: Path, switch: dict[str, Value], reply: Any, patience: str
    ) -> tuple[list[int], list[int], float]:
        """Return how many values two scrapes asked for at a time, and the metric after them."""
        module = {**WIDE, "max_repetitions": 16, "timeout": patience, "retries": 3}
        exporter = made(folder, {"wide": module})
        asked: list[list[int]] = []
        async with serve(switch, reply) as agent, calling(exporter) as client:
            for _ in range(2):
                agent.requests.clear()
                answer = await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=wide")
                assert answer.status_code == 200, answer.text
                assert 'wideDescr{index="2"' in answer.text
                asked.append([r.max_repetitions for r in agent.requests if r.pdu == GETBULK])
        return asked[0], asked[1], counted(exporter, "chm_exporter_devices_reduced_repetitions")

    async def test_too_big(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """An agent that says tooBig is asked for half as much, and from then on from the start."""

        def reply(agent: Agent, request: Request) -> list[bytes]:
            if request.max_repetitions > 5:
                return [encode(request, [], error=1)]
            return agent.answer(request)

        first, second, reduced = await self.pages(tmp_path, switch, reply, "1s")
        assert first[:3] == [16, 8, 4]
        assert set(second) == {4}
        assert reduced == 1

    async def test_lost(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """An agent whose large responses never arrive is asked for less at the second retry."""

        def reply(agent: Agent, request: Request) -> list[bytes]:
            return [] if request.max_repetitions > 5 else agent.answer(request)

        first, second, reduced = await self.pages(tmp_path, switch, reply, "100ms")
        assert first[:4] == [16, 16, 8, 4]
        assert set(second) == {4}
        assert reduced == 1

    async def test_one_loss(self, tmp_path: Path, switch: dict[str, Value]) -> None:
        """A single lost response changes nothing."""
        lost: list[Request] = []

        def reply(agent: Agent, request: Request) -> list[bytes]:
            if not lost:
                lost.append(request)
                return []
            return agent.answer(request)

        first, second, reduced = await self.pages(tmp_path, switch, reply, "100ms")
        assert set(first) == set(second) == {16}
        assert reduced == 0


BROKEN = "the agent answered genErr after"


class TestBrokenOff:
    """An agent that answers with an error in the middle of what it has."""

    @pytest.fixture
    def pages(self) -> dict[str, Value]:
        """Return more than one page of a column."""
        return {f"{DESCR}.{row}": octets(f"port {row}") for row in range(1, 61)}

    @staticmethod
    def broken(agent: Agent, request: Request) -> list[bytes]:
        """Answer genErr to everything after the first page."""
        if len(request.oids[0]) > len(parse(DESCR)):
            return [encode(request, [(request.oids[0], Value(0x05, b""))], error=5, index=1)]
        return agent.answer(request)

    @pytest.mark.parametrize("auth", ["public_v1", "public_v2"])
    async def test_strict(self, tmp_path: Path, pages: dict[str, Value], auth: str) -> None:
        """A walk that ends in the middle is an error that says where, and no shorter page."""
        exporter = made(tmp_path, MODULES)
        async with serve(pages, self.broken) as agent, calling(exporter) as client:
            answer = await client.get(
                f"/snmp?target=127.0.0.1:{agent.port}&module=narrow&auth={auth}"
            )

        last = 1 if auth == "public_v1" else 25
        assert answer.status_code == 500
        assert f"module narrow: {BROKEN} {DESCR}.{last}\n" in answer.text
        assert counted(exporter, "chm_exporter_probe_errors_total", reason="broken_off") == 1
        assert counted(exporter, "chm_exporter_agent_errors_total") == 1

    async def test_partial(self, tmp_path: Path, pages: dict[str, Value]) -> None:
        """Who takes what can be had gets it, and every module that shares the walk says so."""
        modules = MODULES | {"same": NARROW}
        exporter = made(tmp_path, modules)
        async with serve(pages, self.broken) as agent, calling(exporter) as client:
            target = f"127.0.0.1:{agent.port}"
            answer = await client.get(f"/snmp?target={target}&module=narrow,same&partial=true")

        assert answer.status_code == 200
        assert answer.text.count("narrowDescr{") == 25
        for module in ("narrow", "same"):
            assert f'chm_collector_success{{collector="{module}"}} 0' in answer.text
        assert counted(exporter, "chm_exporter_agent_errors_total") == 1

    async def test_from_the_start(self, tmp_path: Path, pages: dict[str, Value]) -> None:
        """A table that is refused from the start is one that the device does not have."""

        def refuse(_agent: Agent, request: Request) -> list[bytes]:
            return [encode(request, [(request.oids[0], Value(0x05, b""))], error=5, index=1)]

        async with serve(pages, refuse) as agent, calling(made(tmp_path, MODULES)) as client:
            url = f"/snmp?target=127.0.0.1:{agent.port}&module=narrow"
            strict, partial = await client.get(url), await client.get(f"{url}&partial=true")
        assert strict.status_code == 200
        assert 'chm_collector_success{collector="narrow"} 0' in partial.text

    async def test_get(self, tmp_path: Path, pages: dict[str, Value]) -> None:
        """An object that the agent cannot give costs a strict scrape, and a partial one itself."""
        wanted = [f"{DESCR}.{row}" for row in (1, 2, 3)]
        modules = {"some": {"get": wanted, "metrics": [column("descr", DESCR)]}}

        def fails(agent: Agent, request: Request) -> list[bytes]:
            if parse(wanted[1]) in request.oids:
                empty = [(oid, Value(0x05, b"")) for oid in request.oids]
                return [encode(request, empty, error=5, index=1)]
            return agent.answer(request)

        async with serve(pages, fails) as agent, calling(made(tmp_path, modules)) as client:
            url = f"/snmp?target=127.0.0.1:{agent.port}&module=some"
            strict, partial = await client.get(url), await client.get(f"{url}&partial=true")
        assert strict.status_code == 500
        assert f"the agent answered genErr at {wanted[1]}" in strict.text
        assert partial.text.count("descr{") == 2


async def test_unexpected_pdu(tmp_path: Path, switch: dict[str, Value]) -> None:
    """An answer that is no response, such as a request sent back, is no value, and counted."""

    def echo(agent: Agent, request: Request) -> list[bytes]:
        (answer,) = agent.answer(request)
        return [answer.replace(b"\xa2", b"\xa0", 1), answer]

    exporter = made(tmp_path, MODULES)
    async with serve(switch, echo) as agent, calling(exporter) as client:
        url = f"/snmp?target=127.0.0.1:{agent.port}&module=narrow"
        assert (await client.get(url)).status_code == 200
    asked = len(agent.requests)
    assert counted(exporter, "snmp_unexpected_pdu_type_total") == asked > 0


async def test_catastrophic_patterns(tmp_path: Path) -> None:
    """No pattern of an operator's makes the exporter hang on what a device says."""
    pattern = "(([a-z])+.)+[A-Z]([a-z])+"
    table = {f"{DESCR}.1": octets("a" * 2_000)}
    extract = {"Number": [{"regex": pattern, "value": "1"}]}
    metric = column("descr", DESCR) | {"regex_extracts": extract}
    rule = {"oid": DESCR, "targets": [DESCR], "values": [pattern]}
    modules = {
        "extract": {"walk": [DESCR], "metrics": [metric]},
        "filter": {"walk": [DESCR], "metrics": [column("other", DESCR)], "filters": [rule]},
    }
    async with serve(table) as agent, calling(made(tmp_path, modules)) as client:
        answer = await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=extract,filter")
    assert answer.status_code == 200
    assert not any(line.startswith(("descr", "other")) for line in answer.text.splitlines())
