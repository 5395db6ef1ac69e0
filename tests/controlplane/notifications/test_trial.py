"""A channel from its making to a test of it: API, deployment, a real Alertmanager, a service."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from controlplane.auth.actor import shell
from controlplane.clients.notifier import Attempts, Notifier
from controlplane.database import now
from controlplane.errors import Conflict
from controlplane.metrics.exposition import Family
from controlplane.notifications import service, trial
from controlplane.notifications.destinations import Destinations
from controlplane.notifications.schemas import Result
from controlplane.notifications.trial import Trial
from controlplane.provisioning.alertmanager import service as routings
from controlplane.provisioning.alertmanager.service import RoutingDeployer
from controlplane.settings import Settings
from tests.controlplane.conftest import Sessions
from tests.controlplane.notifications.running import Alertmanager, Sink, sink
from tests.tools import tool

CHANNELS = "/api/v1/notifications/channels"
TEST = Trial("noc", "webhook_configs", "ann", "1")


@dataclass
class Stack:
    """What runs: a worker's deployer, a service, and the way to a test."""

    deployer: RoutingDeployer
    sink: Sink
    place: trial.Place

    async def failed(self, sessions: Sessions) -> float:
        """Give what the metric of the alert says."""
        async with sessions() as session:
            (family,) = await routings.intent(session)
        assert isinstance(family, Family)
        (sample,) = family.samples
        return sample.value


@pytest.fixture
async def stack(
    app: FastAPI, settings: Settings, sessions: Sessions, tmp_path: Path
) -> AsyncIterator[Stack]:
    """Run Alertmanager on the first configuration, with the application beside it."""
    ours = settings.model_copy(update={"data": tmp_path})
    (ours.prometheus_folder / "secrets").mkdir(parents=True)
    server = Alertmanager(ours.prometheus_folder)
    before = app.state.notifier
    app.state.destinations = Destinations((ip_network("127.0.0.0/8"),))
    async with Notifier.at(server.url) as notifier, sink() as web:
        vault = app.state.vault
        deployer = RoutingDeployer(ours, sessions, notifier, vault, tool("amtool"))
        first = await deployer.deploy()
        assert first is not None
        assert (first.status, first.running) == ("deployed", False)
        async with server.running():
            app.state.notifier = notifier
            place = trial.Place(ours, vault, app.state.destinations, notifier, in_force=0)
            yield Stack(deployer, web, place)
    app.state.notifier = before


async def test_from_making_to_delivery(
    client: AsyncClient, stack: Stack, sessions: Sessions
) -> None:
    """A channel is not in force until it is deployed; then a test is delivered, or fails."""
    options: dict[str, Any] = {"kind": "webhook", "url": stack.sink.url("/first")}
    made = await client.post(CHANNELS, json={"name": "noc", "options": options})
    assert made.status_code == 201, made.text
    async with sessions() as session:
        with pytest.raises(Conflict, match="does not know the channel as it is now"):
            await trial.run(session, shell(), stack.place, "noc")

    deployed = await stack.deployer.deploy()
    assert deployed is not None
    assert deployed.running, deployed.detail
    result = (await client.post(f"{CHANNELS}/noc/test")).json()
    assert result["result"] == "delivered", result
    assert len(stack.sink.at("/first")) == 1

    moved = {"options": {"url": stack.sink.url("/second")}}
    assert (await client.patch(f"{CHANNELS}/noc", json=moved)).status_code == 200
    assert (await stack.deployer.deploy()) is not None
    stack.sink.status = 404
    result = (await client.post(f"{CHANNELS}/noc/test")).json()
    assert (result["result"], len(stack.sink.at("/second"))) == ("failed", 1), result
    log = (await client.get("/api/v1/audit?object_name=noc")).json()["results"]
    assert [e["after"] for e in log if e["action"] == "notification.channel.tested"] == [
        {"result": "failed"},
        {"result": "delivered"},
    ]


async def test_the_reason_of_a_failure(
    client: AsyncClient, stack: Stack, sessions: Sessions, tmp_path: Path
) -> None:
    """With the log of Alertmanager at hand a test says why it failed, without the secret."""
    log = tmp_path / "logs" / "alertmanager.log"
    log.parent.mkdir()
    log.symlink_to(stack.place.settings.prometheus_folder / "alertmanager.log")
    for name, url in (
        ("refusing", stack.sink.url("/very-secret")),
        ("closed", "http://127.0.0.1:9/very-secret"),
    ):
        await client.post(CHANNELS, json={"name": name, "options": {"kind": "webhook", "url": url}})
    await stack.deployer.deploy()
    stack.sink.status = 404
    results = {}
    for name in ("refusing", "closed"):
        async with sessions.begin() as session:
            results[name] = await trial.run(session, shell(), stack.place, name)

    assert {result.result for result in results.values()} == {Result.FAILED}
    assert "404" in results["refusing"].detail
    assert "connection refused" in results["closed"].detail
    assert "very-secret" not in str(results)


async def test_what_is_kept_of_deployments(
    client: AsyncClient, stack: Stack, sessions: Sessions
) -> None:
    """Each configuration is kept once, without secrets; what could not be had is told as failed."""
    options = {"kind": "webhook", "url": stack.sink.url("/very-secret")}
    await client.post(CHANNELS, json={"name": "noc", "options": options})
    for _ in range(2):
        await stack.deployer.deploy()
    kept = (await client.get("/api/v1/notifications/revisions")).json()
    assert [(r["status"], r["running"]) for r in kept["results"]] == [
        ("deployed", True),
        ("deployed", False),
    ]
    assert "channel-noc" in kept["results"][0]["document"]
    assert "very-secret" not in str(kept)
    assert await stack.failed(sessions) == 0

    mail = {"kind": "email", "to": ["noc@example.net"]}  # and there is no mail server
    await client.post(CHANNELS, json={"name": "mail", "options": mail})
    await stack.deployer.deploy()
    assert "no mail server" in (await client.get(f"{CHANNELS}/mail")).json()["problem"]
    assert (await client.post(f"{CHANNELS}/mail/test")).status_code == 409
    assert await stack.failed(sessions) == 1


async def test_a_channel_whose_secrets_do_not_open(
    client: AsyncClient, stack: Stack, sessions: Sessions
) -> None:
    """One damaged record leaves the other channels in force, and is named."""
    for name in ("good", "bad"):
        options = {"kind": "webhook", "url": stack.sink.url(f"/{name}")}
        await client.post(CHANNELS, json={"name": name, "options": options})
    async with sessions.begin() as session:
        (await service.get(session, "bad")).sealed = b"altered, by whoever"
    await stack.deployer.deploy()

    assert (await client.post(f"{CHANNELS}/good/test")).json()["result"] == "delivered"
    assert "do not open" in (await client.get(f"{CHANNELS}/bad")).json()["problem"]


async def test_a_silence_is_named(stack: Stack, client: AsyncClient) -> None:
    """Where a silence keeps the test from being sent, it is named, not called a delivery."""
    options = {"kind": "webhook", "url": stack.sink.url("/muted")}
    await client.post(CHANNELS, json={"name": "noc", "options": options})
    await stack.deployer.deploy()
    notifier = stack.place.notifier
    silence = {
        "matchers": [{"name": "alertname", "value": ".+", "isRegex": True, "isEqual": True}],
        "startsAt": now().isoformat(),
        "endsAt": (now() + timedelta(minutes=5)).isoformat(),
        "createdBy": "ann",
        "comment": "all of it",
    }
    made = (await notifier._request("POST", "/api/v2/silences", json=silence)).json()

    result = await trial.send(notifier, TEST, patience=1)

    assert result.result is Result.MUTED
    assert made["silenceID"] in result.detail
    assert not stack.sink.requests


@pytest.mark.parametrize(
    ("added", "result"),
    [
        (Attempts(1, 0), Result.DELIVERED),
        (Attempts(1, 1), Result.FAILED),
        (Attempts(3, 3), Result.FAILED),
        (Attempts(2, 1), Result.UNCLEAR),
    ],
)
def test_what_attempts_mean(added: Attempts, result: Result) -> None:
    """Some that failed beside some that did not say nothing of the test, and nobody claims it."""
    assert trial.judge(TEST, added, exact=False)[0] is result


async def test_receivers_are_told_apart_where_they_are_counted() -> None:
    """With the receiver in the metrics, failures of another channel are not ours."""
    name = "alertmanager_notification_requests"
    lines = [
        f"# TYPE {name}_total counter",
        f'{name}_total{{integration="slack",receiver_name="channel-a"}} 5',
        f'{name}_total{{integration="slack",receiver_name="channel-b"}} 7',
        f"# TYPE {name}_failed_total counter",
        f'{name}_failed_total{{integration="slack",receiver_name="channel-b"}} 7',
    ]
    answer = httpx.MockTransport(lambda _: httpx.Response(200, text="\n".join(lines) + "\n"))
    async with httpx.AsyncClient(transport=answer, base_url="http://a.invalid") as http:
        ours = await Notifier(http).deliveries("slack", "channel-a")

    assert (ours.attempts, ours.exact) == (Attempts(5, 0), True)
    assert Attempts(1, 0).since(Attempts(9, 9)) == Attempts(1, 0)  # it was started anew
