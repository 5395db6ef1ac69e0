"""The documentation of the inventory."""

import json
import re
from pathlib import Path

from httpx import AsyncClient

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "inventory.md"


async def test_the_example_can_be_imported(client: AsyncClient) -> None:
    """The document that the page shows is one that the API takes."""
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    response = await client.post("/api/v1/devices/import", json=json.loads(example))
    assert response.status_code == 200, response.text
    assert response.json()["devices"]["created"] == 2
