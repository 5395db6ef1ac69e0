"""Whether a rule can be in force: its expression, and what promtool says of it as it would be."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

import rules
from controlplane.digests.digest import NAME as DIGEST
from controlplane.errors import Invalid, Problem
from controlplane.escalation.telling import NAME as ESCALATED
from controlplane.notifications.routing import TEST_ALERT
from controlplane.provisioning import promtool
from controlplane.provisioning.alerting_rules import expression
from controlplane.provisioning.alerting_rules.models import RuleSeverity
from controlplane.provisioning.ruleset import USER_FILE
from rules import units

CHECK_SECONDS = 15.0
PLACE = re.compile(r"could not parse expression: (\d+):(\d+): (?:parse error: )?(.*)", re.DOTALL)


class Written(Protocol):
    """What of a rule makes an alert of it."""

    @property
    def name(self) -> str:
        """The name of the alert."""

    @property
    def expr(self) -> str:
        """What fires it, as somebody wrote it."""

    @property
    def for_seconds(self) -> int:
        """How long it must be so."""

    @property
    def keep_firing_for_seconds(self) -> int:
        """How long the alert outlives it."""

    @property
    def severity(self) -> RuleSeverity:
        """How loud it is."""

    @property
    def summary(self) -> str:
        """A line for people."""

    @property
    def description(self) -> str:
        """More for people."""


@dataclass(frozen=True)
class Checker:
    """What checking takes: what shapes the rules, and the program that knows them."""

    intent: rules.Intent
    promtool: str = "promtool"

    def refuse_name(self, name: str) -> None:
        """Raise Invalid where an alert of this name is of the product."""
        ours = {TEST_ALERT, ESCALATED, DIGEST}
        taken = {alert.name for alert in rules.alerts(self.intent)} | ours
        if name in taken:
            detail = f"{name} is an alert of Catalyst Health Monitor; choose another name"
            raise Invalid(detail, Problem("/name", "reserved", detail))

    async def check(self, rule: Written, sites: Sequence[str] | None) -> rules.Alert:
        """Give the rule as it would be in force, or raise Invalid; `sites` None is everywhere."""
        try:
            expression.check(rule.expr)
        except Invalid as error:
            if any(problem.code == "promql" for problem in error.problems):
                await self._ask(_bare(rule))  # promtool knows the place
            raise
        made = alert(rule, sites)
        await self._ask(rules.written([made], self.intent))
        return made

    async def faults(self, alerts: Sequence[rules.Alert]) -> dict[str, str]:
        """Give why promtool refuses those of the alerts that it does, by name."""
        found: dict[str, str] = {}
        try:
            await self._ask(rules.written(alerts, self.intent))
        except Invalid:
            for one in alerts:
                try:
                    await self._ask(rules.written([one], self.intent))
                except Invalid as error:
                    found[one.name] = error.detail
        return found

    async def _ask(self, text: str) -> None:
        with tempfile.TemporaryDirectory(prefix="chm-rule-") as folder:
            path = Path(folder) / USER_FILE
            path.write_text(text, encoding="utf-8")
            try:
                await promtool.check_rules(self.promtool, [path], CHECK_SECONDS)
            except promtool.Rejected as error:
                raise _at_its_place(error) from error


def alert(rule: Written, sites: Sequence[str] | None) -> rules.Alert:
    """Give the alert that a rule makes: kept to its sites, with the labels of its device."""
    tree = expression.parse(rule.expr)
    bound = expression.bound(tree)
    if sites is not None:
        tree = expression.within(tree, sites)
    about_device = expression.keeps(tree, "device")
    if about_device and not expression.keeps(tree, "site"):
        tree = expression.labelled(tree)
    return rules.Alert(
        rule.name,
        tree.prettify(),
        rule.severity.value,
        "symptom" if about_device else "cause",
        rule.summary,
        rule.description,
        hold=rule.for_seconds,
        keep=rule.keep_firing_for_seconds,
        value="" if bound is None else units.shown("number"),
        threshold="" if bound is None else units.shown("number", bound),
    )


def _bare(rule: Written) -> str:
    """Write nothing but the expression, as it was given: places in it are those of its author."""
    bare = {"alert": rule.name, "expr": rule.expr}
    return yaml.safe_dump({"groups": [{"name": "user", "rules": [bare]}]}, allow_unicode=True)


def _at_its_place(error: promtool.Rejected) -> Invalid:
    found = PLACE.search(error.detail)
    if found is None:
        return Invalid(error.detail, Problem(expression.POINTER, "promtool", error.detail))
    line, column, words = found.groups()
    detail = f"line {line}, column {column}: {words}"
    return Invalid(f"this is no PromQL: {detail}", Problem(expression.POINTER, "promql", detail))
