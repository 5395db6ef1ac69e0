"""Routes of people to the routing tree of Alertmanager, and the hours in which it keeps quiet."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from controlplane.notifications.caps import NO_CAPS, Cap, Caps
from controlplane.notifications.receivers import OpenChannel, capped, receiver
from controlplane.notifications.schemas import Quiet, RouteOptions, Weekday

WEEK: tuple[Weekday, ...] = get_args(Weekday)
TEST_ALERT = "ChannelTest"
TEST_CHANNEL = "chm_channel"
TEST_ID = "chm_test"
# By these an escalation is known; its channel stands in TEST_CHANNEL, too.
ESCALATED = 'escalation="true"'
# By this a message is known that a cap let through; its channel stands in TEST_CHANNEL, too.
MESSAGE = "chm_message"
PASSED = f'{MESSAGE}!=""'
CAUSES = ('severity="critical"', 'alertclass="cause"')
LABELS = {
    "severities": "severity",
    "sites": "site",
    "roles": "role",
    "teams": "team",
    "alertclasses": "alertclass",
    "alertnames": "alertname",
}
# No alert has it: Alertmanager takes an empty list for that of the route above.
TOGETHER = "chm_together"
# Told only where a route names them; symptoms of severity none were left out before.
UNASKED = 'severity!~"info|none"'


@dataclass(frozen=True)
class RoutePlan:
    """A route, and the names of the channels that it tells."""

    name: str
    channels: tuple[str, ...]
    options: RouteOptions


def matcher(label: str, values: Sequence[str]) -> str:
    """Write the condition that a label has one of these values, whatever characters they hold."""
    if len(values) == 1:
        return f"{label}={_quoted(values[0])}"
    return f"{label}=~{_quoted('|'.join(re.escape(value) for value in values))}"


def node(route: RoutePlan, caps: Caps = NO_CAPS) -> dict[str, Any]:
    """Give a route as a node of the tree; several channels are its children, each told."""
    options = route.options
    tree: dict[str, Any] = {"matchers": list(_matchers(options)), "continue": not options.stop}
    if options.group_by is not None:
        tree["group_by"] = list(options.group_by) or [TOGETHER]
    for name in ("group_wait", "group_interval", "repeat_interval"):
        value = getattr(options, name)
        if value is not None:
            tree[name] = f"{round(value * 1000)}ms"
    # Not inherited by children, so it stands with each channel.
    quiet = {"mute_time_intervals": [interval_name(route)]} if options.quiet else {}
    leaves = [_leaf(channel, caps.get(channel), quiet) for channel in route.channels]
    if len(leaves) == 1:
        return {**tree, **leaves[0]}
    return {**tree, "routes": [{**leaf, "continue": True} for leaf in leaves]}


def tests(channels: Sequence[OpenChannel]) -> dict[str, Any]:
    """Give the node that takes each test alert to its channel alone, at once."""
    return {
        "receiver": "nobody",
        "matchers": [matcher("alertname", [TEST_ALERT]), f'{TEST_CHANNEL}!=""'],
        "group_by": [TEST_CHANNEL, TEST_ID],
        "group_wait": "0s",
        "routes": by_name(channels),
    }


def by_name(channels: Sequence[OpenChannel]) -> list[dict[str, Any]]:
    """Give the nodes that take an alert to the one channel that it names by a label."""
    return [
        {"receiver": channel.receiver, "matchers": [matcher(TEST_CHANNEL, [channel.name])]}
        for channel in channels
    ]


def interval(route: RoutePlan) -> dict[str, Any]:
    """Give the quiet hours of a route as a time interval."""
    spans = [span for quiet in route.options.quiet for span in _spans(quiet)]
    return {"name": interval_name(route), "time_intervals": spans}


def interval_name(route: RoutePlan) -> str:
    """Name the quiet hours of a route."""
    return f"quiet-{route.name}"


def _leaf(channel: str, cap: Cap | None, quiet: Mapping[str, Any]) -> dict[str, Any]:
    """Give the node of a channel; with a cap the control plane hears instead, but of causes."""
    told = {"receiver": receiver(channel), **quiet}
    if cap is None:
        return told
    counted = {"receiver": capped(channel), **quiet}
    return (
        {**counted, "routes": [{**told, "matchers": [*CAUSES]}]} if cap.except_causes else counted
    )


def _matchers(options: RouteOptions) -> Iterator[str]:
    for name, label in LABELS.items():
        values = getattr(options, name)
        if values:
            yield matcher(label, values)
    if not options.severities:
        yield UNASKED


def _spans(quiet: Quiet) -> Iterator[dict[str, Any]]:
    """Split hours across midnight in two, for a time interval ends with its day."""
    days = quiet.days or list(WEEK)
    if quiet.start < quiet.end:
        yield _span(days, quiet.start, quiet.end, quiet.time_zone)
        return
    if quiet.start != "24:00":
        yield _span(days, quiet.start, "24:00", quiet.time_zone)
    if quiet.end != "00:00":
        following = [WEEK[(WEEK.index(day) + 1) % len(WEEK)] for day in days]
        yield _span(following, "00:00", quiet.end, quiet.time_zone)


def _span(days: Sequence[str], start: str, end: str, time_zone: str) -> dict[str, Any]:
    return {
        "weekdays": list(days),
        "times": [{"start_time": start, "end_time": end}],
        "location": time_zone,
    }


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
