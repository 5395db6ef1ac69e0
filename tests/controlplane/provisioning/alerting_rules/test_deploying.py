"""Rules that people write come into force in a real Prometheus, and stay out of others' way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.clients.prometheus import LoadedRule, Prometheus
from controlplane.provisioning.service import Deployer
from controlplane.settings import Settings
from rules.rendering import TEAM
from tests.controlplane.conftest import Sessions
from tests.controlplane.provisioning.alerting_rules.test_rules import RULE, RULES, SITES, add
from tests.controlplane.provisioning.server import Server, server

# Right where a site has one device. The story that rule sets are played has three at one.
BAD_JOIN = "chm_device_up == on (site) group_left () chm_inventory_device_info"


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Server]:
    folder = tmp_path / "data" / "prometheus"
    folder.mkdir(parents=True)
    made = server(folder)
    async with made.running():
        yield made


@pytest.fixture
async def deployer(
    tmp_path: Path, settings: Settings, sessions: Sessions, started: Server
) -> AsyncIterator[Deployer]:
    ours = settings.model_copy(
        update={"data": tmp_path / "data", "evaluation_interval": 1, "scrape_interval": 1}
    )
    async with Prometheus.at(started.url) as prometheus:
        yield Deployer(ours, sessions, prometheus)


async def enable(client: AsyncClient, **changed: object) -> None:
    made = await add(client, **changed)
    response = await client.post(f"{RULES}/{made['name']}/enable")
    assert response.status_code == 200, response.text


async def age(sessions: Sessions) -> None:
    """Let a rule have what the parser knows and the Prometheus of the tests does not."""
    statement = "UPDATE alerting_rules SET expr = 'limitk(1, up) == 0' WHERE name = 'OnceFine'"
    async with sessions.begin() as session:
        await session.execute(text(statement))


async def deploy(deployer: Deployer) -> str:
    result = await deployer.deploy()
    assert result is not None
    return result.status


async def loaded(deployer: Deployer) -> dict[str, LoadedRule]:
    groups = await deployer.prometheus.rules()
    return {g.name: g.rules[0] for g in groups if g.file.endswith("/user-rules.yml")}


def written(deployer: Deployer) -> Path:
    return deployer.settings.prometheus_folder / "rules.d" / "current" / "user-rules.yml"


async def test_a_live_rule_runs_and_a_draft_does_not(
    client: AsyncClient, deployer: Deployer
) -> None:
    """What was enabled is evaluated in a group of its own, with the labels of the contract."""
    await enable(client, runbook="# Look", expr="sum by (device) (up) == 0")
    await add(client, name="StillDraft")
    assert await deploy(deployer) == "deployed"
    rules = await loaded(deployer)
    assert set(rules) == {"user-UplinkNoisy"}
    labels = {"severity": "warning", "alertclass": "symptom", "team": TEAM}
    assert rules["user-UplinkNoisy"].labels == labels
    (group,) = yaml.safe_load(written(deployer).read_text())["groups"]
    (rule,) = group["rules"]
    assert (group["limit"], rule["for"]) == (1000, "300s")
    assert rule["annotations"]["runbook_url"] == "http://chm.test/runbooks/UplinkNoisy"
    assert "value" not in rule["annotations"]  # what is 0 needs no threshold
    for _ in range(100):
        if (await loaded(deployer))["user-UplinkNoisy"].health == "ok":
            break
        await asyncio.sleep(0.1)
    assert (await loaded(deployer))["user-UplinkNoisy"].health == "ok"


async def test_a_rule_with_a_number_tells_it(client: AsyncClient, deployer: Deployer) -> None:
    """What is above or below a number says the value and that number; promtool takes both."""
    await enable(client, expr="sum by (device) (rate(ifHCInOctets[5m])) > -2.5e9")
    assert await deploy(deployer) == "deployed"
    (group,) = yaml.safe_load(written(deployer).read_text())["groups"]
    (rule,) = group["rules"]
    figures = [rule["annotations"][name] for name in ("value", "threshold")]
    assert [
        figure.count(number)
        for figure, number in zip(figures, ("$value", "-2500000000.0"), strict=True)
    ] == [3, 3]


async def test_a_rule_that_is_disabled_is_gone(client: AsyncClient, deployer: Deployer) -> None:
    """With the next deployment Prometheus evaluates it no more."""
    await enable(client)
    await deploy(deployer)
    await client.post(f"{RULES}/UplinkNoisy/disable")
    assert await deploy(deployer) == "deployed"
    assert await loaded(deployer) == {}


async def test_a_site_that_grows_takes_its_rules_along(
    client: AsyncClient, deployer: Deployer
) -> None:
    """A rule about a site is about what lies below it at the moment."""
    await client.post(SITES, json={"name": "north"})
    await enable(client, site="north")
    await deploy(deployer)
    before = written(deployer).read_text()
    await client.post(SITES, json={"name": "oslo", "parent": "north"})
    assert await deploy(deployer) == "deployed"
    assert 'site=~"north"' in before
    assert 'site=~"north|oslo"' in written(deployer).read_text()


async def test_a_rule_that_promtool_refuses_keeps_out_no_other(
    client: AsyncClient, deployer: Deployer, sessions: Sessions
) -> None:
    """It is marked with the reason, tried again when somebody enables it, and all else runs."""
    await enable(client)
    await enable(client, name="OnceFine")
    await age(sessions)

    assert await deploy(deployer) == "deployed"
    assert set(await loaded(deployer)) == {"user-UplinkNoisy"}
    failed = (await client.get(f"{RULES}/OnceFine")).json()
    assert (failed["status"], failed["version"]) == ("failed", 3)
    assert 'unknown function with name "limitk"' in failed["failure"]
    assert await deploy(deployer) == "unchanged"
    assert (await client.post(f"{RULES}/OnceFine/enable")).status_code == 422
    await client.patch(f"{RULES}/OnceFine", json={"expr": "up == 0"})
    again = (await client.post(f"{RULES}/OnceFine/enable")).json()
    assert (again["status"], again["failure"]) == ("live", "")
    assert await deploy(deployer) == "deployed"
    assert set(await loaded(deployer)) == {"user-UplinkNoisy", "user-OnceFine"}


async def test_a_rule_that_fails_as_it_runs_keeps_out_no_other(
    client: AsyncClient, deployer: Deployer
) -> None:
    """A join that is wrong in some networks is in force beside all others, and nobody is blamed."""
    await enable(client)
    await enable(client, name="BadJoin", expr=BAD_JOIN)

    assert await deploy(deployer) == "deployed"
    assert set(await loaded(deployer)) == {"user-UplinkNoisy", "user-BadJoin"}
    for name in ("UplinkNoisy", "BadJoin"):
        assert (await client.get(f"{RULES}/{name}")).json()["status"] == "live"


async def test_what_prometheus_alone_refuses_keeps_out_no_other(
    client: AsyncClient,
    deployer: Deployer,
    sessions: Sessions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a promtool of another version is content, Prometheus says which rule it is."""
    await enable(client)
    await enable(client, name="OnceFine")
    await age(sessions)
    lenient = tmp_path / "promtool"
    lenient.write_text("#!/bin/sh\nexit 0\n")
    lenient.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert await deploy(deployer) == "deployed"
    assert set(await loaded(deployer)) == {"user-UplinkNoisy"}
    failed = (await client.get(f"{RULES}/OnceFine")).json()
    assert failed["status"] == "failed"
    assert 'Prometheus: invalid parameter "query"' in failed["failure"]
    assert (await client.get(f"{RULES}/UplinkNoisy")).json()["status"] == "live"


async def test_a_prometheus_that_is_down_is_nobodys_fault(
    client: AsyncClient, tmp_path: Path, settings: Settings, sessions: Sessions
) -> None:
    """The set waits on disk for it, and no rule is marked."""
    await enable(client)
    ours = settings.model_copy(update={"data": tmp_path})
    async with Prometheus.at("http://127.0.0.1:9") as prometheus:
        assert await deploy(Deployer(ours, sessions, prometheus)) == "deployed"
    assert (await client.get(f"{RULES}/UplinkNoisy")).json()["status"] == "live"


async def test_labels_that_absence_makes_up(
    client: AsyncClient, deployer: Deployer, sessions: Sessions
) -> None:
    """Nobody writes a rule that leads past all routes, and one from before comes out of force."""
    made_up = """absent(chm_nothing{escalation="true",chm_channel="pager"})"""
    refused = await client.post(RULES, json={**RULE, "expr": made_up})
    assert refused.status_code == 422
    words = [problem["message"] for problem in refused.json()["errors"]]
    assert [word.split(",")[0] for word in words] == [
        "absent makes up the label escalation",
        "absent makes up the label chm_channel",
    ]
    harmless = 'absent(up{device="core1",a="b",role=~"core"})'
    await enable(client, name="CoreGone", expr=harmless)
    await enable(client)
    statement = text("UPDATE alerting_rules SET expr = :expr WHERE name = 'UplinkNoisy'")
    async with sessions.begin() as session:
        await session.execute(statement, {"expr": made_up})
    assert await deploy(deployer) == "deployed"
    assert set(await loaded(deployer)) == {"user-CoreGone"}
    failed = (await client.get(f"{RULES}/UplinkNoisy")).json()
    assert (failed["status"], failed["failure"]) == ("failed", "; ".join(words))


async def test_a_name_that_the_product_takes_over(
    client: AsyncClient, deployer: Deployer, sessions: Sessions
) -> None:
    """A release that has an alert of that name itself runs its own, and the rule says why."""
    await enable(client)
    async with sessions.begin() as session:
        await session.execute(text("UPDATE alerting_rules SET name = 'DeviceDown'"))
    assert await deploy(deployer) == "deployed"
    failed = (await client.get(f"{RULES}/DeviceDown")).json()
    assert (failed["status"], "choose another" in failed["failure"]) == ("failed", True)
