"""The command `chm` for who is told: channels and routes."""

import json
from pathlib import Path

import pytest

from tests.controlplane.cli.conftest import Chm
from tests.controlplane.cli.test_commands import chm_process

# An address that nobody has (RFC 5737), so that no name server is asked.
URL = "https://192.0.2.1/s3cret"


@pytest.mark.usefixtures("ready")
def test_the_life_of_a_channel_and_a_route(chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """A channel is made, changed, told by a route, kept while it is, and removed after it."""
    added = chm_process(
        *("channel", "add", "noc", "--kind", "slack", "--set", "channel=#noc"), stdin=f"{URL}\n"
    )
    assert added.returncode == 0, added.stderr
    assert json.loads(added.stdout)["secrets"] == ["url"]
    changed = chm("channel", "set", "noc", "--set", "channel=#night", "--no-resolved")
    assert (changed["options"], changed["send_resolved"]) == ({"channel": "#night"}, False)

    capped = chm("channel", "set", "noc", "--cap", '{"notifications": 5, "seconds": 600}')
    assert capped["cap"] == {"notifications": 5, "seconds": 600, "except_causes": True}
    assert chm("channel", "set", "noc", "--cap", "none")["cap"] is None
    assert "cap/seconds" in refused("channel", "set", "noc", "--cap", '{"notifications": 5}')

    file = tmp_path / "night.json"
    file.write_text(json.dumps({"channels": ["noc"], "severities": ["critical"]}))
    assert chm("route", "put", "night", str(file))["channels"] == ["noc"]
    assert "is told by a route" in refused("channel", "remove", "noc")
    assert [route["name"] for route in chm("route", "list")] == ["night"]
    chm("route", "remove", "night")
    chm("channel", "remove", "noc")
    listed = chm("channel", "list")
    assert [channel["name"] for channel in listed] == ["inbox"]
    assert "s3cret" not in str([changed, listed])


@pytest.mark.usefixtures("ready")
def test_what_is_refused(refused: Chm) -> None:
    """A secret is no argument, a kind is one that there is, and a test needs Alertmanager."""
    secret = ("--set", f"url={URL}")
    assert "url is a secret" in refused("channel", "add", "noc", "--kind", "slack", *secret)
    assert "there is no kind 'smoke'" in refused("channel", "add", "noc", "--kind", "smoke")
    assert "needs no test" in refused("channel", "test", "inbox")


def test_the_first_start_has_routes(ready: Path) -> None:
    """A new installation has a configuration of Alertmanager before that starts."""
    text = (ready / "prometheus" / "alertmanager.yml").read_text()
    assert "/api/v1/notifications/inbox" in text
    assert (ready / "prometheus" / "alertmanager.yml").stat().st_mode & 0o777 == 0o600
