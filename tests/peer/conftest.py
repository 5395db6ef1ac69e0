"""The newest snmp_exporter as a process, our own application, and the agents that both ask."""

import importlib.util
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry

from bench import _peers
from exporter.app import Exporter, create_app
from exporter.profiles import loader
from exporter.profiles.loader import Configuration
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.conftest import snmpd

BESIDE = _peers.ROOT.parent / "shared"
LARGEST = 60_000  # bytes of a packed recording; larger ones say nothing new

__all__ = ["snmpd"]


def yardstick() -> Path | None:
    """Return a file of modules to compare with, too: snmp_exporter's own, where there is one."""
    path = Path(os.environ.get("CHM_PEER_MODULES", BESIDE / "peer" / "snmp.yml"))
    return path if path.is_file() else None


def recordings() -> list[Path]:
    """Return walks of real devices: of the folders named, beside us, and of snmpsim-data."""
    named = os.environ.get("CHM_RECORDINGS", "").split(":")
    folders = [BESIDE / "recordings", *(Path(name) for name in named if name)]
    if spec := importlib.util.find_spec("snmpsim_data"):
        folders += [Path(place) for place in spec.submodule_search_locations or ()]
    found = [path for folder in folders for path in sorted(folder.rglob("*.snmprec*"))]
    packed = [path for path in found if path.stat().st_size <= LARGEST or path.suffix != ".bz2"]
    return list({path.name: path for path in packed}.values())


def modules() -> dict[str, Any]:
    """Return all modules to compare: ours, the zoo's, and the yardstick's under other names."""
    found = _peers.shipped()
    found |= yaml.safe_load((Path(__file__).parent / "zoo.yml").read_text())["modules"]
    if path := yardstick():
        content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        found |= {f"yardstick_{name}": module for name, module in content["modules"].items()}
    return found


@dataclass(frozen=True)
class Pair:
    """Both exporters with the same modules, each behind a client."""

    modules: dict[str, Any]
    ours: httpx.AsyncClient
    theirs: httpx.AsyncClient

    async def ask(
        self, target: str, module: str, auth: str = "public_v2"
    ) -> tuple[httpx.Response, httpx.Response]:
        """Return what each says about a module of a target.

        Ours is asked twice: what it says then it has not all decoded.
        """
        query = {"target": target, "module": module, "auth": auth}
        await self.ours.get("/snmp", params=query)
        return await self.ours.get("/snmp", params=query), await self.theirs.get(
            "/snmp", params=query
        )


@dataclass(frozen=True)
class Peer:
    """The newest snmp_exporter, the modules it has, and what we read from the same file."""

    url: str
    modules: dict[str, Any]
    configuration: Configuration


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    """Run the newest snmp_exporter."""
    if _peers.newest() is None:
        pytest.skip("snmp_exporter is not installed: make peers")
    with tempfile.TemporaryDirectory() as name:
        folder, known = Path(name), modules()
        with _peers.of_today(folder, known) as process:
            yield Peer(process.url, known, loader.load([str(folder / "snmp.yml")]))


@pytest.fixture
async def pair(peer: Peer) -> AsyncIterator[Pair]:
    """Both exporters, ours within this process."""
    telemetry = Telemetry(CollectorRegistry())
    exporter = Exporter(Settings(), telemetry, peer.configuration, None)
    transport = httpx.ASGITransport(create_app(exporter))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://exporter") as ours,
        httpx.AsyncClient(base_url=peer.url, timeout=60) as theirs,
    ):
        yield Pair(peer.modules, ours, theirs)
