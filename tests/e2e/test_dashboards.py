"""Every query of every dashboard, asked of the real Prometheus."""

import json

import httpx
import promql_parser
import pytest
import yaml

import dashboards
import rules
from dashboards.queries import Expression, expressions
from tests.e2e.running import Stack, eventually
from tests.promql import selectors

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BOARDS = dashboards.render()
QUERIES = [
    (board, e) for board, text in BOARDS.items() for e in expressions(text, {"device": "core1"})
]


def silent(stack: Stack) -> list[str]:
    """Name the panels whose queries are refused, or find nothing though nothing excuses that."""
    return [f"{b}: {e.panel}: {e.expr}" for b, e in QUERIES if not _answers(stack, e)]


def _answers(stack: Stack, expression: Expression) -> bool:
    url = f"{stack.url('prometheus')}/api/v1/query"
    answer = httpx.post(url, data={"query": expression.expr}, timeout=20)
    assert answer.is_success, f"{expression.panel}: {answer.text}"
    return bool(answer.json()["data"]["result"] or expression.empty)


# Series that are there only while something is wrong or planned; tests/rules shows them then.
ONLY_IN_TROUBLE = {
    "device:outage:cause",
    "device:outage:depth",
    "device:outage:unreachable",
    "device:outage:down",
    "device:outage:ways",
    "device:chm_inventory_device_info:missing",
    "device:chm_device_up:down_timestamp_seconds",
    "device:chm_device_up:flapping_ways",
    *("chm_threshold", "device:chm_threshold:current"),  # of devices that have others than most
    *("device:cpu_utilization:high", "pool:memory_utilization:high", "sensor:temperature:high"),
    "chm_maintenance_active",
    "chm_api_token_expiry_timestamp_seconds",
    "device:chm_maintenance_active:current",
    *("chm_interface_down", "chm_interface_disabled", "chm_sensor_beyond_limit", "chm_fault"),
    *(f"interface:{what}:increase" for what in ("errors", "discards", "packets")),
    "interface:ifOperStatus:watched",
    "interface:utilization:ratio",
    "interface:errors:ratio",
    "interface:discards:ratio",
    "interface:ifOperStatus:following",
    "interface:chm_neighbor_info:down",
}
LOST = (":lost_timestamp_seconds", ":silent_timestamp_seconds", ":lost_undecided")
FLAPS = (":changes", ":changes_lately", ":flapping")
RESTLESS = (":restless", ":restless_undecided", ":restless_wanted")
HOURLY = "_avg1h"  # recorded once an hour
# What no device of the demo network has; tests/exporter/profiles shows who tells it.
NOT_IN_THE_DEMO = (
    *("chm_bgp_", "chm_ospf_", "chm_poe_", "chm_stack_"),
    *("chm_icmp_", "device:icmp_"),  # its devices are not pinged
    *("chm_sensor_amperes", "chm_sensor_dbm", "chm_sensor_limit_", "chm_sensor_volts"),
    "chm_memory_utilization_ratio",
    "baseline:",  # nobody chose one
    *("chm_interface_monitored", "interface:chm_interface_monitored:"),  # nobody decided
    *("chm_site_team", "site:chm_site_team:"),  # nobody is in a team
)


def named() -> set[str]:
    """Give every metric that a rule or a board asks for."""
    rendered = rules.render(rules.Intent(public_url="http://chm.test")).values()
    groups = [group for text in rendered for group in yaml.safe_load(text)["groups"]]
    exprs = [rule["expr"] for group in groups for rule in group["rules"]]
    exprs += [e.expr for _, e in QUERIES]
    return {s.name for expr in exprs for s, _ in selectors(promql_parser.parse(expr))}


def test_every_metric_is_there(stack: Stack) -> None:
    """What rules and dashboards ask for is what the real services expose."""
    url = f"{stack.url('prometheus')}/api/v1/label/__name__/values"

    expected = {
        name
        for name in named() - ONLY_IN_TROUBLE
        if not name.endswith((*LOST, *FLAPS, *RESTLESS, HOURLY))
        and not name.startswith(NOT_IN_THE_DEMO)
    }

    def complete() -> bool:
        missing = sorted(expected - set(httpx.get(url).json()["data"]))
        seen[:] = missing
        return not missing

    seen: list[str] = []
    try:
        eventually(complete, 60, "every metric")
    except AssertionError as error:
        error.add_note(f"missing: {' '.join(seen)}")
        raise


def test_every_query_returns_data(stack: Stack) -> None:
    """No panel of a dashboard is empty on a network that works, unless it says why it may be."""
    eventually(lambda: not silent(stack), 120, f"data for {json.dumps(silent(stack), indent=1)}")
