"""docs/howto/add-a-vendor.md, followed as it is written."""

import asyncio
import re
from dataclasses import fields
from pathlib import Path

import pytest

from exporter import exposition
from exporter.probe import Devices, Explanation, Subject, explained, look
from exporter.profiles import loader
from exporter.profiles.schema import Health, Info, Match, Profile, Source
from exporter.protocols.snmp import Target
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.agent import Value, integer, octets, oid_value, serve

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "add-a-vendor.md").read_text()


def block(language: str) -> str:
    """Return the example of a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def recorded() -> dict[str, Value]:
    """Return what the example's device answers."""
    table = {}
    for line in block("snmprec").splitlines():
        oid, tag, text = line.split("|")
        table[oid] = (
            {"4": octets, "6": oid_value}[tag](text)
            if tag in "46"
            else integer(int(text), int(tag))
        )
    return table


@pytest.fixture
async def followed(tmp_path: Path, telemetry: Telemetry) -> tuple[str, Explanation]:
    """Return the page that comes of the example, and its explanation."""
    path = tmp_path / "own.yml"
    path.write_text(block("yaml"))
    configuration = loader.load([str(path)])
    async with serve(recorded()) as agent:
        auths = {"lab": configuration.auths["public_v2"]}
        subject = Subject("acme", Target("127.0.0.1", agent.port), auths)
        devices = Devices(Settings(), telemetry)
        deadline = asyncio.get_running_loop().time() + 5
        async with devices.turn("acme", deadline) as state:
            seen = await look(devices, subject, state, configuration, deadline)
    page = exposition.render(seen.families()).body.decode()
    return page, explained(seen, subject, configuration)


async def test_the_example_works(followed: tuple[str, Explanation]) -> None:
    """The file of the page makes of the device of the page exactly the samples of the page."""
    own = re.compile(r"chm_(?!collectors?_|device_up|uptime_)")
    made = sorted(line for line in followed[0].splitlines() if own.match(line))
    assert made == block("prom").splitlines()


async def test_the_reasons_are_true(followed: tuple[str, Explanation]) -> None:
    """What the page says of rows without samples is what is explained."""
    told = followed[1]
    reasons = {
        row.reason
        for collector in told.collectors
        for entry in collector.entries
        for row in entry.rows
        if row.reason
    }
    assert reasons == {"-1270 of acmeTemperature means no value", "no state for 4"}
    for reason in reasons:
        assert f"`{reason}`" in PAGE.replace("\n", " ")
    assert told.profile == "acme"


@pytest.mark.parametrize("kind", [Health, Profile, Match, Info, Source])
def test_every_key_is_explained(kind: type) -> None:
    """Each key that a health entry or a profile can have stands on the page."""
    missing = [field.name for field in fields(kind) if f"`{field.name}`" not in PAGE]
    assert missing == []
