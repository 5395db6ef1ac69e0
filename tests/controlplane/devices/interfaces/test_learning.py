"""Interfaces, on their way from Prometheus to the reader."""

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from httpx import AsyncClient
from sqlalchemy import func, update
from sqlmodel import select

from controlplane.clients.prometheus import Answer, fake
from controlplane.database import now
from controlplane.devices.interfaces import learning
from controlplane.devices.interfaces.learning import InterfaceLearner
from controlplane.devices.interfaces.models import Interface, InterfaceChange
from tests.controlplane.conftest import Sessions
from tests.controlplane.devices.interfaces.telling import answering, learn, port

URL = "/api/v1/interfaces"


async def listed(client: AsyncClient) -> dict[str, Any]:
    response = await client.get(URL)
    assert response.status_code == 200, response.text
    return {one["name"]: one for one in response.json()["results"]}


async def changes(client: AsyncClient, name: str) -> list[tuple[str, str, str]]:
    """Give field, before and after of each change of an interface, the newest first."""
    found = (await listed(client))[name]
    told = (await client.get(f"{URL}/{found['id']}")).json()["changes"]
    return [(change["field"], change["before"], change["after"]) for change in told]


class TestLearning:
    async def test_first_time(self, ports: AsyncClient) -> None:
        """What a device tells of its ports is in the inventory, and is no change of anything."""
        found = await listed(ports)
        uplink = found["Gi1/0/1"]
        assert list(found) == ["Gi1/0/1", "Gi1/0/2", "Te1/1/1"]
        assert uplink["first_seen"] == uplink["last_seen"]
        told = {"device": "sw1", "site": "north", "index": 1, "alias": "uplink"}
        assert uplink.items() >= told.items()
        assert (uplink["type"], uplink["mac"]) == ("ethernetCsmacd", "AA:BB:CC:00:00:01")
        assert (uplink["admin_status"], uplink["oper_status"]) == ("up", "up")
        assert (uplink["importance"], uplink["monitored"]) == ("normal", "auto")
        assert found["Gi1/0/2"]["oper_status"] == "down"
        assert found["Te1/1/1"]["speed"] == 10_000_000_000
        assert await changes(ports, "Gi1/0/1") == []

    async def test_of_whoever_had_the_name(self, ports: AsyncClient, sessions: Sessions) -> None:
        """The ports of a device are not taken for those of one that took its name a moment ago."""
        await ports.patch("/api/v1/devices/sw1", json={"name": "sw2"})
        await ports.post("/api/v1/devices", json={"name": "sw1", "address": "10.0.0.2"})
        await learn(sessions, port("sw1", "Gi1/0/1"), port("sw2", "Gi1/0/1"))
        found = (await ports.get(URL)).json()["results"]
        assert {one["device"] for one in found} == {"sw2"}

    async def test_slow_and_nameless(self, switch: AsyncClient, sessions: Sessions) -> None:
        """Where ifHighSpeed is 0 ifSpeed counts, and ifDescr where there is no ifName."""
        await learn(
            sessions,
            port("sw1", "", 7, descr="eth0", mbits=0, bits=64_000, admin=3, oper=7),
            port("sw1", "", 8, oper=99),
        )
        found = await listed(switch)
        assert list(found) == ["8", "eth0"]
        assert found["eth0"]["speed"] == 64_000
        assert found["eth0"]["admin_status"] == "testing"
        assert found["eth0"]["oper_status"] == "lowerLayerDown"
        assert found["8"]["oper_status"] == "unknown"

    async def test_what_changes_is_noted(self, ports: AsyncClient, sessions: Sessions) -> None:
        """Another description or speed is noted, another index or state is taken up alone."""
        await learn(
            sessions,
            port("sw1", "Gi1/0/1", 11, alias="to core2", mbits=100, oper=2, mac="AA:BB:CC:00:00:01",
                 type="ethernetCsmacd"),
            whole=(),
        )  # fmt: skip
        found = (await listed(ports))["Gi1/0/1"]
        assert (found["index"], found["oper_status"], found["alias"]) == (11, "down", "to core2")
        assert sorted(await changes(ports, "Gi1/0/1")) == [
            ("alias", "uplink", "to core2"),
            ("speed", "1000000000", "100000000"),
        ]

    async def test_vanishes_and_returns(self, ports: AsyncClient, sessions: Sessions) -> None:
        """A port that is told of no more is gone, and one that is new since is noted."""
        await learn(sessions, port("sw1", "Gi1/0/1"), port("sw1", "Gi2/0/1", 9))
        found = await listed(ports)
        assert found["Gi1/0/1"]["gone_at"] is None
        assert found["Te1/1/1"]["gone_at"]
        assert await changes(ports, "Gi2/0/1") == [("presence", "", "present")]
        gone = (await ports.get(f"{URL}?gone_at__isnull=false")).json()
        assert [one["name"] for one in gone["results"]] == ["Gi1/0/2", "Te1/1/1"]
        await learn(sessions, port("sw1", "Te1/1/1", 3, mbits=10_000, alias="core"), whole=())
        assert (await listed(ports))["Te1/1/1"]["gone_at"] is None
        assert (await changes(ports, "Te1/1/1"))[0] == ("presence", "gone", "present")

    @pytest.mark.parametrize(
        ("parts", "whole"),
        [((), ()), ((), ("sw1",)), ((port("sw1", "Gi1/0/1"),), ())],
        ids=["silent", "without ports", "in part"],
    )
    async def test_missing_is_not_gone(
        self, ports: AsyncClient, sessions: Sessions, parts: Any, whole: Any
    ) -> None:
        """A device that was not asked, or not told in full, keeps its interfaces."""
        await learn(sessions, *parts, whole=whole)
        assert {one["gone_at"] for one in (await listed(ports)).values()} == {None}

    async def test_the_operators_word_stays(self, ports: AsyncClient, sessions: Sessions) -> None:
        """What was set is kept whatever the device tells, also while the interface is gone."""
        found = (await listed(ports))["Gi1/0/1"]
        said = {"description": "To the bank", "importance": "critical", "monitored": "yes"}
        await ports.patch(f"{URL}/{found['id']}", json=said)
        await learn(sessions, port("sw1", "Gi1/0/2", 2))
        await learn(sessions, port("sw1", "Gi1/0/1", 5, alias="other"))
        after = (await listed(ports))["Gi1/0/1"]
        assert after.items() >= said.items()
        assert (after["id"], after["version"], after["alias"]) == (found["id"], 2, "other")
        assert after["disagrees"] == ["description"]

    async def test_strangers(self, switch: AsyncClient, sessions: Sessions) -> None:
        """Ports of a device that is not in the inventory are nobody's."""
        await learn(sessions, port("gone", "Gi1/0/1"))
        assert await listed(switch) == {}

    async def test_with_the_device_it_goes(self, ports: AsyncClient) -> None:
        """With a device go its interfaces."""
        assert (await ports.delete("/api/v1/devices/sw1")).status_code == 204
        assert await listed(ports) == {}


class TestWriting:
    async def test_what_is_as_before_is_not_written(
        self, ports: AsyncClient, sessions: Sessions, statements: list[str]
    ) -> None:
        """Interfaces that are told as they were cost no write, until an hour has passed."""
        again = (
            port("sw1", "Gi1/0/1", 1, alias="uplink", type="ethernetCsmacd",
                 mac="AA:BB:CC:00:00:01"),
            port("sw1", "Gi1/0/2", 2, oper=2),
            port("sw1", "Te1/1/1", 3, mbits=10_000, alias="core"),
        )  # fmt: skip
        statements.clear()
        await learn(sessions, *again)
        assert [s for s in statements if s.startswith(("INSERT", "UPDATE"))] == []

        first = now() - learning.CONFIRMED
        async with sessions.begin() as session:
            await session.execute(update(Interface).values(last_seen=first))
        await learn(sessions, *again)
        seen = {one["last_seen"] for one in (await listed(ports)).values()}
        assert first.isoformat() not in seen
        assert await changes(ports, "Gi1/0/1") == []

    async def test_statements_do_not_grow(
        self, client: AsyncClient, sessions: Sessions, statements: list[str]
    ) -> None:
        """A hundred devices with twenty interfaces each are taken up in a few statements."""
        names = [f"edge{number}" for number in range(100)]
        devices = [{"name": name, "address": "10.0.0.1"} for name in names]
        await client.post("/api/v1/devices/import", json={"devices": devices})
        told = [port(name, f"Gi{number}", number) for name in names for number in range(1, 21)]
        statements.clear()
        await learn(sessions, *told, whole=names)
        assert len(statements) < 12
        async with sessions() as session:
            count = await session.scalar(select(func.count()).select_from(Interface))
        assert count == 2000

    async def test_two_faces(
        self, ports: AsyncClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A device that names its ports anew at every look fills no table."""
        monkeypatch.setattr(learning, "MOST_GONE", 5)
        for round_ in range(9):
            alias = f"face {round_}"
            await learn(sessions, *(port("sw1", f"{round_}/{n}", n) for n in range(1, 4)),
                        port("sw1", "Gi1/0/1", 9, alias=alias))  # fmt: skip
        for round_ in range(learning.CHANGES_KEPT + 5):
            await learn(sessions, port("sw1", "Gi1/0/1", 9, alias=f"{round_}"), whole=())
        async with sessions() as session:
            names = list(await session.scalars(select(Interface.name)))
            kept = await session.scalar(select(func.count()).select_from(InterfaceChange))
        assert len(names) == 1 + 3 + 5  # told, told the last time, gone
        assert kept is not None
        assert kept <= learning.CHANGES_KEPT + 2 * len(names)
        assert len(await changes(ports, "Gi1/0/1")) == 10

    async def test_gone_for_long(self, ports: AsyncClient, sessions: Sessions) -> None:
        """What is gone for a month is forgotten, unless an operator said something of it."""
        found = (await listed(ports))["Te1/1/1"]
        await ports.patch(f"{URL}/{found['id']}", json={"monitored": "no"})
        await learn(sessions, port("sw1", "Gi1/0/1"))
        async with sessions.begin() as session:
            long_ago = now() - learning.GONE_KEPT - timedelta(hours=1)
            await session.execute(
                update(Interface).where(Interface.name != "Gi1/0/1").values(gone_at=long_ago)  # type: ignore[arg-type]
            )
        await learn(sessions, port("sw1", "Gi1/0/1"))
        assert list(await listed(ports)) == ["Gi1/0/1", "Te1/1/1"]

    async def test_more_than_there_can_be(
        self, switch: AsyncClient, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a device that tells of too many interfaces those of the lowest indexes are kept."""
        monkeypatch.setattr(learning, "MOST", 2)
        await learn(sessions, *(port("sw1", f"Gi{n}", n) for n in (3, 1, 2)))
        assert list(await listed(switch)) == ["Gi1", "Gi2"]

    async def test_hostile_text(self, switch: AsyncClient, sessions: Sessions) -> None:
        """A text that no database could hold or no terminal should see is made one that is fit."""
        odd = port("sw1", "Gi\0\x1b[31m" + "x" * 900, 1, alias="\x9b\u202e", mbits="NaN")
        await learn(sessions, odd, port("sw1", "far", 2, mbits="1e30"), port("sw1", "far", 3))
        found = await listed(switch)
        name = "Gi\ufffd\ufffd[31m" + "x" * 900
        assert found[name[:255]]["alias"] == "\ufffd\ufffd"
        assert found[name[:255]]["speed"] == 0
        assert (found["far"]["index"], found["far"]["speed"]) == (2, 0)


@pytest.mark.parametrize(
    "answer",
    [httpx.ConnectError("no"), Answer(status=503, text="Service Unavailable")],
    ids=str,
)
async def test_no_answer(
    ports: AsyncClient,
    sessions: Sessions,
    caplog: pytest.LogCaptureFixture,
    answer: Answer | httpx.TransportError,
) -> None:
    """Without Prometheus the interfaces stay, and the log says that nothing was learned."""
    with caplog.at_level(logging.WARNING):
        await InterfaceLearner(sessions, fake({"/api/v1/query": answer})).learn()
    assert len(await listed(ports)) == 3
    assert "interfaces were not learned: Prometheus" in caplog.text


async def test_one_refusal_is_of_some_devices(
    switch: AsyncClient,
    sessions: Sessions,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What Prometheus refuses to tell of some devices keeps none that follow from being learned."""
    for name in ("sw0", "sw2"):
        device = {"name": name, "address": "10.0.0.2"}
        assert (await switch.post("/api/v1/devices", json=device)).status_code == 201
    monkeypatch.setattr(learning, "DEVICES", 1)
    told = {"sw0": port("sw0", "Gi0"), "sw2": port("sw2", "Gi2")}
    async with answering(told) as prometheus:
        with caplog.at_level(logging.WARNING):
            await InterfaceLearner(sessions, prometheus).learn()
    assert list(await listed(switch)) == ["Gi0", "Gi2"]
    assert "interfaces of sw1 to sw1 were not learned: Prometheus: too many samples" in caplog.text
