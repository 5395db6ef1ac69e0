"""A real Alertmanager on a free port of loopback, and services for it to notify."""

import asyncio
import json
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane.clients.alertmanager import NotRunning
from controlplane.clients.notifier import Notifier
from tests.controlplane.provisioning.server import free_port
from tests.tools import tool

# What Telegram answers; Alertmanager 0.25 breaks down at one without the chat. Others do not care.
TELEGRAM = b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":-100,"type":"group"}}}'
OK = b"HTTP/1.1 %d Fine\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


@dataclass
class Request:
    """What a service was asked: the body as JSON where it is."""

    path: str
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        """Give the body."""
        return json.loads(self.text)


@dataclass
class Sink:
    """A web service that takes everything, or refuses it with another status."""

    port: int = 0
    status: int = 200
    answer: bytes = TELEGRAM
    location: str = ""
    tls: ssl.SSLContext | None = None  # as which it poses to whoever takes it for a proxy
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str) -> str:
        """Give the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Request]:
        """Give the requests below a path."""
        return [request for request in self.requests if request.path.startswith(path)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while line := await reader.readline():
                method, path, _ = line.decode().split()
                headers = {}
                while (header := await reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                if method == "CONNECT" and self.tls is not None:
                    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                    await writer.start_tls(self.tls)
                    continue
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append(Request(path, headers, body.decode()))
                answer = OK % (self.status, len(self.answer), self.answer)
                if self.location:
                    answer = answer.replace(
                        b"Content-Type", f"Location: {self.location}\r\nContent-Type".encode()
                    )
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the other side has gone, as it may
        finally:
            writer.close()


@asynccontextmanager
async def sink(**fields: Any) -> AsyncIterator[Sink]:
    """Run a web service on loopback."""
    service = Sink(**fields)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()


@dataclass
class Alertmanager:
    """The folder and port of an Alertmanager, whether it runs or not."""

    folder: Path
    port: int = field(default_factory=free_port)
    program: str = field(
        default_factory=lambda: shutil.which("alertmanager") or tool("prometheus-alertmanager")
    )

    @property
    def url(self) -> str:
        """Give its address."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Notifier]:
        """Run it with the configuration that lies in its folder, and lend a client of it."""
        log = self.folder / "alertmanager.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                self.program,
                f"--config.file={self.folder / 'alertmanager.yml'}",
                f"--storage.path={self.folder / 'state'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
                stdout=output,
                stderr=output,
            )
        try:
            async with Notifier.at(self.url) as notifier:
                await _until_ready(notifier, process)
                yield notifier
        finally:
            process.terminate()
            await process.wait()


async def _until_ready(notifier: Notifier, process: asyncio.subprocess.Process) -> None:
    for _ in range(400):
        assert process.returncode is None, "it has ended; alertmanager.log says why"
        if await _answers(notifier):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not answer; alertmanager.log may say why")


async def _answers(notifier: Notifier) -> bool:
    try:
        await notifier.version()
    except NotRunning:
        return False
    return True


async def until(condition: Any, seconds: float = 20) -> None:
    """Wait until the condition holds."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")
