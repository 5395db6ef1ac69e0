"""A trap has its device polled at once, and the control plane knows what has changed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import func, select

from controlplane import files
from controlplane.auth.permissions import Permission
from controlplane.devices import polls
from controlplane.devices.interfaces.learning import InterfaceLearner
from controlplane.settings import Settings
from controlplane.targets.polling import LOCK, Poller, Prompted
from exporter.app import create_app as create_exporter
from exporter.cli import server as process
from exporter.cli import sockets
from tests.controlplane.conftest import Service, Sessions
from tests.controlplane.devices.interfaces import telling
from tests.exporter.agent import Agent, Value, integer, parse, serve
from tests.exporter.serving import listening, made, with_device
from tests.exporter.traps.sending import LINK_DOWN, sent

DEVICE = "/api/v1/devices/edge1"
ADMIN, OPER, INDEX = (f"1.3.6.1.2.1.2.2.1.{column}" for column in (7, 8, 1))
UP, DOWN = integer(1), integer(2)
NAME = "1.3.6.1.2.1.1.5.0"
TRAP = ("-v", "2c", "-c", "public", "--", "4711")
REFUSED_US = "1.3.6.1.6.3.1.1.5.5"
PAUSE = timedelta(hours=1)


@dataclass
class Network:
    """A device, the exporter that has its traps, and the worker that polls for them."""

    agent: Agent
    client: AsyncClient
    prompted: Prompted
    traps: int

    async def sends(self, oid: str = LINK_DOWN) -> None:
        """Have the device send a trap about its second port, and the control plane hear of it."""
        heard = await self._events()
        await sent(self.traps, *TRAP, oid, f"{INDEX}.2", "i", "2")
        async with asyncio.timeout(20):
            while await self._events() == heard:
                await asyncio.sleep(0.05)

    async def _events(self) -> int:
        count: int = (await self.client.get("/api/v1/events")).json()["count"]
        return count

    async def port(self) -> str:
        """Give the state of the second port, as people see it."""
        listed = await self.client.get("/api/v1/interfaces", params={"device": "edge1"})
        states = {one["index"]: one["oper_status"] for one in listed.json()["results"]}
        state: str = states[2]
        return state

    async def last(self) -> dict[str, Any]:
        """Give the last poll, as people see it."""
        answer = await self.client.get(f"{DEVICE}/poll")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
async def network(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    app: FastAPI,
    settings: Settings,
    sessions: Sessions,
    client: AsyncClient,
    service: Service,
    switch: dict[str, Value],
) -> AsyncIterator[Network]:
    """Give a device that the control plane was told of, with a port that is up."""
    files.replace(settings.verify_token_file, b"t0ken", files.PRIVATE)
    async with serve(switch | {f"{ADMIN}.2": UP, f"{OPER}.2": UP}) as agent:
        asked = made(tmp_path, verify_token_file=settings.verify_token_file)
        hearing = with_device(made(tmp_path, traps_listen=("127.0.0.1:0",)), agent.port)
        assert hearing.inventory is not None
        hearing.inventory.client = await service(Permission.SNAPSHOT_READ)
        async with listening(create_exporter(asked)) as port:
            changed = settings.model_copy(update={"exporters": (f"127.0.0.1:{port}",)})
            poller = Poller(app.state.vault, changed)
            credential = {"name": "lab", "version": 2, "community": "public"}
            assert (await client.post("/api/v1/credentials", json=credential)).status_code == 201
            device = {"name": "edge1", "address": "127.0.0.1", "port": agent.port}
            given = await client.post("/api/v1/devices", json={**device, "credentials": ["lab"]})
            assert given.status_code == 201, given.text
            with sockets.receive("127.0.0.1:0") as receiving:
                traps = process.traps(hearing, [receiving])
                assert traps is not None
                async with traps.open():
                    prompted = Prompted(sessions, poller, PAUSE)
                    yield Network(agent, client, prompted, receiving.getsockname()[1])


async def test_what_changed_is_known_at_once(network: Network) -> None:
    """A port that goes down is down in the inventory, before Prometheus has asked the device."""
    await network.sends("1.3.6.1.6.3.1.1.5.4")
    await network.prompted.run()
    assert await network.port() == "up"
    facts = (await network.client.get(DEVICE)).json()["facts"]
    assert (facts["sys_name"], facts["vendor"], facts["serial"]) == (
        "edge1",
        "Cisco",
        "FOC1234X0AB",
    )

    network.agent.table[parse(f"{OPER}.2")] = DOWN
    await network.sends()
    await replace(network.prompted, pause=timedelta(microseconds=1)).run()
    assert await network.port() == "down"
    last = await network.last()
    assert (last["device"], last["outcome"], last["trap"]) == ("edge1", "ok", "linkDown")
    fared = {each["name"]: each["outcome"] for each in last["collectors"]}
    assert fared["if_mib"] == "ok"


async def test_older_samples_do_not_undo_it(network: Network, sessions: Sessions) -> None:
    """What Prometheus scraped before the trap is not learned after it."""
    network.agent.table[parse(f"{OPER}.2")] = DOWN
    await network.sends()
    await network.prompted.run()
    before = telling.prometheus(telling.port("edge1", "Gi1/0/2", 2), telling.answered("edge1"))

    await InterfaceLearner(sessions, before).learn()
    assert await network.port() == "down"
    await InterfaceLearner(sessions, before, timedelta(days=-1)).learn()  # a scrape later
    assert await network.port() == "up"


async def test_a_storm(network: Network) -> None:
    """However many traps a device sends, it is polled once in a while."""
    for _ in range(3):
        await network.sends()
    await network.prompted.run()
    first = await network.last()
    asked = len(network.agent.requests)
    assert asked

    await network.sends()
    await asyncio.gather(*(network.prompted.run() for _ in range(3)))
    assert await network.last() == first

    short = replace(network.prompted, pause=timedelta(microseconds=1))
    await asyncio.gather(*(short.run() for _ in range(3)))
    assert (await network.last())["at"] > first["at"]


async def test_traps_that_ask_for_nothing(network: Network, monkeypatch: Any) -> None:
    """A wrong password is no news of the device; a trap that came late is none either."""
    await network.sends(REFUSED_US)
    await network.prompted.run()
    assert (await network.client.get(f"{DEVICE}/poll")).status_code == 404

    monkeypatch.setattr(polls, "STALE", timedelta(0))
    await network.sends()
    monkeypatch.undo()
    await network.prompted.run()
    assert (await network.client.get(f"{DEVICE}/poll")).status_code == 404


async def test_switched_off(network: Network) -> None:
    """Without a pause there are no polls of traps."""
    await network.sends()
    await replace(network.prompted, pause=timedelta(0)).run()
    assert (await network.client.get(f"{DEVICE}/poll")).status_code == 404


async def test_a_device_that_somebody_polls(network: Network) -> None:
    """It is polled for its trap later: what somebody hears may be from before it."""
    await network.sends()
    device = (await network.client.get(DEVICE)).json()["id"]
    async with network.prompted.sessions.begin() as somebody:
        await somebody.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(device))))
        await network.prompted.run()
    assert (await network.client.get(f"{DEVICE}/poll")).status_code == 404

    await replace(network.prompted, pause=timedelta(microseconds=1)).run()
    assert (await network.last())["trap"] == "linkDown"


async def test_a_silent_device(network: Network) -> None:
    """That it does not answer is told; what is known of its ports stays."""
    await network.sends()
    await network.prompted.run()
    await network.client.patch(DEVICE, json={"port": 1})
    await network.sends()
    await replace(network.prompted, pause=timedelta(microseconds=1)).run()
    assert (await network.last())["outcome"] == "unreachable"
    assert await network.port() == "up"
