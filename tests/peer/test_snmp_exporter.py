"""The same question to both exporters has the same answer, but for what the guide lists."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab import recording, topology
from lab.recording import recordings as played
from lab.server import Lab
from lab.topology import Topology
from tests.exporter.agent import Agent, Request, Value, encode, integer, serve
from tests.exporter.agent import parse as oid_of
from tests.peer import differences
from tests.peer.conftest import Pair, recordings
from tests.peer.pages import parse

pytestmark = pytest.mark.peer

BASE = "127.0.98.0"
ZOO = Path(__file__).parent / "zoo.snmprec"


def test_every_difference_is_in_the_guide() -> None:
    """Nobody who moves is surprised: what differs is written down, and nothing else is."""
    known = differences.SILENCES | differences.ERRORS | differences.REFUSALS.keys()
    assert differences.documented() == known


async def test_a_broken_walk(pair: Pair) -> None:
    """What snmp_exporter calls a success, with half of the interfaces, is an error of ours."""
    column = "1.3.6.1.2.1.2.2.1.10"

    def broken(agent: Agent, request: Request) -> list[bytes]:
        if request.oids[0][: len(oid_of(column))] == oid_of(column):
            return [encode(request, [(request.oids[0], Value(0x05, b""))], error=5, index=1)]
        return agent.answer(request)

    table = {f"{column}.{row}": integer(row, 0x41) for row in range(1, 201)}
    async with serve(table, broken) as agent:
        ours, theirs = await pair.ask(f"127.0.0.1:{agent.port}", "if_mib", "public_v2")
    assert (ours.status_code, theirs.status_code) == (500, 200)
    assert "genErr" in ours.text


async def compared(
    pair: Pair, target: str, module: str, auth: str = "public_v2"
) -> tuple[str, list[str]]:
    """Return why snmp_exporter refused, if it did, and what differs without a reason."""
    ours, theirs = await pair.ask(target, module, auth)
    if theirs.status_code == httpx.codes.OK and ours.status_code == httpx.codes.OK:
        found = differences.unexplained(parse(ours.text), parse(theirs.text), pair.modules[module])
        return "", found
    refused = differences.refusal(theirs.text)
    if ours.status_code == httpx.codes.OK and refused:
        return refused, []
    if ours.status_code == theirs.status_code:
        return "", []
    return "", [f"ours {ours.status_code} {ours.text[:200]}, theirs {theirs.text[:200]}"]


async def test_the_zoo(pair: Pair) -> None:
    """Every type, index, lookup, modifier and filter, over v1 and v2c."""
    seen: Counter[str] = Counter()
    async with Lab(Topology(()), snmp_port=0, recordings=played([ZOO], BASE)) as lab:
        target = f"{lab.address('zoo')}:{lab.port}"
        for module in (name for name in pair.modules if name.startswith("zoo_")):
            for auth in ("public_v1", "public_v2"):
                refused, found = await compared(pair, target, module, auth)
                seen[refused] += 1
                assert not found, module

    # Each refusal that the guide lists was provoked.
    assert differences.REFUSALS.keys() <= seen.keys()


async def test_the_lab(pair: Pair) -> None:
    """Every module of every simulated device; the clock of the lab stands still."""
    async with Lab(topology.demo(BASE), snmp_port=0, tick=1e6) as lab:
        found = [
            (device, module, *(await compared(pair, f"{address}:{lab.port}", module))[1])
            for device, address in lab.addresses.items()
            for module in pair.modules
        ]
    assert [entry for entry in found if len(entry) > 2] == []


@pytest.mark.parametrize("path", recordings(), ids=lambda path: path.name.partition(".")[0])
async def test_a_recording(pair: Pair, path: Path) -> None:
    """Every module that a real device once had something to say about."""
    known = sorted(".".join(map(str, oid)) + "." for oid, _ in recording.read(path))
    async with Lab(Topology(()), snmp_port=0, recordings=played([path], BASE)) as lab:
        [address] = lab.addresses.values()
        for module in pair.modules:
            if any(concerns(oid, known) for oid in asked(pair.modules[module])):
                _, found = await compared(pair, f"{address}:{lab.port}", module)
                assert not found, module


def asked(module: Mapping[str, Any]) -> list[str]:
    """Return the OIDs that a module asks for."""
    return [*module.get("walk", ()), *module.get("get", ())]


def concerns(oid: str, known: list[str]) -> bool:
    """Return whether any of the OIDs, sorted as text, is at or below one."""
    at = bisect_left(known, oid + ".")
    return at < len(known) and known[at].startswith(oid + ".")


async def test_net_snmp(pair: Pair, snmpd: str) -> None:
    """A live agent: its values move, so theirs must lie between two of ours."""
    for module in pair.modules:
        before, theirs = (parse(page.text) for page in await pair.ask(snmpd, module))
        query = {"target": snmpd, "module": module}
        after = parse((await pair.ours.get("/snmp", params=query)).text)
        steady = before.samples.keys() & after.samples.keys()

        metrics = {metric["name"]: metric for metric in pair.modules[module]["metrics"]}
        said = {
            series
            for series, number in theirs.samples.items()
            if series in steady or not differences.left_out(series, number, metrics)
        }

        assert steady <= said <= before.samples.keys() | after.samples.keys()
        for series in steady:
            if not differences.MEASURED.fullmatch(series):
                low, high = sorted((before.samples[series], after.samples[series]))
                assert low <= theirs.samples[series] <= high, series
        names = before.types.keys() & theirs.types.keys()
        assert {n: before.types[n] for n in names} == {n: theirs.types[n] for n in names}
