"""A real net-snmp agent, and an exporter to ask it with."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from exporter.app import Exporter, create_app
from exporter.profiles import loader
from exporter.profiles.loader import Configuration
from exporter.protocols.snmp import Limits
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.agent import Value, counter64, integer, octets, oid_value

SNMPD = "/usr/sbin/snmpd"
SNMPD_CONF = """\
rocommunity public 127.0.0.1
sysName edge1
sysLocation the basement
sysContact "noc@example.net"
sysServices 72
createUser ann SHA "correct horse" AES "battery staple"
rouser ann authPriv
"""


UDP = socket.SOCK_DGRAM


def free_port() -> int:
    """Give a port that nobody has, neither of UDP nor of TCP."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=UDP) as udp:
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(udp.getsockname()[1])


@pytest.fixture(scope="session")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """net-snmp's agent on a free port: `127.0.0.1:port`."""
    folder = tmp_path_factory.mktemp("snmpd")
    (folder / "snmpd.conf").write_text(SNMPD_CONF)
    address = f"127.0.0.1:{free_port()}"
    command = [SNMPD, "-f", "-Lo", "-C", "-c", str(folder / "snmpd.conf"), f"udp:{address}"]
    environment = {"SNMP_PERSISTENT_DIR": str(folder), "PATH": "/usr/bin:/bin"}
    log = (folder / "log").open("wb")
    agent = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait(folder / "log", agent)
        yield address
    finally:
        agent.terminate()
        agent.wait(10)
        log.close()


def _wait(log: Path, agent: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if b"NET-SNMP version" in log.read_bytes():
            return
        assert agent.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture
async def limits() -> Limits:
    """Patience of a test: two quick tries within three seconds."""
    return Limits(
        asyncio.get_running_loop().time() + 3, timeout=0.15, retries=1, max_repetitions=10
    )


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(CollectorRegistry())


@pytest.fixture(scope="session")
def configuration() -> Configuration:
    """Return what the product ships."""
    return loader.load([])


@pytest.fixture
def exporter(telemetry: Telemetry, configuration: Configuration) -> Exporter:
    return Exporter(Settings(), telemetry, configuration, None)


@pytest.fixture
async def client(exporter: Exporter) -> AsyncIterator[httpx.AsyncClient]:
    """Return an HTTP client of the exporter."""
    transport = httpx.ASGITransport(create_app(exporter))
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
        yield client


@pytest.fixture
def switch() -> dict[str, Value]:
    """Return what a Cisco switch with two ports answers."""
    table = {
        "1.3.6.1.2.1.1.1.0": octets("Cisco IOS Software, C2960X Software, Version 15.2(7)E2, fc3"),
        "1.3.6.1.2.1.1.2.0": oid_value("1.3.6.1.4.1.9.1.1208"),
        "1.3.6.1.2.1.1.3.0": integer(360_000, 0x43),
        "1.3.6.1.2.1.1.5.0": octets("edge1"),
        "1.3.6.1.2.1.2.1.0": integer(2),
        "1.3.6.1.2.1.47.1.1.1.1.7.1001": octets("Switch 1"),
        "1.3.6.1.2.1.47.1.1.1.1.11.1": octets("FOC1234X0AB"),
        "1.3.6.1.2.1.47.1.1.1.1.13.1": octets("WS-C2960X-48TS-L"),
        "1.3.6.1.4.1.9.9.109.1.1.1.1.2.1": integer(1001),
        "1.3.6.1.4.1.9.9.109.1.1.1.1.8.1": integer(42, 0x42),
        "1.3.6.1.4.1.9.9.48.1.1.1.2.1": octets("Processor"),
        "1.3.6.1.4.1.9.9.48.1.1.1.5.1": integer(30_000_000, 0x42),
        "1.3.6.1.4.1.9.9.48.1.1.1.6.1": integer(70_000_000, 0x42),
        "1.3.6.1.4.1.9.9.13.1.3.1.2.1008": octets("SW#1, Sensor#1"),
        "1.3.6.1.4.1.9.9.13.1.3.1.3.1008": integer(44, 0x42),
        "1.3.6.1.4.1.9.9.13.1.3.1.6.1008": integer(1),
        "1.3.6.1.4.1.9.9.13.1.4.1.2.1": octets("Fan 1"),
        "1.3.6.1.4.1.9.9.13.1.4.1.3.1": integer(1),
        "1.3.6.1.4.1.9.9.13.1.4.1.2.2": octets("Fan 2"),
        "1.3.6.1.4.1.9.9.13.1.4.1.3.2": integer(3),
        "1.3.6.1.4.1.9.9.13.1.5.1.2.1": octets("PS 1"),
        "1.3.6.1.4.1.9.9.13.1.5.1.3.1": integer(5),
    }
    for port in (1, 2):
        table |= {
            f"1.3.6.1.2.1.2.2.1.1.{port}": integer(port),
            f"1.3.6.1.2.1.2.2.1.2.{port}": octets(f"GigabitEthernet1/0/{port}"),
            f"1.3.6.1.2.1.2.2.1.3.{port}": integer(6),
            f"1.3.6.1.2.1.2.2.1.6.{port}": octets(bytes([0, 0x1B, 0x54, 0, 0, port])),
            f"1.3.6.1.2.1.2.2.1.8.{port}": integer(port),
            f"1.3.6.1.2.1.31.1.1.1.1.{port}": octets(f"Gi1/0/{port}"),
            f"1.3.6.1.2.1.31.1.1.1.6.{port}": counter64(2**53 + port),
            f"1.3.6.1.2.1.31.1.1.1.18.{port}": octets(f'to "core{port}"'),
        }
    return table
