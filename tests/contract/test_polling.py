"""The control plane has the real exporter poll a real agent."""

import asyncio
from pathlib import Path

from httpx import AsyncClient
from sqlalchemy import func, select

from controlplane import files
from controlplane.targets.polling import PLACES, PLACES_LOCK
from tests.contract.test_verification import (  # noqa: F401 - fixtures
    asking,
    exporter,
    exporter_token,
)
from tests.controlplane.conftest import Sessions
from tests.exporter.conftest import snmpd  # noqa: F401 - a fixture

DEVICES = "/api/v1/devices"
COMMUNITY = "s3cret-community"


async def _give(client: AsyncClient, device: str, **credential: object) -> None:
    """Give a device a credential of its own, and take it out of monitoring."""
    made = await client.post("/api/v1/credentials", json={"name": f"of-{device}", **credential})
    assert made.status_code == 201, made.text
    change = {"credentials": [f"of-{device}"], "status": "planned"}
    assert (await client.patch(f"{DEVICES}/{device}", json=change)).status_code == 200


async def test_a_planned_device_tells_what_it_has(asking: AsyncClient) -> None:  # noqa: F811
    """Each collector says how it fared and what it found, before anything is monitored."""
    await _give(asking, "sw1", version=2, community="public")
    answer = await asking.post(f"{DEVICES}/sw1/poll")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["device"], told["outcome"], told["auth"]) == ("sw1", "ok", "of-sw1")
    collectors = {each["name"]: each for each in told["collectors"]}
    assert collectors["identity"]["outcome"] == "ok"
    interfaces = collectors["if_mib"]
    assert interfaces["outcome"] == "ok"
    assert interfaces["samples"] > 0
    assert interfaces["seconds"] > 0
    assert "if" in interfaces["found"]
    assert (await asking.get(f"{DEVICES}/sw1/poll")).json() == told
    facts = (await asking.get(f"{DEVICES}/sw1")).json()["facts"]
    assert facts["sys_name"] == "edge1"


async def test_a_silent_device_is_a_result_with_a_hint(asking: AsyncClient) -> None:  # noqa: F811
    """What does not answer is told in words, with what to look at, and without the secret."""
    await _give(asking, "dead", version=2, community=COMMUNITY)
    answer = await asking.post(f"{DEVICES}/dead/poll")
    told = answer.json()
    assert (answer.status_code, told["outcome"]) == (200, "unreachable")
    assert told["detail"].startswith("the port is closed")
    assert "community" in told["hint"]
    assert told["collectors"] == []
    assert COMMUNITY not in answer.text


async def test_a_module_nobody_has(asking: AsyncClient) -> None:  # noqa: F811
    """A module that the exporter does not know fails alone."""
    await _give(asking, "sw1", version=2, community="public")
    await asking.patch(f"{DEVICES}/sw1", json={"modules": ["nobody_has_it"]})
    told = (await asking.post(f"{DEVICES}/sw1/poll")).json()
    [unknown] = [each for each in told["collectors"] if each["outcome"] == "unknown_module"]
    assert (told["outcome"], unknown["name"]) == ("ok", "nobody_has_it")
    assert unknown["hint"]


async def test_a_device_without_credentials(asking: AsyncClient) -> None:  # noqa: F811
    """There is nothing to ask it with, and that is said at once."""
    answer = await asking.post(f"{DEVICES}/sw1/poll")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/credentials"
    assert (await asking.post(f"{DEVICES}/none/poll")).status_code == 404


async def test_one_poll_of_a_device_at_a_time(asking: AsyncClient) -> None:  # noqa: F811
    """Of two polls of one device at once, one is refused."""
    await _give(asking, "sw1", version=2, community="public")
    polls = [asking.post(f"{DEVICES}/sw1/poll") for _ in range(2)]
    statuses = [answer.status_code for answer in await asyncio.gather(*polls)]
    assert sorted(statuses) == [200, 409]
    assert (await asking.post(f"{DEVICES}/sw1/poll")).status_code == 200


async def test_an_exporter_that_does_not_know_us(
    asking: AsyncClient,  # noqa: F811
    exporter_token: Path,  # noqa: F811
) -> None:
    """A wrong token says nothing about the device, and is told as what it is."""
    await _give(asking, "sw1", version=2, community="public")
    files.replace(exporter_token, b"another")
    told = (await asking.post(f"{DEVICES}/sw1/poll")).json()
    assert told["outcome"] == "untested"
    assert told["detail"].endswith("answered 401")
    assert "token" in told["hint"]


async def test_few_polls_at_a_time(asking: AsyncClient, sessions: Sessions) -> None:  # noqa: F811
    """Who polls many devices that are silent leaves connections for everybody else."""
    await _give(asking, "sw1", version=2, community="public")
    places = func.generate_series(0, PLACES - 1).column_valued("place")
    async with sessions.begin() as others:
        taken = await others.scalars(select(func.pg_try_advisory_xact_lock(PLACES_LOCK, places)))
        assert all(taken.all())
        answer = await asking.post(f"{DEVICES}/sw1/poll")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (await asking.post(f"{DEVICES}/sw1/poll")).status_code == 200
