"""A real Prometheus on a free port of loopback, for as long as a test needs it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.clients.prometheus import Prometheus
from tests.tools import tool

CONFIG = "global: {{evaluation_interval: 1s}}\nrule_files: ['{folder}/rules.d/current/*.yml']\n"


def free_port() -> int:
    """Return a TCP port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """The folder and the port of a Prometheus, whether it runs or not."""

    folder: Path
    port: int

    @property
    def config(self) -> Path:
        """Return the path of prometheus.yml."""
        return self.folder / "prometheus.yml"

    @property
    def url(self) -> str:
        """Return the address of the API."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start Prometheus, wait until it is ready, and stop it at the end."""
        log = (self.folder / "prometheus.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            tool("prometheus"),
            f"--config.file={self.config}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            stdout=log,
            stderr=log,
        )
        try:
            await self._ready(process)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            log.close()

    async def _ready(self, process: asyncio.subprocess.Process) -> None:
        async with Prometheus.at(self.url) as client, asyncio.timeout(30):
            while not await client.ready():
                log = self.folder / "prometheus.log"
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)


def server(folder: Path) -> Server:
    """Return a Prometheus, not started, that loads `rules.d/current/*.yml` of the folder."""
    made = Server(folder, free_port())
    made.config.write_text(CONFIG.format(folder=folder))
    return made
