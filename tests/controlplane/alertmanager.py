"""A real Alertmanager on a free port of loopback, for as long as a test needs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.clients.alertmanager import Alertmanager
from tests.controlplane.provisioning.server import free_port
from tests.tools import tool

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@dataclass
class Server:
    """The folder and the port of an Alertmanager, whether it runs or not."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Return the address of the API."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> asyncio.subprocess.Process:
        """Start Alertmanager and wait until it answers."""
        with (self.folder / "alertmanager.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                tool("alertmanager", "prometheus-alertmanager"),  # Debian calls it so
                f"--config.file={self.folder / 'alertmanager.yml'}",
                f"--storage.path={self.folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
                stdout=log,
                stderr=log,
            )
        async with Alertmanager.at(self.url) as client, asyncio.timeout(30):
            while not await client.ready():
                assert process.returncode is None, (self.folder / "alertmanager.log").read_text()
                await asyncio.sleep(0.05)
        return process

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run Alertmanager, and stop it at the end as its supervisor would."""
        process = await self.start()
        try:
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def server(folder: Path, config: str = CONFIG) -> Server:
    """Return an Alertmanager, not started, of this configuration."""
    (folder / "alertmanager.yml").write_text(config)
    return Server(folder, free_port())
