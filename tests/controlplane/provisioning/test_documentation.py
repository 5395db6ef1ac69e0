"""What the pages about rules say of permissions and times."""

import re
from pathlib import Path

import pytest
from httpx import AsyncClient

from controlplane.auth.permissions import Permission
from controlplane.provisioning import tasks
from tests.controlplane.conftest import Service

HOWTO = Path(__file__).parents[3] / "docs" / "howto"


def page(name: str) -> str:
    return " ".join((HOWTO / name).read_text(encoding="utf-8").split())


@pytest.mark.parametrize(
    ("section", "url"),
    [
        ("Change when an alert fires", "/api/v1/shipped-alerts/DeviceDown"),
        ("Learn what is usual", "/api/v1/baselines/none"),
    ],
)
async def test_the_permission_is_the_one_that_is_asked_for(
    service: Service, client: AsyncClient, section: str, url: str
) -> None:
    """Whoever holds what the page names may change it; to write drafts is not enough."""
    text = page("handle-alerts.md").partition(f"## {section}")[2].partition(" ## ")[0]
    named = {Permission(word) for word in re.findall(r"`(rules:\w+)`", text)}
    assert (await client.patch(url, json={})).status_code in {200, 404}
    allowed = await service(*named)
    assert (await allowed.patch(url, json={})).status_code in {200, 404}
    writer = await service(Permission.RULES_READ, Permission.RULES_WRITE)
    assert (await writer.patch(url, json={})).status_code == 403


def test_how_often_the_worker_looks() -> None:
    """The page says the seconds of the task's cron line."""
    seconds = tasks.EVERY_15_SECONDS.rpartition("*/")[2]
    assert f"the worker looks every {seconds} seconds" in page("deploy-rules.md")
