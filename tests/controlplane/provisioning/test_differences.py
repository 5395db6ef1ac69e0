"""What a rule set changed, over HTTP, after real deployments to a real Prometheus' folder."""

from pathlib import Path

import pytest
from httpx import AsyncClient

from controlplane.clients.prometheus import Prometheus
from controlplane.provisioning.queries import KEPT
from controlplane.provisioning.service import Deployer
from controlplane.settings import Settings
from tests.controlplane.conftest import Sessions

RULES = "/api/v1/rules"
NOWHERE = "http://127.0.0.1:9"  # no Prometheus runs: it will start with the set


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Settings:
    """Give settings with a data folder of this test's own."""
    return settings.model_copy(update={"data": tmp_path})


async def deploy(settings: Settings, sessions: Sessions, mine: str) -> str:
    """Put a set in force that has this file of an operator; give its revision."""
    settings.local_rules.mkdir(exist_ok=True)
    (settings.local_rules / "mine.yml").write_text(mine)
    async with Prometheus.at(NOWHERE) as prometheus:
        result = await Deployer(settings, sessions, prometheus).deploy()
    assert result is not None
    return result.revision


def rule(expr: str) -> str:
    return f"groups: [{{name: mine, rules: [{{record: 'a:b', expr: '{expr}'}}]}}]\n"


async def test_a_revision_says_what_it_changed(
    client: AsyncClient, folder: Settings, sessions: Sessions
) -> None:
    """The difference is to the set in force before, also for a set that was refused."""
    first = await deploy(folder, sessions, rule("up"))
    second = await deploy(folder, sessions, rule("up + 1"))
    refused = await deploy(folder, sessions, rule("up + ("))

    changed = (await client.get(f"{RULES}/{second}/difference")).json()
    assert changed["against"] == first
    (file,) = changed["files"]
    assert file["file"] == "local-mine.yml"
    lines = file["difference"].splitlines()
    assert f"-{rule('up')}".rstrip() in lines
    assert f"+{rule('up + 1')}".rstrip() in lines
    assert (await client.get(f"{RULES}/{refused}/difference")).json()["against"] == second
    back = await client.get(f"{RULES}/{first}/difference", params={"against": second})
    assert "+" + rule("up").rstrip() in back.json()["files"][0]["difference"].splitlines()

    files = (await client.get(f"{RULES}/{second}")).json()["files"]
    assert files["local-mine.yml"] == rule("up + 1")
    new = (await client.get(f"{RULES}/{first}/difference")).json()
    assert new["against"] == ""
    assert {file["file"] for file in new["files"]} == files.keys() - {"ruleset.yml"}


async def test_the_last_sets_are_kept(
    client: AsyncClient, folder: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of older sets the list tells, and their files are gone; the one in use always stays."""
    monkeypatch.setattr("controlplane.provisioning.queries.KEPT", 2)
    revisions = [await deploy(folder, sessions, rule(f"up + {n}")) for n in (0, 1, 0, 2)]
    assert KEPT == 20

    told = [(await client.get(f"{RULES}/{revision}")).status_code for revision in revisions]
    assert told == [200, 404, 200, 200]
    assert (await client.get(f"{RULES}/{'0' * 16}/difference")).status_code == 404
    assert (await client.get(f"{RULES}/nothing")).status_code == 422
