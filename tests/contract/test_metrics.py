"""Whatever a rule or a dashboard asks for, somebody exposes or records."""

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import dashboards
import rules
from controlplane.app import INTENT
from controlplane.metrics import intent as of_intent
from controlplane.provisioning.ruleset import REVISION_METRIC
from dashboards.queries import expressions
from exporter.metrics import CATALOGUE
from exporter.telemetry import Telemetry
from tests.controlplane.conftest import Sessions
from tests.promql import selectors
from tests.rules.promtool import INTENT as INTENT_OF_RULES

MODULES = Path(__file__).parents[2] / "exporter" / "profiles" / "modules"
RUNBOOKS = sorted((Path(__file__).parents[2] / "docs" / "runbooks").glob("*.md"))
ALERTS = {"ALERTS", "ALERTS_FOR_STATE"}
# What Prometheus makes of every scrape and every alert.
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped"} | ALERTS
# What Prometheus and Alertmanager say of themselves; tests/e2e asks the real ones.
OF_OTHERS = ("prometheus_", "alertmanager_", "process_")


def rule_files() -> list[dict[str, Any]]:
    rendered = rules.render(INTENT_OF_RULES)
    return [rule for text in rendered.values() for rule in _rules(yaml.safe_load(text))]


def _rules(tree: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in tree["groups"] for rule in group["rules"]]


def asked() -> dict[str, set[str]]:
    """Give each metric that is asked for, and who asks for it."""
    exprs = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rule_files()]
    for name, text in dashboards.render().items():
        exprs += [(f"{name}: {e.panel}", e.expr) for e in expressions(text, {"device": "core1"})]
    found: dict[str, set[str]] = {}
    for who, expr in exprs:
        for selector, _ in selectors(promql_parser.parse(expr)):
            found.setdefault(selector.name, set()).add(who)
    return found


def of_modules() -> set[str]:
    """Give the names of the samples that the shipped modules can tell, as snmp.yml has them."""
    trees = [yaml.safe_load(file.read_text()) for file in MODULES.glob("*.yml")]
    metrics = [
        metric
        for tree in trees
        for module in tree["modules"].values()
        for metric in module["metrics"]
    ]
    suffix = {"EnumAsInfo": "_info"}
    return {metric["name"] + suffix.get(metric["type"], "") for metric in metrics}


def of(registry: CollectorRegistry) -> set[str]:
    """Give the names of a service's own metrics, also of those that have no label value yet."""
    suffix = {"counter": "_total"}
    families = list(registry.collect())
    samples = {sample.name for family in families for sample in family.samples}
    return samples | {family.name + suffix.get(family.type, "") for family in families}


async def told(sessions: Sessions, app: FastAPI) -> set[str]:
    """Give each metric that exporter, control plane and rules expose or record."""
    registry = CollectorRegistry()
    Telemetry(registry)
    own = of(registry) | of(app.state.registry)
    async with sessions() as session:
        live = (await of_intent.live(session)).content.decode()
        intent = {family.name for source in INTENT for family in await source(session)}
    intent |= set(re.findall(r"^# TYPE (\S+)", live, re.MULTILINE))
    recorded = {rule["record"] for rule in rule_files() if "record" in rule}
    return {*CATALOGUE, *of_modules(), *own, *intent, *recorded, *OF_PROMETHEUS, REVISION_METRIC}


async def test_nothing_is_asked_for_in_vain(sessions: Sessions, app: FastAPI) -> None:
    """A metric that a rule or a dashboard names and nobody tells fails the build."""
    known = await told(sessions, app)

    unknown = {
        name: who
        for name, who in asked().items()
        if name not in known and not name.startswith(OF_OTHERS)
    }

    assert unknown == {}


@pytest.mark.parametrize("text", [pytest.param(p.read_text(), id=p.stem) for p in RUNBOOKS])
async def test_runbooks_ask_for_what_is_there(text: str, sessions: Sessions, app: FastAPI) -> None:
    """The queries of a runbook, pasted at three in the morning, name real metrics."""
    known = await told(sessions, app)
    exprs = [block.split("```")[0] for block in text.split("```promql\n")[1:]]

    named = {s.name for expr in exprs for s, _ in selectors(promql_parser.parse(expr)) if s.name}

    assert {each for each in named - known if not each.startswith(OF_OTHERS)} == set()
