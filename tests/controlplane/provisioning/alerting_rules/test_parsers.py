"""What our parser of PromQL is told and what Prometheus reads are the same."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, strategies
from hypothesis import settings as effort

from controlplane.errors import Invalid
from controlplane.provisioning.alerting_rules import expression
from tests.controlplane.provisioning.server import Server, server

TEXTS = strategies.text(
    strategies.one_of(
        strategies.sampled_from("\"'`\\{}[]()#,=~!@|.*+?$^%\n\t or site"),
        strategies.characters(exclude_categories=["Cs", "Cc"]),
    ),
    max_size=12,
)
SHAPES = (
    "sum by (device) (rate(a{b=QUOTED}[5m] offset 1h)) > 1",
    'a{b!=QUOTED} or on (device) label_replace(c, "x", QUOTED, "d", ".*") > 0',
    'max_over_time((a{b=QUOTED, site="south"} > 1)[1h:1m])',
    "absent(a{b=QUOTED}) # QUOTED",
)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Server]:
    made = server(tmp_path)
    async with made.running():
        yield made


def quoted(text: str) -> list[str]:
    """Write a text in every way that PromQL has, if it can be."""
    single = "'" + json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"') + "'"
    ways = [json.dumps(text, ensure_ascii=False), json.dumps(text)]
    if "'" not in text:
        ways.append(single)
    if "`" not in text:
        ways.append(f"`{text}`")
    return ways


def expressions() -> list[str]:
    """Make expressions with labels of chance, in all quotes."""
    made: list[str] = []

    @effort(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(text=TEXTS)
    def collect(text: str) -> None:
        made.extend(shape.replace("QUOTED", way) for shape in SHAPES for way in quoted(text))

    collect()
    return made


async def test_every_selector_is_kept_as_prometheus_reads_it(running: Server) -> None:
    """Whatever stands in a label, in any quotes: the real parser finds our matcher everywhere."""
    compared = 0
    async with httpx.AsyncClient(base_url=running.url, trust_env=False) as prometheus:
        for text in expressions():
            try:
                tree = expression.check(text)
            except Invalid:
                continue  # our parser knows fewer escapes, and refuses what is no string to it
            made = expression.within(tree, ["north"])
            response = await prometheus.post(
                "/api/v1/format_query", data={"query": made.prettify()}
            )
            assert response.status_code == 200, (text, made.prettify(), response.text)
            read = expression.selectors(expression.parse(response.json()["data"]))
            assert matchers(read) == matchers(expression.selectors(made)), text
            assert all(("site", "north") in of for of in matchers(read)), text
            compared += 1
    assert compared > 300


def matchers(selectors: list[object]) -> list[list[tuple[str, str]]]:
    return [
        sorted((m.name, m.value) for m in selector.matchers.matchers)  # type: ignore[attr-defined]
        for selector in selectors
    ]
