"""`python -m lab`: serve a simulated network, start and end scenarios."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import uvicorn
import uvloop
import yaml

from lab import topology
from lab.app import create_app
from lab.errors import CannotListen, LabError
from lab.recording import recordings
from lab.server import Lab
from lab.walk import recording as recording_of

DEFAULT_HTTP = "127.0.0.1:8161"
USAGE = 2  # exit code

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to us: uvicorn raises them again when it is done, and we exit with 0."""
        yield


@app.command()
def serve(  # noqa: PLR0917 - typer makes options of them
    http: Annotated[
        str, typer.Option(help="host:port of the HTTP API; loopback only")
    ] = DEFAULT_HTTP,
    snmp_port: Annotated[
        int, typer.Option(min=1, max=65535, help="UDP port of every device")
    ] = 1161,
    devices: Annotated[str, typer.Option(help="demo, none, or a topology file")] = "demo",
    bulk: Annotated[
        int, typer.Option(min=0, max=50_000, help="identical 48-port switches more")
    ] = 0,
    recording: Annotated[
        list[Path] | None,
        typer.Option(help="a .snmprec file to be played as one more device; repeatable"),
    ] = None,
    base: Annotated[
        str, typer.Option(help="devices get this address + 10 and up")
    ] = topology.DEFAULT_BASE,
    tick: Annotated[float, typer.Option(min=0.05, help="seconds between new values")] = 1.0,
    datagram: Annotated[
        int, typer.Option(min=484, max=65_507, help="octets of a reply at most")
    ] = 1_472,
    traps: Annotated[
        str, typer.Option(help="host:port that linkDown and linkUp traps go to; loopback only")
    ] = "",
) -> None:
    """Answer SNMP v1 and v2c (community public) for every device until SIGTERM or SIGINT."""
    with _one_line():
        base = _loopback(base)
        network = _topology(devices, base)
        lab = Lab(
            network,
            snmp_port=snmp_port,
            bulk=topology.bulk(bulk, base),
            recordings=recordings(recording or (), base),
            tick=tick,
            datagram=datagram,
            traps=_receiver(traps) if traps else None,
        )
        with _listen(http) as sock:
            _loop(lab, sock)


@app.command()
def scenario(
    name: Annotated[str, typer.Argument(help="such as link-down")],
    device: Annotated[str, typer.Argument(help="such as core1")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="such as port=Ethernet3 duration=60")
    ] = None,
    *,
    end: Annotated[bool, typer.Option("--end", help="end it instead of starting it")] = False,
    http: Annotated[str, typer.Option(help="host:port of the lab")] = DEFAULT_HTTP,
) -> None:
    """Start a scenario on a device of a running lab, or end it."""
    with _one_line():
        path = f"http://{http}/devices/{device}/scenarios/{name}"
        try:
            if end:
                response = httpx.delete(path)
            else:
                response = httpx.post(path, json=_arguments(arguments or []))
        except httpx.TransportError as error:
            raise LabError(f"no lab at {http}: {error}") from error
        if response.is_error:
            raise LabError(response.json()["detail"])
        typer.echo(f"{name} {'ended' if end else 'started'} on {device}")


@app.command()
def convert(
    walk: Annotated[Path, typer.Argument(help="what snmpbulkwalk -Onxe printed")],
) -> None:
    """Print a walk as a recording (.snmprec) that `serve --recording` plays."""
    with _one_line():
        try:
            text = walk.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise LabError(f"{walk}: {getattr(error, 'strerror', None) or error}") from error
        for line in recording_of(text):
            typer.echo(line)


def main() -> None:
    """Run the command line."""
    app()


@contextlib.contextmanager
def _one_line() -> Generator[None, None, None]:
    try:
        yield
    except LabError as error:
        typer.echo(f"lab: {error}", err=True)
        raise typer.Exit(USAGE) from error


def _loopback(text: str) -> str:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise LabError(f"{text!r} is not an IPv4 address") from error
    if not address.is_loopback:
        raise LabError(f"{text} is not a loopback address")
    return text


def _topology(devices: str, base: str) -> topology.Topology:
    match devices:
        case "demo":
            return topology.demo(base)
        case "none":
            return topology.Topology(())
        case path:
            return topology.load(Path(path), base)


def _receiver(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise LabError(f"--traps {text!r} is not host:port")
    return _loopback(host), int(port)


def _listen(http: str) -> socket.socket:
    host, colon, port = http.rpartition(":")
    if not colon or not port.isdecimal():
        raise LabError(f"--http {http!r} is not host:port")
    _loopback(host)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, int(port)))
    except OSError as error:
        sock.close()
        raise CannotListen(f"HTTP {http}: {error.strerror}") from error
    return sock


def _arguments(pairs: list[str]) -> dict[str, Any]:
    """Return key=value pairs, numbers as numbers; a port stays text, as its name may be one."""
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise LabError(f"{pair!r} is not key=value")
        arguments[key] = value if key == "port" else yaml.safe_load(value)
    return arguments


def _loop(lab: Lab, sock: socket.socket) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(lab, sock))


async def _serve(lab: Lab, sock: socket.socket) -> None:
    server = _Server(uvicorn.Config(create_app(lab), log_level="warning", lifespan="off"))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, setattr, server, "should_exit", True)
    async with lab:
        count = len(lab.addresses)
        typer.echo(f"{count} devices on UDP port {lab.port}, http://%s:%d" % sock.getsockname())
        await server.serve(sockets=[sock])
