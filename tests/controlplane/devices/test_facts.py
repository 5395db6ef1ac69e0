"""What devices say of themselves, on its way from Prometheus to the reader."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from httpx import AsyncClient
from sqlalchemy import delete, func, select

from controlplane.cli import output
from controlplane.clients.prometheus import Answer, Prometheus, fake
from controlplane.devices.facts import KEPT, SHOWN, Learner
from controlplane.devices.models import FactChange, FormerName
from tests.controlplane.conftest import Sessions

URL = "/api/v1/devices"
SAID = {
    "vendor": "Cisco",
    "model": "WS-C2960X",
    "os_version": "15.2(7)E2",
    "serial": "FOC1",
    "sys_name": "core1.example.net",
    "profile": "cisco_ios",
}
START = 1_750_000_000


def prometheus(*series: dict[str, Any], at: float = START) -> Prometheus:
    """Return a Prometheus that has heard devices say something."""
    result = [{"metric": labels, "value": [at + 9, str(at)]} for labels in series]
    return fake({"/api/v1/query": Answer({"resultType": "vector", "result": result})})


async def learn(sessions: Sessions, *series: dict[str, Any], at: float = START) -> None:
    given = [{"device": "core1", "instance": "core1", **labels} for labels in series]
    await Learner(sessions, prometheus(*given, at=at)).learn()


async def facts(client: AsyncClient) -> Any:
    response = await client.get(f"{URL}/core1")
    return response.json()["facts"]


@pytest.fixture
async def core(client: AsyncClient) -> AsyncClient:
    """Give a client of an inventory with one device, of which the operator has said little."""
    await client.post(URL, json={"name": "core1", "address": "10.0.0.1"})
    return client


class TestLearning:
    async def test_first_time(self, core: AsyncClient, sessions: Sessions) -> None:
        """Facts appear beside a device, with the time of the probe; its own fields stay."""
        before = (await core.get(f"{URL}/core1")).json()
        await learn(sessions, SAID)
        after = (await core.get(f"{URL}/core1")).json()
        moment = datetime.fromtimestamp(START, UTC).isoformat().replace("+00:00", "Z")
        seen = {"first_seen": moment, "last_seen": moment}
        assert after.pop("facts") == {**SAID, **seen, "disagrees": [], "changes": []}
        assert before.pop("facts") is None
        assert after == before
        listed = (await core.get(URL)).json()["results"][0]["facts"]
        assert listed["serial"] == "FOC1"

    async def test_strangers(self, core: AsyncClient, sessions: Sessions) -> None:
        """What is said of a device that is not in the inventory is nobody's."""
        await learn(sessions, {**SAID, "device": "gone"}, {"vendor": "x", "device": ""})
        assert await facts(core) is None

    async def test_newest_wins(self, core: AsyncClient, sessions: Sessions) -> None:
        """An older word of a device changes nothing, whoever brings it."""
        await learn(sessions, SAID, at=START + 60)
        await learn(sessions, {**SAID, "serial": "OLD"})
        assert (await facts(core))["serial"] == "FOC1"
        assert (await facts(core))["changes"] == []

    async def test_two_series(self, core: AsyncClient, sessions: Sessions) -> None:
        """Of two series of a device the later one counts."""
        old = {"device": "core1", **SAID, "os_version": "15.0"}
        new = {"device": "core1", **SAID}
        result = [
            {"metric": labels, "value": [START, str(at)]}
            for labels, at in ((new, START + 60), (old, START))
        ]
        answer = Answer({"resultType": "vector", "result": result})
        await Learner(sessions, fake({"/api/v1/query": answer})).learn()
        assert (await facts(core))["os_version"] == "15.2(7)E2"

    async def test_many(self, client: AsyncClient, sessions: Sessions) -> None:
        """A fleet is taken up in a few statements, each device with its own facts."""
        names = [f"edge{number}" for number in range(1200)]
        devices = [{"name": name, "address": "10.0.0.1"} for name in names]
        await client.post(f"{URL}/import", json={"devices": devices})
        for minute in (0, 6):
            series = [{**SAID, "device": name, "serial": name + str(minute)} for name in names]
            await learn(sessions, *series, at=START + minute * 60)
        read = (await client.get(f"{URL}/edge1199")).json()["facts"]
        assert read["serial"] == "edge11996"
        assert [change["before"] for change in read["changes"]] == ["edge11990"]


class TestChanges:
    async def test_replaced(self, core: AsyncClient, sessions: Sessions) -> None:
        """Another serial number is noted as what it may mean; nothing of the old one is kept."""
        await learn(sessions, SAID)
        await learn(sessions, {**SAID, "serial": "FOC2", "model": ""}, at=START + 60)
        told = await facts(core)
        assert (told["serial"], told["model"]) == ("FOC2", "")
        assert {change["field"]: change["note"] for change in told["changes"]} == {
            "serial": "another serial number: replaced?",
            "model": "another model: replaced?",
        }
        serial = next(change for change in told["changes"] if change["field"] == "serial")
        assert (serial["before"], serial["after"]) == ("FOC1", "FOC2")
        assert told["first_seen"] < told["last_seen"]

    async def test_upgraded(self, core: AsyncClient, sessions: Sessions) -> None:
        """Other software on the same device is a change, too, the newest first."""
        for minute, version in enumerate(("15.2", "15.3", "15.4")):
            await learn(sessions, {**SAID, "os_version": version}, at=START + minute * 60)
        changes = (await facts(core))["changes"]
        assert [change["after"] for change in changes] == ["15.4", "15.3"]
        assert {change["note"] for change in changes} == {"other software"}

    async def test_renamed(self, core: AsyncClient, sessions: Sessions) -> None:
        """Another name on the device is noted, and both a filter and a search find it."""
        await learn(sessions, SAID)
        await learn(sessions, {**SAID, "sys_name": "Oslo-7.example.net"}, at=START + 60)
        told = await facts(core)
        assert told["sys_name"] == "Oslo-7.example.net"
        (change,) = told["changes"]
        assert (change["field"], change["before"]) == ("sys_name", "core1.example.net")
        for query in ("sys_name__ic=oslo-7", "q=oslo-7"):
            assert (await core.get(f"{URL}?{query}")).json()["count"] == 1

    async def test_of_whoever_had_the_name(self, core: AsyncClient, sessions: Sessions) -> None:
        """What Prometheus still has of a device is not taken for one that took its name."""
        renamed = await core.patch(f"{URL}/core1", json={"name": "core2"})
        assert renamed.status_code == 200, renamed.text
        await learn(sessions, SAID)
        await core.post(URL, json={"name": "core1", "address": "10.0.0.2"})
        await learn(sessions, SAID)
        assert await facts(core) is None
        async with sessions.begin() as session:
            await session.execute(delete(FormerName))  # as if that were long ago
        await learn(sessions, SAID)
        assert (await facts(core))["model"] == "WS-C2960X"

    async def test_silent_for_once(self, core: AsyncClient, sessions: Sessions) -> None:
        """What the same device does not tell this time stays known, and is no change."""
        await learn(sessions, SAID)
        silent = {"profile": "cisco_ios", "serial": "FOC1", "vendor": "Cisco"}
        await learn(sessions, silent, at=START + 600)
        told = await facts(core)
        assert told["model"] == "WS-C2960X"
        assert told["changes"] == []
        assert told["first_seen"] < told["last_seen"]

    async def test_two_faces(self, core: AsyncClient, sessions: Sessions) -> None:
        """An address that two devices share fills neither the table nor the page."""
        for minute in range(KEPT + 9):
            await learn(sessions, {**SAID, "serial": f"S{minute}"}, at=START + minute * 60)
        async with sessions() as session:
            count = await session.scalar(select(func.count()).select_from(FactChange))
        changes = (await facts(core))["changes"]
        assert count == KEPT
        assert [change["after"] for change in changes] == [f"S{KEPT + 8 - n}" for n in range(SHOWN)]


class TestOperator:
    async def test_disagreement(self, core: AsyncClient, sessions: Sessions) -> None:
        """A vendor that an operator has set is kept, and marked where the device says another."""
        await core.patch(f"{URL}/core1", json={"vendor": "Juniper", "profile": "generic"})
        labels = {**SAID, "vendor": "Juniper", "exported_vendor": "Cisco"}
        await learn(sessions, labels)
        device = (await core.get(f"{URL}/core1")).json()
        assert (device["vendor"], device["facts"]["vendor"]) == ("Juniper", "Cisco")
        assert device["facts"]["disagrees"] == ["vendor", "profile"]

    @pytest.mark.parametrize(
        ("serial", "sys_name", "disagrees"),
        [
            ("FOC1", "core1.example.net", []),
            ("foc1", "CORE1", []),
            ("FOC9", "core1", ["serial"]),
            ("", "edge7", ["name"]),
            ("", "", []),
        ],
    )
    async def test_serial_number_and_name(
        self,
        core: AsyncClient,
        sessions: Sessions,
        serial: str,
        sys_name: str,
        disagrees: list[str],
    ) -> None:
        """What an operator has is kept, and marked where the device says otherwise."""
        await core.patch(f"{URL}/core1", json={"serial": serial})
        await learn(sessions, {**SAID, "sys_name": sys_name})
        device = (await core.get(f"{URL}/core1")).json()
        assert (device["name"], device["serial"]) == ("core1", serial)
        assert device["facts"]["disagrees"] == disagrees

    async def test_agreement(self, core: AsyncClient, sessions: Sessions) -> None:
        """A longer name for the same vendor is no disagreement."""
        await core.patch(f"{URL}/core1", json={"vendor": "Cisco Systems"})
        await learn(sessions, {**SAID, "vendor": "Cisco Systems", "exported_vendor": "Cisco"})
        assert (await facts(core))["disagrees"] == []

    async def test_operators_word_alone(self, core: AsyncClient, sessions: Sessions) -> None:
        """The vendor that a target is labelled with is not taken for a word of the device."""
        await core.patch(f"{URL}/core1", json={"vendor": "Acme"})
        await learn(sessions, {"vendor": "Acme", "profile": "generic"})
        assert (await facts(core))["vendor"] == ""

    async def test_hostile_text(self, core: AsyncClient, sessions: Sessions) -> None:
        """A text that no database could hold is cut to one that it can."""
        await learn(sessions, {**SAID, "model": "a\0b" + "x" * 9000})
        assert (await facts(core))["model"] == "ab" + "x" * 253

    async def test_gone(self, core: AsyncClient, sessions: Sessions) -> None:
        """With a device go its facts."""
        await learn(sessions, SAID)
        await learn(sessions, {**SAID, "serial": "FOC2"}, at=START + 60)
        assert (await core.delete(f"{URL}/core1")).status_code == 204


class TestFailures:
    @pytest.mark.parametrize(
        "answer",
        [
            httpx.ConnectError("no"),
            httpx.ReadTimeout("slow"),
            Answer(status=503, text="Service Unavailable"),
            Answer(status=400, text='{"error": "no"}'),
        ],
        ids=str,
    )
    async def test_no_answer(
        self,
        core: AsyncClient,
        sessions: Sessions,
        caplog: pytest.LogCaptureFixture,
        answer: Answer | httpx.TransportError,
    ) -> None:
        """Without Prometheus the facts stay, and the log says that nothing was learned."""
        await learn(sessions, SAID)
        with caplog.at_level(logging.WARNING):
            await Learner(sessions, fake({"/api/v1/query": answer})).learn()
        assert (await facts(core))["serial"] == "FOC1"
        assert "facts about devices were not learned: Prometheus" in caplog.text


def test_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal each fact has a line, and each change of one."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    changes: Sequence[dict[str, str]] = [{"at": "today", "field": "serial", "note": "replaced?"}]
    fields = {"name": "core1", "facts": {"serial": "FOC2", "changes": changes}}
    output.item(fields, as_json=False)
    shown = capsys.readouterr().out
    assert "facts.serial" in shown
    assert "today serial replaced?" in shown
    output.item(fields, as_json=True)
    assert json.loads(capsys.readouterr().out) == fields
