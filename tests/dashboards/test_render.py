import json
import re
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

import dashboards


def test_same_bytes_every_time() -> None:
    """Rendering twice gives the same bytes, so nothing is rewritten without a change."""
    assert dashboards.render() == dashboards.render()


def test_files_are_named_by_uid() -> None:
    """The uid of a board, which every link to it holds, is its file name and never changes."""
    uids = {name: json.loads(text)["uid"] for name, text in dashboards.render().items()}

    assert uids == {"chm-fleet.json": "chm-fleet", "chm-device.json": "chm-device"}
    assert all(uid.startswith(dashboards.PREFIX) for uid in uids.values())


def test_boards_are_tagged(board: dict[str, Any]) -> None:
    """Every board carries the tag by which the control plane knows its own files."""
    assert dashboards.TAG in board["tags"]


class TestGrafanaReadsIt:
    def test_by_its_own_schema(self, text: str) -> None:
        """Grafana's generated bindings for 11.6 read every board, panel by panel."""
        plugins.register_default_plugins()
        board = json.loads(text)

        parsed = Dashboard.from_json(board)

        assert parsed.schema_version == 41
        assert parsed.panels is not None
        assert [panel.type_val for panel in parsed.panels if panel.type_val != "row"] == [
            panel["type"] for panel in board["panels"] if panel["type"] != "row"
        ]

    def test_options_survive_the_schema(self, text: str) -> None:
        """What the bindings write again holds every option we set: none is unknown to Grafana."""
        plugins.register_default_plugins()
        board = json.loads(text)

        again = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))

        # The keys of an annotation belong to the data source; `definition` is for the editor.
        known = re.compile(r"\.annotations\.list\[0\]\.\w+|\.templating\.list\[\d+\]\.definition")
        lost = [path for path in _missing(board, again) if not known.fullmatch(path)]
        assert lost == []


def _missing(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Paths of values that are ours and not theirs."""
    if isinstance(ours, dict):
        if not isinstance(theirs, dict):
            return [path]
        return [
            missing
            for key, value in ours.items()
            for missing in (
                _missing(value, theirs[key], f"{path}.{key}")
                if key in theirs
                else [f"{path}.{key}"]
            )
        ]
    if isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            return [path]
        return [
            missing
            for index, (a, b) in enumerate(zip(ours, theirs, strict=True))
            for missing in _missing(a, b, f"{path}[{index}]")
        ]
    return [] if ours == theirs else [path]


def test_one_module_knows_grafanalib() -> None:
    """Grafanalib can be replaced by changing one file."""
    folder = Path(dashboards.__file__).parent
    users = {path.name for path in folder.rglob("*.py") if "import grafanalib" in path.read_text()}
    users |= {path.name for path in folder.rglob("*.py") if "from grafanalib" in path.read_text()}

    assert users == {"dashboard.py"}
