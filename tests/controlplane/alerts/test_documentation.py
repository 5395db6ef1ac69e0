"""The documentation of alerts."""

import json
import re
from pathlib import Path

from httpx import AsyncClient

from controlplane.alerts.models import AlertState
from controlplane.alerts.schemas import RESERVED, AlertQuery
from controlplane.database import now
from tests.controlplane.alerts.test_handling import INVENTORY

PAGE = (Path(__file__).parents[3] / "docs/howto/handle-alerts.md").read_text(encoding="utf-8")


async def test_the_example_makes_an_alert(client: AsyncClient) -> None:
    """The alert that the page shows is one that the API takes, given an end to come."""
    assert (await client.post("/api/v1/devices/import", json=INVENTORY)).status_code == 200
    (example,) = re.findall(r"POST /api/v1/alerts\n(\{.*?\})\n```", PAGE, re.DOTALL)
    body = json.loads(example) | {"until": now().replace(year=now().year + 1, day=1).isoformat()}
    response = await client.post("/api/v1/alerts", json=body)
    assert response.status_code == 201, response.text


def test_it_names_what_there_is() -> None:
    """Every state, every filter and every label that is not to be set is on the page.

    Lookups are the same for all lists, and on a page of their own.
    """
    words = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert words >= {state.value for state in AlertState}
    assert words >= RESERVED
    assert words >= {name for name in AlertQuery.model_fields if "__" not in name}
