"""net-snmp's agent with a configuration of the test's own, which can be stopped and started."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.exporter.conftest import SNMPD


def free_port() -> int:
    """Return a port that is free for UDP and TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            with suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


@contextmanager
def running(folder: Path, configuration: str, port: int, *more: str) -> Iterator[None]:
    """Run snmpd on UDP of 127.0.0.1 and where else it shall listen.

    `folder` keeps its engine boots.
    """
    folder.mkdir(exist_ok=True)
    (folder / "snmpd.conf").write_text(configuration)
    listening = [f"udp:127.0.0.1:{port}", *more]
    environment = {
        "SNMPCONFPATH": f"{folder}:{folder / 'kept'}",
        "SNMP_PERSISTENT_DIR": str(folder / "kept"),
        "PATH": "/usr/bin:/bin",
        "MIBS": "",
    }
    with (folder / "log").open("wb") as log:
        command = [SNMPD, "-f", "-Lo", *listening]
        agent = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait(folder / "log", agent)
            yield
        finally:
            agent.terminate()
            agent.wait(10)


def _wait(log: Path, agent: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if b"NET-SNMP version" in log.read_bytes():
            return
        assert agent.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@asynccontextmanager
async def between(agent: int, change: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """Stand between a client and an agent, and change what the agent sends."""
    loop = asyncio.get_running_loop()

    class Front(asyncio.DatagramProtocol):
        client: tuple[str, int] = ("", 0)

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            Front.client = addr
            back.sendto(data)

    class Back(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
            front.sendto(change(data), Front.client)

    front, _ = await loop.create_datagram_endpoint(Front, local_addr=("127.0.0.1", 0))
    back, _ = await loop.create_datagram_endpoint(Back, remote_addr=("127.0.0.1", agent))
    try:
        yield int(front.get_extra_info("sockname")[1])
    finally:
        front.close()
        back.close()
