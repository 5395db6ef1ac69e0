"""What the exporter tells of interfaces, by a real Prometheus, is what the control plane learns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from controlplane.clients.prometheus import Prometheus
from controlplane.devices.interfaces import ports
from controlplane.devices.interfaces.models import AdminStatus
from controlplane.devices.interfaces.ports import Told
from lab import platforms
from lab.server import Lab
from lab.topology import DeviceSpec, Topology
from tests.controlplane.provisioning.server import server
from tests.fidelity.observation import page, shipped

NAME = "sw.1-a"
# Of a further collector; one that failed makes the whole unsure.
COLLECTOR = 'chm_collector_success{collector="another"} %d\n'


async def told_by_a_switch() -> str:
    """Return what the exporter tells of a switch of the lab with 48 ports."""
    platform = platforms.catalogue()["catalyst-48-ports"]
    device = DeviceSpec("sw1", platform, "access", "127.0.95.10", "lab")
    async with Lab(Topology((device,)), snmp_port=0) as lab:
        return await page(f"{lab.address('sw1')}:{lab.port}", shipped())


@asynccontextmanager
async def serving(text: str) -> AsyncIterator[int]:
    """Serve a page to whoever asks; yield the port."""
    head = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n"
    )

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + text.encode())
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


async def learned(folder: Path, text: str) -> dict[str, Told]:
    """Have Prometheus scrape a page as that of a device, and ask as the learner does."""
    prometheus = server(folder)
    async with serving(text) as port:
        labels = {"device": NAME, "site": "lab", "role": "access"}
        targets = [{"targets": [f"127.0.0.1:{port}"], "labels": labels}]
        job = {"job_name": "chm-devices", "scrape_interval": "1s", "scrape_timeout": "1s"}
        config = {"scrape_configs": [{**job, "static_configs": targets}]}
        prometheus.config.write_text(yaml.safe_dump(config))
        async with prometheus.running(), Prometheus.at(prometheus.url) as client:
            async with asyncio.timeout(30):
                while not (found := await client.query(ports.source(["core1", NAME]))):
                    await asyncio.sleep(0.1)
            assert await client.query(ports.source(["sw", "sw11-a"])) == ()
    return ports.told(found, 1000)


@pytest.mark.parametrize("whole", [True, False])
async def test_from_the_lab_to_the_inventory(tmp_path: Path, *, whole: bool) -> None:
    """Every port of a switch arrives with what there is about it, and whether that is all."""
    text = await told_by_a_switch()
    told = (await learned(tmp_path, text + COLLECTOR % whole))[NAME]

    assert told.whole is whole
    assert len(told.ports) == text.count("\nifOperStatus{")
    assert all(port.speed and port.type and port.mac for port in told.ports.values())
    assert {port.admin_status for port in told.ports.values()} <= {
        *(AdminStatus.UP, AdminStatus.DOWN)
    }
