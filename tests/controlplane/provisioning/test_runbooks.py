"""Runbooks as pages."""

from pathlib import Path

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.provisioning import runbooks
from tests.controlplane.conftest import Login


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a runbook where the pages are looked for."""
    (tmp_path / "DeviceDown.md").write_text(
        "# DeviceDown\n\n<script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    (tmp_path / "secret.md").write_text("no runbook")
    monkeypatch.setattr(runbooks, "FOLDERS", (tmp_path / "missing", tmp_path))


@pytest.mark.usefixtures("page")
async def test_a_runbook_is_a_page(anonymous: AsyncClient) -> None:
    """Whoever is woken reads it without a login; HTML in it is text, and no script may run."""
    response = await anonymous.get("/runbooks/DeviceDown")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "<h1>DeviceDown</h1>" in response.text
    assert "<td>1</td>" in response.text
    assert "<script>" not in response.text


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    "name",
    ["secret", "..%2Fsecret", "DeviceDown%0A", "DeviceDown.md", "%00", "A" * 99],
)
async def test_everything_else_is_not_found(anonymous: AsyncClient, name: str) -> None:
    """Names that are no alert's lead nowhere, least of all into the file system."""
    assert (await anonymous.get(f"/runbooks/{name}")).status_code == 404


def test_the_pages_of_this_version_are_found() -> None:
    """The folder with the runbooks is where the pages are looked for."""
    assert any((folder / "README.md").is_file() for folder in runbooks.FOLDERS)


HOSTILE = """\
<script>alert(1)</script> <img src=x onerror=alert(1)>

[press](javascript:alert(1)) and [more](https://example.net)

- pull the plug
"""


async def test_a_rule_has_its_page(client: AsyncClient) -> None:
    """It has the words of who wrote the rule, escaped, and the expression as text."""
    rule = {
        "name": "FanLoud",
        "expr": 'up{job="<b>"}\n== 0',
        "summary": "A fan of {{ $labels.device }} is <i>loud</i>",
        "runbook": HOSTILE,
    }
    assert (await client.post("/api/v1/alerting-rules", json=rule)).status_code == 201
    response = await client.get("/runbooks/FanLoud")
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["content-security-policy"]
    for shown in ("<h1>FanLoud</h1>", "<li>pull the plug</li>", "up{job=&quot;&lt;b&gt;&quot;}"):
        assert shown in response.text
    for forbidden in ("<script>", "<img", "<i>", 'href="javascript'):
        assert forbidden not in response.text


async def test_a_rule_is_not_for_strangers(
    anonymous: AsyncClient, client: AsyncClient, log_in: Login
) -> None:
    """Without a login nobody learns whether there is a rule; who does not see it finds none."""
    north = (await client.post("/api/v1/sites", json={"name": "north"})).json()["id"]
    rule = {"name": "FanLoud", "expr": "up == 0", "summary": "A fan is loud"}
    await client.post("/api/v1/alerting-rules", json=rule)
    northerner = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, north), name="northerner")
    for name in ("FanLoud", "FanQuiet"):
        assert (await anonymous.get(f"/runbooks/{name}")).status_code == 401
        assert (await northerner.get(f"/runbooks/{name}")).status_code == 404
    assert (await northerner.get("/runbooks/DeviceDown")).status_code == 200
    assert (await client.get("/runbooks/FanLoud")).status_code == 200
