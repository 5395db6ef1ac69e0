"""Recordings played over UDP, and every sample the exporter makes of them with its OIDs."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from exporter.app import Exporter, create_app
from exporter.config import Auth
from exporter.probe import Devices, Explanation, Subject, explained, look
from exporter.profiles import loader
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Target
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from lab.recording import recordings
from lab.server import Lab
from lab.topology import Topology

BASE = "127.0.94.0"
SECONDS = 60.0  # that a look at a device may take


@dataclass(frozen=True)
class Told:
    """A sample, and the OIDs of the device that it was made of."""

    family: str
    labels: tuple[tuple[str, str], ...]
    value: float
    oids: tuple[str, ...]

    def __str__(self) -> str:
        """Return the sample as a line of the page."""
        inside = ",".join(f'{name}="{value}"' for name, value in self.labels)
        return f"{self.family}{{{inside}}} {self.value:.10g}"


@asynccontextmanager
async def playing(paths: Iterable[Path]) -> AsyncIterator[Mapping[str, str]]:
    """Play recordings; yield the `address:port` of each by its name."""
    played = recordings(paths, BASE)
    async with Lab(Topology(()), snmp_port=0, recordings=played) as lab:
        yield {one.name: f"{one.address}:{lab.port}" for one in played}


def shipped() -> Configuration:
    """Return the modules and profiles of the product."""
    return loader.load(Settings().config_files)


async def explanation(target: str, configuration: Configuration) -> Explanation:
    """Return what one look at a target saw, and what each row of it became."""
    devices = Devices(Settings(), Telemetry(CollectorRegistry()))
    subject = Subject(target, Target.parse(target), {"public_v2": Auth()})
    deadline = asyncio.get_running_loop().time() + SECONDS
    async with devices.turn(target, deadline) as state:
        seen = await look(devices, subject, state, configuration, deadline)
    return explained(seen, subject, configuration)


def samples(told: Explanation) -> Iterator[Told]:
    """Yield every `chm_*` sample of an explanation."""
    for collector in told.collectors:
        for entry in collector.entries:
            for row in entry.rows:
                oids = tuple(source.oid for source in row.sources)
                for series in row.series:
                    labels = tuple(sorted(series.labels.items()))
                    yield Told(series.family, labels, float(series.value), oids)


async def page(target: str, configuration: Configuration) -> str:
    """Return what `module=auto` answers to Prometheus."""
    exporter = Exporter(Settings(), Telemetry(CollectorRegistry()), configuration, None)
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(SECONDS)}
    query = {"target": target, "module": "auto"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(exporter)),
        base_url="http://exporter",
        headers=headers,
        timeout=SECONDS,
    ) as client:
        response = await client.get("/snmp", params=query)
    assert response.status_code == httpx.codes.OK, response.text
    return response.text


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the values of a page by family and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
