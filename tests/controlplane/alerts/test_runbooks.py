"""Runbooks as pages."""

from pathlib import Path

import pytest
from httpx import AsyncClient

from controlplane.alerts import runbooks


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
    ["DeviceUp", "secret", "..%2Fsecret", "DeviceDown%0A", "DeviceDown.md", "%00", "A" * 99],
)
async def test_everything_else_is_not_found(anonymous: AsyncClient, name: str) -> None:
    """Names that are no alert's lead nowhere, least of all into the file system."""
    assert (await anonymous.get(f"/runbooks/{name}")).status_code == 404


def test_the_pages_of_this_version_are_found() -> None:
    """The folder with the runbooks is where the pages are looked for."""
    assert any((folder / "README.md").is_file() for folder in runbooks.FOLDERS)
