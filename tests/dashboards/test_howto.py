import re
from pathlib import Path

import dashboards
from dashboards import panel, tables, visuals

ROOT = Path(__file__).parents[2]
HOWTO = (ROOT / "docs" / "howto" / "add-a-dashboard.md").read_text()


def test_files_exist() -> None:
    """Every file that the checklist names is there."""
    paths = re.findall(r"`((?:dashboards|tests)/[\w/.]*)`", HOWTO)

    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_pictures_exist() -> None:
    """Every picture that the checklist offers can be used."""
    offered = re.findall(r"\| `(\w+)`(?: of [^|]*)? \|$", HOWTO, re.MULTILINE)

    assert offered == ["stat", "lines", "timeline", "bars", "table"]
    assert all(hasattr(visuals, name) or hasattr(tables, name) for name in offered)


def test_placeholders_are_filled() -> None:
    """Every placeholder that the checklist explains is filled."""
    placeholders = re.findall(r"^ +\| `(\$\w+)` \|", HOWTO, re.MULTILINE)

    assert placeholders == ["$probe", "$intent", "$where"]
    assert all("$" not in panel.scoped(name, 'device="core1"') for name in placeholders)


def test_prefix() -> None:
    """The prefix of uids is the one by which boards are known on disk."""
    assert f"`uid` begins with `{dashboards.PREFIX}`" in HOWTO
