"""Tables of traps: what is wrong in one is refused with its place, and an alert is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from exporter.config import ConfigError
from exporter.profiles import loader

DOOR = {"name": "DoorOpen", "severity": "warning", "summary": "open", "description": "$site"}
OID = "1.3.6.1.4.1.4711.2.0.7"
TRAP = {"oid": OID, "text": "door", "values": {"door": "1.3.6.1.4.1.4711.1"}}


def load(folder: Path, **alert: Any) -> Any:
    path = folder / "acme.yml"
    path.write_text(json.dumps({"traps": {"acmeDoorOpen": {**TRAP, "alert": {**DOOR, **alert}}}}))
    return loader.load([str(path)]).traps[OID].alert


@pytest.mark.parametrize(
    ("alert", "place"),
    [
        ({"where": {"colour": "2"}}, "where"),
        ({"unless": {"colour": ["2"]}}, "unless"),
        ({"labels": {"door": "colour"}}, "labels"),
        ({"lasting": "colour"}, "lasting"),
        ({"summary": "$colour"}, "summary"),
        ({"description": "$colour"}, "description"),
        ({"interface": ["colour"]}, "interface"),
        ({"milder": {"severity": "info", "without": "colour"}}, "milder"),
    ],
)
def test_a_value_that_is_not_there(tmp_path: Path, alert: dict[str, Any], place: str) -> None:
    """A name that the table gives to no value is refused, with the field that has it."""
    with pytest.raises(ConfigError, match=rf"traps\.acmeDoorOpen\.alert\.{place}: .*'colour'"):
        load(tmp_path, **alert)


@pytest.mark.parametrize(
    ("state", "fits"), [("1", False), ("2", True), ("3", True), ("4", False), ("", False)]
)
def test_one_of_several_values(tmp_path: Path, state: str, *, fits: bool) -> None:
    """A value is one of those that are wanted, and none of those that are not."""
    raised = load(
        tmp_path,
        ask={"state": "1.3.6.1.4.1.4711.2", "lock": "1.3.6.1.4.1.4711.3"},
        where={"state": ["2", "3"], "lock": "1"},
        unless={"door": ""},
    )
    assert raised.fits({"state": state, "lock": "1", "door": "front"}) == fits
    assert not raised.fits({"state": state, "lock": "2", "door": "front"})
    assert not raised.fits({"state": state, "lock": "1", "door": ""})


@pytest.mark.parametrize("alert", [{}, {"ask": {"state": "1.3.6.1.4.1.4711.2"}}])
def test_others_are_asked_what_they_are(tmp_path: Path, alert: dict[str, Any]) -> None:
    """That something has changed is no reason for an alert by itself."""
    with pytest.raises(ConfigError, match=r"traps\.acmeDoorOpen\.alert\.changed: needs `ask`"):
        load(tmp_path, changed="1.3.6.1.4.1.4711.4", **alert)
