"""A device polled at once: samples come with the answer where they are asked for."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from exporter.app import poll
from tests.exporter.agent import Agent, Value, octets, parse, serve

BEARER = {"Authorization": "Bearer t0ken"}
ALIAS = "1.3.6.1.2.1.31.1.1.1.18.2"
HOSTILE = 'to "b\\c"\n{x="1"} 7'


@pytest.fixture
async def agent(switch: dict[str, Value]) -> AsyncIterator[Agent]:
    """Give a switch with two ports."""
    async with serve(switch) as there:
        yield there


async def polled(client: httpx.AsyncClient, agent: Agent, **more: Any) -> dict[str, Any]:
    device = {"address": "127.0.0.1", "port": agent.port, "auths": ["lab"]}
    body = {"device": device, "auths": {"lab": {"version": 2, "community": "public"}}, **more}
    answer = await client.post("/poll", json=body, headers=BEARER)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert told["outcome"] == "ok"
    return told


async def test_what_was_asked_for(asking: httpx.AsyncClient, agent: Agent) -> None:
    """The families that are named come as a scrape has them, and no other."""
    agent.table[parse(ALIAS)] = octets(HOSTILE)
    told = await polled(asking, agent, families=["ifOperStatus", "chm_interfaces", "nobody_has_it"])
    lines = [line for line in told["exposition"].splitlines() if not line.startswith("#")]
    assert {line.partition("{")[0].partition(" ")[0] for line in lines} == {
        *("ifOperStatus", "chm_interfaces"),
    }
    (second,) = [line for line in lines if 'ifIndex="2"' in line]
    assert second.endswith("} 2")
    assert f"ifAlias={json.dumps(HOSTILE)}" in second


async def test_nothing_was_asked_for(asking: httpx.AsyncClient, agent: Agent) -> None:
    """Who wants to know how collectors fare gets no samples."""
    assert (await polled(asking, agent))["exposition"] == ""


async def test_too_much(
    asking: httpx.AsyncClient, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a device that tells without end there are no samples, and the rest is told."""
    monkeypatch.setattr(poll, "LARGEST", 100)
    told = await polled(asking, agent, families=["ifOperStatus"])
    assert (told["exposition"], told["profile"]) == ("", "cisco_ios")
