"""The documentation of rules that people write."""

import json
import re
from pathlib import Path

from httpx import AsyncClient

from controlplane.provisioning.alerting_rules import expression, schemas
from tests.controlplane.provisioning.alerting_rules.test_rules import RULES

PAGE = Path(__file__).parents[4] / "docs" / "howto" / "write-a-rule.md"


async def test_the_example_is_a_rule(client: AsyncClient) -> None:
    """What the page shows is taken as it stands, enabled, and without a doubt."""
    (example,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    checked = await client.post(f"{RULES}/check", json=json.loads(example))
    assert checked.json()["warnings"] == []
    assert (await client.post(RULES, json=json.loads(example))).status_code == 201
    assert (await client.post(f"{RULES}/UplinkNoisy/enable")).json()["status"] == "live"


def test_the_limits_are_those_of_the_code() -> None:
    """A limit that changes changes on the page."""
    text = PAGE.read_text(encoding="utf-8")
    for said in (
        f"has {expression.MOST_CHARACTERS:,} characters at most",
        f"patterns have at most {expression.LONGEST_PATTERN} characters",
        f"ranges {expression.LONGEST_RANGE.days} days",
        f"subqueries {expression.MOST_STEPS:,} steps",
    ):
        assert said in text
    assert schemas.ALERT_GRAMMAR.startswith("3 to 64 letters and digits")
