"""A rule set goes to Prometheus as a whole, or not at all.

Write beside, check and test with promtool, switch the symlink, reload, see that Prometheus runs it.
When anything fails, the set that ran before is put back. Callers hold a lock: one deployer at a
time.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

from controlplane.clients.prometheus import NotRunning, Prometheus, Refused
from controlplane.errors import ChmError, Invalid, Unavailable
from controlplane.provisioning import promtool
from controlplane.provisioning.revisions import Revisions
from controlplane.provisioning.ruleset import REVISION_FILE, REVISION_METRIC, RuleSet

POLL = 0.2


@dataclass(frozen=True)
class Deployment:
    """What came of it: `detail` in words, `running` is whether Prometheus confirmed the set.

    `refused` is whether something is wrong with the set itself: trying again does not help.
    """

    revision: str
    status: Literal["deployed", "unchanged", "failed"]
    detail: str
    running: bool
    refused: bool = False


@dataclass(frozen=True)
class Target:
    """Where rule sets go, and how long (seconds) promtool and Prometheus may take."""

    revisions: Revisions
    prometheus: Prometheus
    promtool: str = "promtool"
    check_timeout: float = 60
    verify_timeout: float = 15


async def deploy(ruleset: RuleSet, target: Target) -> Deployment:
    """Bring Prometheus to run `ruleset`; afterwards it runs that, or what it ran before."""
    revisions = target.revisions
    try:
        before = await _running(target)
        if revisions.current() == ruleset.revision and revisions.holds(ruleset):
            if before == ruleset.revision:
                return _deployment(ruleset, "unchanged", "Prometheus runs this set", running=True)
        else:
            await _place(ruleset, target)
    except (Invalid, Unavailable, OSError) as error:
        return _failed(ruleset, error)
    return await _enforce(ruleset, before, target)


async def _place(ruleset: RuleSet, target: Target) -> None:
    """Put the set on disk under its revision, checked, where Prometheus does not read it yet."""
    staged = await asyncio.to_thread(target.revisions.stage, ruleset)
    try:
        files = [staged / name for name in ruleset.files]
        await promtool.check_rules(target.promtool, files, target.check_timeout)
        await promtool.test_rules(
            target.promtool, ruleset.played, ruleset.behaviour, target.check_timeout
        )
        await asyncio.to_thread(target.revisions.admit, staged, ruleset)
    finally:
        await asyncio.to_thread(target.revisions.discard, staged)


async def _enforce(ruleset: RuleSet, before: str | None, target: Target) -> Deployment:
    """Switch to a set that is on disk, and back again unless Prometheus comes to run it."""
    revisions = target.revisions
    placed = revisions.current()
    previous = before if before and revisions.path(before).is_dir() else placed
    try:
        revisions.switch(ruleset.revision)
        await target.prometheus.reload()
        await _confirm(ruleset, target)
    except NotRunning:
        status: Literal["deployed", "unchanged"] = (
            "unchanged" if placed == ruleset.revision else "deployed"
        )
        words = "Prometheus is not running; it will start with this set"
        return _deployment(ruleset, status, words, running=False)
    except (Invalid, Unavailable, OSError) as error:
        return _failed(ruleset, error, await _put_back(previous, target))
    await asyncio.to_thread(revisions.prune)
    return _deployment(ruleset, "deployed", "Prometheus runs this set", running=True)


async def _confirm(ruleset: RuleSet, target: Target) -> None:
    deadline = time.monotonic() + target.verify_timeout
    while await _running(target) != ruleset.revision:
        if time.monotonic() > deadline:
            raise Unavailable(
                "Prometheus reloaded, but does not run this set; "
                f"its rule_files must hold {target.revisions.link}/*.yml"
            )
        await asyncio.sleep(POLL)


async def _running(target: Target) -> str | None:
    """Return the revision that Prometheus runs, "" for no set, None when it is not running."""
    try:
        groups = await target.prometheus.rules()
    except NotRunning:
        return None
    revisions = (
        rule.labels.get("revision", "")
        for group in groups
        if group.file.endswith(f"/current/{REVISION_FILE}")
        for rule in group.rules
        if rule.name == REVISION_METRIC
    )
    return next(revisions, "")


async def _put_back(previous: str | None, target: Target) -> str:
    """Return to the set before, and say how that went."""
    try:
        target.revisions.switch(previous)
        await target.prometheus.reload()
    except (Refused, Unavailable, OSError) as error:
        return (
            "the files of the set before are back, and Prometheus keeps the rules it has loaded, "
            f"but it did not reload: {_words(error)}"
        )
    return "the set before is back in force"


def _failed(ruleset: RuleSet, error: Exception, after: str = "nothing was changed") -> Deployment:
    detail = f"{_words(error)} ({after})"
    refused = isinstance(error, Invalid)
    return Deployment(ruleset.revision, "failed", detail, running=False, refused=refused)


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, ChmError) else str(error)


def _deployment(
    ruleset: RuleSet,
    status: Literal["deployed", "unchanged"],
    detail: str,
    *,
    running: bool,
) -> Deployment:
    return Deployment(ruleset.revision, status, detail, running)
