"""Groups to YAML, with the proof that what was written is what was meant."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import promql_parser
import yaml

from rules import (
    availability,
    baselines,
    capacity,
    hardware,
    intent,
    interfaces,
    performance,
    routing,
    sla,
    stack,
)
from rules.options import Intent, duration
from rules.rule import Alert, Group, Record

# An alert lives on under the name of its file and group: renaming one resets what is pending.
FAMILIES = {
    "intent.yml": intent.groups,
    "availability.yml": availability.groups,
    "interfaces.yml": interfaces.groups,
    "hardware.yml": hardware.groups,
    "routing.yml": routing.groups,
    "performance.yml": performance.groups,
    "capacity.yml": capacity.groups,
    "baselines.yml": baselines.groups,
    "sla.yml": sla.groups,
    "stack.yml": stack.groups,
}
# `{{ query ... }}` in a template would run PromQL for whoever reads the notification.
PLACEHOLDER = re.compile(
    r"\{\{ \$(?:value|labels\.[A-Za-z_][A-Za-z0-9_]*)"
    r"(?: \| (?:humanize|humanizePercentage|humanizeDuration))? \}\}"
)

DEVICE = "{{ $labels.device }}"
# That of the device, else of the site. It is looked up for each alert there is: to join all there
# may be costs more, and as a label of samples it would make new series of all of a device when that
# changes hands. It is never empty: Prometheus would write the template as the label of ALERTS.
TEAM = (
    f"{{{{ with printf `{intent.INVENTORY}{{device=%q}}` $labels.device | query }}}}"
    '{{ . | first | label "team" }}{{ else }}'
    f"{{{{ with printf `{intent.SITE_TEAM}{{site=%q}}` $labels.site | query }}}}"
    '{{ . | first | label "team" }}{{ else }}none{{ end }}{{ end }}'
)

MOST_SERIES = 1000  # of an alert that somebody wrote: more is a mistake, and a storm


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes PromQL of several lines as a block people can read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def render(options: Intent) -> dict[str, str]:
    """Render every family: file name to YAML; the same intent gives the same bytes."""
    return {name: _file(groups(options), options) for name, groups in FAMILIES.items()}


def alerts(options: Intent) -> tuple[Alert, ...]:
    """Every alert of every family as it is shipped, in the order of the files."""
    families = (group for groups in FAMILIES.values() for group in groups(options))
    return tuple(rule for group in families for rule in group.rules if isinstance(rule, Alert))


def in_force(options: Intent) -> tuple[Alert, ...]:
    """Every alert as it is wanted: with what was changed, without those that are switched off."""
    wanted = _as_wanted(alerts(options), options)
    return tuple(rule for rule in wanted if isinstance(rule, Alert))


def written(alerts: Iterable[Alert], options: Intent) -> str:
    """Render alerts that people wrote: each in a group of its own, so that none holds up another.

    ValueError where one of them has no PromQL, or templates that are not for alerts.
    """
    groups = (
        Group(f"user-{alert.name}", options.sample_interval, (alert,), MOST_SERIES)
        for alert in sorted(alerts, key=lambda alert: alert.name)
    )
    return _file(tuple(groups), options)


def dashboard_url(rule: Alert, options: Intent) -> str:
    """Give the template that leads to the board of an alert; none to those of the stack itself."""
    if not options.grafana_url or rule.alertclass == "stack":
        return ""
    base = options.grafana_url.rstrip("/")
    which = f"?var-device={DEVICE}" if rule.board == "chm-device" else ""
    return f"{base}/d/{rule.board}{which}"


def template(text: str) -> str:
    """Give a text that may stand in an annotation; ValueError where a template is more."""
    if re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        raise ValueError(f"only labels and the value may stand in a template: {text!r}")
    return text


def _file(groups: tuple[Group, ...], options: Intent) -> str:
    tree = {"groups": [_group(group, options) for group in groups]}
    text = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
    if yaml.safe_load(text) != tree:
        raise ValueError("the YAML written does not read back as the rules meant")
    return text


def _group(group: Group, options: Intent) -> dict[str, Any]:
    rules = [_rule(rule, options) for rule in _as_wanted(group.rules, options)]
    limit = {"limit": group.limit} if group.limit else {}
    return {"name": group.name, "interval": duration(group.interval), **limit, "rules": rules}


def _as_wanted(rules: Iterable[Record | Alert], options: Intent) -> Iterator[Record | Alert]:
    """Yield the rules with what was changed about alerts; one that is switched off is left out."""
    for rule in rules:
        change = options.changes.get(rule.name) if isinstance(rule, Alert) else None
        if not isinstance(rule, Alert) or change is None:
            yield rule
        elif change.enabled:
            hold = rule.hold if change.hold is None else change.hold
            keep = rule.keep if change.keep is None else change.keep
            yield replace(rule, hold=hold, keep=keep)


def _rule(rule: Record | Alert, options: Intent) -> dict[str, Any]:
    promql_parser.parse(rule.expr)  # raises ValueError with the place of the mistake
    return _record(rule) if isinstance(rule, Record) else _alert(rule, options)


def _record(rule: Record) -> dict[str, Any]:
    labels = {"labels": dict(rule.labels)} if rule.labels else {}
    return {"record": rule.name, "expr": rule.expr, **labels}


def _alert(rule: Alert, options: Intent) -> dict[str, Any]:
    times = {"for": rule.hold, "keep_firing_for": rule.keep}
    looked_up = rule.alertclass != "stack" and not rule.of_inventory
    team = {"team": TEAM} if looked_up else {}
    figures = {"value": rule.value, "threshold": rule.threshold}
    return {
        "alert": rule.name,
        "expr": rule.expr,
        **{name: duration(seconds) for name, seconds in times.items() if seconds},
        "labels": {**rule.labels, "severity": rule.severity, "alertclass": rule.alertclass, **team},
        "annotations": {
            "summary": template(rule.summary),
            "description": template(rule.description),
            **{name: figure for name, figure in figures.items() if figure},
            "runbook_url": options.runbook(rule.name),
            **({"dashboard_url": url} if (url := dashboard_url(rule, options)) else {}),
        },
    }
