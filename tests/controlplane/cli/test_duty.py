"""Maintenance and on-call duty in a shell."""

import json
from pathlib import Path

from tests.controlplane.cli.conftest import Chm


def test_maintenance(ready: Path, chm: Chm, refused: Chm) -> None:
    """Work is planned, listed with what it covers and when, and cancelled."""
    assert ready
    chm("device", "add", "core", "10.0.0.1")
    chm("device", "add", "edge", "10.0.0.2", "--parent", "core")
    when = ("--start", "2100-01-03T02:00", "--minutes", "120", "--time-zone", "Europe/Berlin")
    rule = ("--recurrence", "FREQ=WEEKLY;BYDAY=SU")
    added = chm("maintenance", "add", "night", *when, *rule, "--device", "core", "--dependants")
    assert added["occurrence"] == {"start": "2100-01-03T01:00:00Z", "end": "2100-01-03T03:00:00Z"}
    assert [window["name"] for window in chm("maintenance", "list", "--device", "core")] == [
        "night"
    ]
    assert chm("maintenance", "devices", "night") == {"devices": ["core", "edge"]}
    starts = [
        o["start"] for o in chm("maintenance", "occurrences", "night", "--after", "2100-01-01")
    ]
    assert starts[:2] == ["2100-01-03T01:00:00Z", "2100-01-10T01:00:00Z"]
    chm("maintenance", "cancel", "night")
    assert chm("maintenance", "list") == []
    assert "no maintenance window 'night'" in refused("maintenance", "cancel", "night")


def test_on_call(ready: Path, chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """A schedule comes from a document; who is on call, stands in and is told how, is asked."""
    assert ready
    schedule, policy = tmp_path / "schedule.json", tmp_path / "policy.json"
    layers = [{"people": ["admin"], "first_day": "2026-01-05"}]
    schedule.write_text(json.dumps({"name": "network", "layers": layers}))
    steps = [{"after": 300, "schedules": ["network"]}]
    policy.write_text(json.dumps({"name": "critical", "steps": steps}))
    for _ in range(2):  # added, then written anew
        assert chm("oncall", "set", str(schedule))["name"] == "network"
        assert chm("oncall", "set-policy", str(policy))["steps"][0]["schedules"] == ["network"]
    assert [s["name"] for s in chm("oncall", "list")] == ["network"]
    chm("oncall", "contact", "admin", "inbox")
    asked = chm("oncall", "who", "network", "--at", "2026-01-05T09:00Z")
    assert (asked["person"], asked["channel"]) == ("admin", "inbox")
    span = ("2100-01-01T00:00Z", "2100-01-02T00:00Z")
    made = chm("oncall", "stand-in", "network", "admin", *span)
    chm("oncall", "take-back", "network", made["id"])
    assert chm("oncall", "turns", "network", "--days", "7")[0]["person"] == "admin"
    assert [p["name"] for p in chm("oncall", "policies")] == ["critical"]
    assert "tells whoever is on call" in refused("oncall", "remove", "network")
    chm("oncall", "remove-policy", "critical")
    chm("oncall", "remove", "network")
    assert chm("oncall", "list") == []
