import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import rules
from controlplane.clients.prometheus import Prometheus
from controlplane.provisioning import deployment, ruleset
from controlplane.provisioning.deployment import Deployment, Target, deploy
from controlplane.provisioning.revisions import KEPT, Revisions
from controlplane.provisioning.ruleset import RuleSet
from rules.capacity import HOUR
from tests.controlplane.provisioning.server import Server, server
from tests.tools import tool

INTENT = rules.Intent("https://chm.example.net", evaluation_interval=1, scrape_interval=1)


@pytest.fixture
def stopped(tmp_path: Path) -> Server:
    return server(tmp_path)


@pytest.fixture
async def started(stopped: Server) -> AsyncIterator[Server]:
    async with stopped.running():
        yield stopped


@pytest.fixture
async def target(stopped: Server) -> AsyncIterator[Target]:
    async with Prometheus.at(stopped.url) as client:
        yield Target(
            Revisions(stopped.folder / "rules.d"), client, tool("promtool"), verify_timeout=1
        )


def build(folder: Path, down_for: float = 120) -> RuleSet:
    return ruleset.build(dataclasses.replace(INTENT, down_for=down_for), folder / "rules.local")


def local(folder: Path, text: str) -> None:
    (folder / "rules.local").mkdir(exist_ok=True)
    (folder / "rules.local" / "mine.yml").write_text(text)


async def loaded(target: Target) -> set[str]:
    return {group.name for group in await target.prometheus.rules()}


async def revision(target: Target) -> str | None:
    return await deployment._running(target)


@pytest.mark.usefixtures("started")
class TestRunningPrometheus:
    async def test_runs_what_was_deployed(self, tmp_path: Path, target: Target) -> None:
        """After a deployment Prometheus runs the whole set; the next one has nothing to do."""
        wanted = build(tmp_path)

        first, second = await deploy(wanted, target), await deploy(wanted, target)

        assert first == Deployment(wanted.revision, "deployed", "Prometheus runs this set", True)
        assert second == Deployment(wanted.revision, "unchanged", first.detail, True)
        assert {"chm-availability", "chm-stack", "chm-ruleset"} <= await loaded(target)

    async def test_every_rule_evaluates(self, tmp_path: Path, target: Target) -> None:
        """No rule of a fresh set fails in a Prometheus that has no data yet.

        What runs once an hour has not run yet: tests/rules evaluates it.
        """
        await deploy(build(tmp_path), target)
        evaluated = False
        for _ in range(100):
            groups = [g for g in await target.prometheus.rules() if g.interval < HOUR]
            found = [rule for group in groups for rule in group.rules]
            if evaluated := all(rule.health != "unknown" for rule in found):
                break
            await asyncio.sleep(0.1)

        assert evaluated
        assert [rule.last_error for rule in found if rule.last_error] == []

    async def test_bad_local_file_keeps_the_old_rules(self, tmp_path: Path, target: Target) -> None:
        """A mistake in PromQL of the operator is told in promtool's words, and changes nothing."""
        good = build(tmp_path)
        await deploy(good, target)
        local(tmp_path, "groups: [{name: mine, rules: [{record: 'a:b', expr: 'sum(('}]}]")

        result = await deploy(build(tmp_path), target)

        assert result.status == "failed"
        assert result.detail.startswith("local-mine.yml:")
        assert "could not parse expression" in result.detail
        assert str(tmp_path) not in result.detail
        assert await revision(target) == target.revisions.current() == good.revision

    async def test_rules_that_misbehave_together_are_refused(
        self, tmp_path: Path, target: Target
    ) -> None:
        """A file that is right by itself, but tells of outages that are none, changes nothing."""
        good = build(tmp_path)
        await deploy(good, target)
        local(tmp_path, "groups: [{name: mine, rules: [{alert: DeviceDown, expr: vector(1)}]}]")

        result = await deploy(build(tmp_path), target)

        assert result.status == "failed"
        assert result.detail.startswith("outages would not be told as they should")
        assert "DeviceDown" in result.detail
        assert str(tmp_path) not in result.detail
        assert await revision(target) == target.revisions.current() == good.revision

    async def test_set_that_prometheus_alone_refuses(self, tmp_path: Path, target: Target) -> None:
        """Where a promtool of another version was content, Prometheus has the last word."""
        good = build(tmp_path)
        await deploy(good, target)
        local(tmp_path, "groups: [{name: mine, rules: [{record: 'a:b', expr: 'sum(('}]}]")
        lenient = dataclasses.replace(target, promtool="true")

        result = await deploy(build(tmp_path), lenient)

        assert result.status == "failed"
        assert "the set before is back in force" in result.detail
        assert await revision(target) == target.revisions.current() == good.revision

    async def test_first_set_refused_leaves_none(self, tmp_path: Path, target: Target) -> None:
        """When the very first set is refused, Prometheus goes on without rules."""
        local(tmp_path, "groups: [{name: mine, rules: [{record: 'a:b', expr: 'sum(('}]}]")

        result = await deploy(build(tmp_path), dataclasses.replace(target, promtool="true"))

        assert result.status == "failed"
        assert target.revisions.current() is None
        assert await loaded(target) == set()

    async def test_failing_reload_is_rolled_back(
        self, tmp_path: Path, target: Target, started: Server
    ) -> None:
        """A prometheus.yml that does not load fails the deployment; the old rules stay."""
        good = build(tmp_path)
        await deploy(good, target)
        config = started.config.read_text()
        started.config.write_text("scrape_configs: nonsense")

        result = await deploy(build(tmp_path, 240), target)

        assert result.status == "failed"
        assert "it did not reload" in result.detail
        assert await revision(target) == target.revisions.current() == good.revision
        started.config.write_text(config)
        assert (await deploy(build(tmp_path, 240), target)).status == "deployed"

    async def test_configuration_that_does_not_load_the_rules(
        self, tmp_path: Path, target: Target, started: Server
    ) -> None:
        """A reload that succeeds proves nothing: Prometheus must be seen to run the set."""
        started.config.write_text("rule_files: []")

        result = await deploy(build(tmp_path), target)

        assert result.status == "failed"
        assert "does not run this set" in result.detail

    async def test_crash_between_switch_and_reload(self, tmp_path: Path, target: Target) -> None:
        """A deployer that died after the switch is not taken for one that finished."""
        old, new = build(tmp_path), build(tmp_path, 240)
        await deploy(old, target)
        await deployment._place(new, target)
        target.revisions.switch(new.revision)

        assert (await deploy(new, target)).status == "deployed"
        assert await revision(target) == new.revision

    async def test_crash_before_a_set_that_is_refused(
        self, tmp_path: Path, target: Target, started: Server
    ) -> None:
        """After such a crash, going back means what Prometheus runs, not what the link says."""
        old, new = build(tmp_path), build(tmp_path, 240)
        await deploy(old, target)
        await deployment._place(new, target)
        target.revisions.switch(new.revision)
        started.config.write_text("scrape_configs: nonsense")

        assert (await deploy(new, target)).status == "failed"
        assert target.revisions.current() == old.revision

    async def test_edited_files_are_put_right(self, tmp_path: Path, target: Target) -> None:
        """What somebody changed in a revision by hand is written again."""
        wanted = build(tmp_path)
        await deploy(wanted, target)
        (target.revisions.link / "stack.yml").write_text("groups: []")

        assert (await deploy(wanted, target)).status == "deployed"
        assert target.revisions.holds(wanted)


class TestPrometheusNotRunning:
    async def test_set_is_in_place_when_it_starts(
        self, tmp_path: Path, target: Target, stopped: Server
    ) -> None:
        """Rules deployed before Prometheus starts are the ones it starts with."""
        wanted = build(tmp_path)
        result, again = await deploy(wanted, target), await deploy(wanted, target)

        assert (result.status, result.running) == ("deployed", False)
        assert "not running" in result.detail
        assert (again.status, again.running) == ("unchanged", False)
        async with stopped.running():
            assert await revision(target) == wanted.revision

    async def test_twenty_revisions_are_kept(self, tmp_path: Path, stopped: Server) -> None:
        """Old sets go, the one in force and the last ones stay."""
        revisions = Revisions(stopped.folder / "rules.d")
        sets = [build(tmp_path, 100 + number) for number in range(KEPT + 3)]
        for made in sets:
            revisions.admit(revisions.stage(made), made)
            revisions.switch(made.revision)
        revisions.switch(sets[0].revision)
        revisions.prune()

        kept = {path.name.removeprefix("rev-") for path in revisions.folder.glob("rev-*")}
        assert kept == {made.revision for made in (sets[0], *sets[4:])}

    async def test_missing_promtool_deploys_nothing(self, tmp_path: Path, target: Target) -> None:
        """Rules that nobody has checked are never put in force."""
        result = await deploy(
            build(tmp_path), dataclasses.replace(target, promtool="/nowhere/promtool")
        )

        assert result.status == "failed"
        assert "promtool cannot be run" in result.detail
        assert target.revisions.current() is None
        assert list(target.revisions.folder.iterdir()) == []

    async def test_promtool_that_hangs_is_ended(self, tmp_path: Path, target: Target) -> None:
        """A checker that does not come to an end fails the deployment after its timeout."""
        slow = tmp_path / "slow"
        slow.write_text("#!/bin/sh\nexec sleep 60\n")
        slow.chmod(0o755)

        result = await deploy(
            build(tmp_path), dataclasses.replace(target, promtool=str(slow), check_timeout=0.2)
        )

        assert result.status == "failed"
        assert "did not finish" in result.detail
