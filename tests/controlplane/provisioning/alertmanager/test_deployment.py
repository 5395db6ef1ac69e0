"""A routing set on its way to a real Alertmanager: in force, refused, put back, cleared away."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.clients.notifier import Notifier
from controlplane.provisioning.alertmanager import document
from controlplane.provisioning.alertmanager.deployment import Deployment, Target, deploy
from controlplane.provisioning.alertmanager.document import Intention, RoutingSet
from controlplane.settings import Settings
from tests.controlplane.notifications.running import Alertmanager
from tests.controlplane.provisioning.alertmanager.everything import channel, intention
from tests.tools import tool

OLD = (0, 25)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data=tmp_path)
    (settings.prometheus_folder / "secrets").mkdir(parents=True)
    return settings


@pytest.fixture
def server(settings: Settings) -> Alertmanager:
    return Alertmanager(settings.prometheus_folder)


@pytest.fixture
async def target(server: Alertmanager) -> AsyncIterator[Target]:
    async with Notifier.at(server.url) as notifier:
        yield Target(server.folder, notifier, tool("amtool"), verify_timeout=1)


@pytest.fixture
def empty(settings: Settings) -> RoutingSet:
    return document.build(settings, Intention(), OLD)


@pytest.fixture
def full(settings: Settings) -> RoutingSet:
    return document.build(settings, intention(), OLD)


def folders(target: Target) -> set[str]:
    return {path.name for path in (target.folder / document.FOLDER).glob("rev-*")}


async def test_from_one_set_to_the_next(
    server: Alertmanager, target: Target, empty: RoutingSet, full: RoutingSet
) -> None:
    """A set is in place before the start, the next is taken over, and secrets of the last go."""
    waits = "Alertmanager is not running; it will start with this set"
    assert await deploy(empty, target) == Deployment("deployed", waits, running=False)
    assert await deploy(empty, target) == Deployment("unchanged", waits, running=False)
    async with server.running() as notifier:
        runs = "Alertmanager runs this set"
        assert await deploy(empty, target) == Deployment("unchanged", runs, running=True)
        assert await deploy(full, target) == Deployment("deployed", runs, running=True)
        assert full.mark in await notifier.receivers()
        assert folders(target) == {f"rev-{full.revision}"}
        assert await deploy(full, target) == Deployment("unchanged", runs, running=True)

        # What is asked for is on disk, but somebody has Alertmanager run something else.
        target.beside(full.revision).joinpath("secrets/slack.api_url").write_text("https://x/")
        assert (await deploy(full, target)).status == "deployed"


async def test_what_amtool_refuses_changes_nothing(
    server: Alertmanager, target: Target, empty: RoutingSet, full: RoutingSet
) -> None:
    """A configuration with a mistake never reaches Alertmanager; its secrets do not stay."""
    await deploy(empty, target)
    async with server.running() as notifier:
        broken = replace(full, config=full.config + "\nnonsense: true\n")
        result = await deploy(broken, target)

        assert result.status == "failed"
        assert "nonsense" in result.detail
        assert empty.mark in await notifier.receivers()
        assert target.config.read_text() == empty.config
        assert folders(target) == {f"rev-{empty.revision}"}


async def test_what_alertmanager_refuses_is_put_back(
    server: Alertmanager, target: Target, empty: RoutingSet, full: RoutingSet, tmp_path: Path
) -> None:
    """Where amtool is content and Alertmanager is not, it goes on with what it had."""
    content = tmp_path / "amtool"
    content.write_text("#!/bin/sh\nexit 0\n")
    content.chmod(0o700)
    await deploy(empty, target)
    async with server.running() as notifier:
        broken = replace(full, config=full.config + "\nnonsense: true\n")
        result = await deploy(broken, replace(target, amtool=str(content)))

        assert result.status == "failed"
        assert result.detail.endswith("(the configuration before is back in force)")
        assert empty.mark in await notifier.receivers()
        assert target.config.read_text() == empty.config


async def test_another_alertmanager_is_noticed(
    server: Alertmanager, target: Target, empty: RoutingSet, full: RoutingSet, tmp_path: Path
) -> None:
    """One that reads another file takes the reload and runs something else: that is no success."""
    await deploy(empty, target)
    elsewhere = replace(target, folder=tmp_path / "elsewhere")
    async with server.running():
        result = await deploy(full, elsewhere)

    assert "does not run this set; its --config.file must be" in result.detail


async def test_without_amtool(target: Target, empty: RoutingSet) -> None:
    """Unchecked, nothing is put in force."""
    result = await deploy(empty, replace(target, amtool="/nowhere/amtool"))

    assert "amtool cannot be run" in result.detail
    assert not target.config.exists()
    assert not folders(target)


async def test_a_channel_alone(settings: Settings, target: Target) -> None:
    """Without a route a channel is there, for a test of it and for routes to come."""
    wanted = document.build(settings, Intention((channel("slack"),)), OLD)
    assert (await deploy(wanted, target)).status == "deployed"
