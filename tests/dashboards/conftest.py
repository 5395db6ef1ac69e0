import json
from typing import Any

import pytest

import dashboards


@pytest.fixture(params=sorted(dashboards.render()))
def text(request: pytest.FixtureRequest) -> str:
    return dashboards.render()[request.param]


@pytest.fixture
def board(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@pytest.fixture
def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


@pytest.fixture
def targets(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [target for panel in panels for target in panel["targets"]]
