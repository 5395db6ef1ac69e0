"""`chm alert`, as a shell sees it."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import manual, service
from controlplane.alerts.schemas import AlertCreate, WebhookAlert
from controlplane.auth.actor import system
from controlplane.cli.work import transact
from controlplane.settings import Settings
from tests.controlplane.alerts.test_webhook import alert
from tests.controlplane.cli.conftest import Chm


@pytest.fixture
def ids(ready: object) -> dict[str, str]:
    """Have the alert of a rule and one made by hand; give their ids by name."""
    flood = AlertCreate.model_validate(
        {"alertname": "Flood", "severity": "warning", "summary": "water"}
    )

    async def work(session: AsyncSession) -> dict[str, str]:
        await service.ingest(session, [WebhookAlert.model_validate(alert())])
        made, _ = await manual.create(session, system("test"), flood)
        return {"Flood": str(made.id)}

    assert ready
    return transact(Settings(), work)


def listed(chm: Chm, *arguments: str) -> dict[str, dict[str, Any]]:
    return {one["alertname"]: one for one in chm("alert", "list", *arguments)}


def test_from_the_first_look_to_the_end(chm: Chm, refused: Chm, ids: dict[str, str]) -> None:
    """What fires is listed, acknowledged, talked about, and ended, and all of it is written down.

    Alertmanager is away all the while: that stops nothing.
    """
    assert listed(chm).keys() == {"DeviceDown", "Flood"}
    assert listed(chm, "--severity", "critical", "--q", "down").keys() == {"DeviceDown"}
    down, flood = listed(chm)["DeviceDown"]["id"], ids["Flood"]

    acked = chm("alert", "ack", down, flood, "--comment", "storm", "--minutes", "30")
    assert {one["state"] for one in acked} == {"acknowledged"}
    assert acked[0]["acknowledgement"]["comment"] == "storm"
    assert acked[0]["acknowledgement"]["expires_at"] is not None
    assert listed(chm, "--state", "active") == {}
    assert chm("alert", "unack", down)["state"] == "active"
    assert "nobody" in refused("alert", "unack", down)

    chm("alert", "comment", down, "looking at it")
    assert chm("alert", "assign", down, "admin")["assignee"] == "admin"
    assert "no user 'ann'" in refused("alert", "assign", down, "ann")
    history = chm("alert", "show", down)["history"]
    assert [step["step"] for step in history] == [
        *("fired", "acknowledged", "unacknowledged", "commented", "assigned"),
    ]
    assert {step["actor_kind"] for step in history[1:]} == {"shell"}

    assert "rule" in refused("alert", "resolve", down)
    assert chm("alert", "resolve", flood, "--comment", "dry")["state"] == "resolved"
    assert listed(chm).keys() == {"DeviceDown"}
    assert listed(chm, "--over").keys() == {"DeviceDown", "Flood"}
    statistics = chm("alert", "stats", "--days", "1")
    assert (statistics["firing"], statistics["total"]) == (1, 1)
    assert "no alert" in refused("alert", "show", str(uuid4()))
