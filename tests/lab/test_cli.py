import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from typer.testing import CliRunner

from lab.cli import app

BASE = "127.0.79.0"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lab", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def run(*arguments: str) -> tuple[int | None, str, str]:
    process = await start(*arguments)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    http = f"127.0.0.1:{port}"
    process = await start("serve", "--http", http, "--snmp-port", str(port), "--base", BASE)
    try:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        assert line.decode() == f"12 devices on UDP port {port}, http://{http}\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(signum: signal.Signals) -> None:
    """SIGTERM and SIGINT end the lab with exit code 0 and without a word."""
    async with serving(free_port()) as process:
        process.send_signal(signum)
        out, err = await asyncio.wait_for(process.communicate(), 30)

        assert (process.returncode, out, err) == (0, b"", b"")


async def test_scenario() -> None:
    """The command line starts and ends scenarios on a running lab, and explains mistakes."""
    port = free_port()
    http = f"127.0.0.1:{port}"
    async with serving(port):
        started = await run(
            "scenario", "link-down", "access5", "port=49", "duration=60", "--http", http
        )
        async with httpx.AsyncClient() as client:
            devices = (await client.get(f"http://{http}/devices")).json()
        ended = await run("scenario", "link-down", "access5", "--end", "--http", http)
        unknown = await run("scenario", "nix", "access5", "--http", http)

    assert started == (0, "link-down started on access5\n", "")
    access5 = next(device for device in devices if device["name"] == "access5")
    assert access5["scenarios"][0]["arguments"] == {"duration": 60, "port": "49"}
    assert ended == (0, "link-down ended on access5\n", "")
    assert unknown[0] == 2
    assert unknown[2].startswith("lab: no scenario 'nix'; there are device-down")


def test_no_lab_to_talk_to() -> None:
    """Without a running lab a scenario says so in one line."""
    http = f"127.0.0.1:{free_port()}"
    result = CliRunner().invoke(app, ["scenario", "cpu-hot", "core1", "--http", http])

    assert result.exit_code == 2
    assert result.stderr.startswith(f"lab: no lab at {http}: ")
    assert result.stderr.count("\n") == 1


async def test_a_port_in_use() -> None:
    """A port that is taken is one clear line and exit code 2, for HTTP and for SNMP."""
    port = free_port()
    http = f"127.0.0.1:{port}"
    other = f"127.0.0.1:{free_port()}"
    async with serving(port):
        same_http = await run("serve", "--http", http, "--snmp-port", "1", "--base", BASE)
        same_snmp = await run("serve", "--http", other, "--snmp-port", str(port), "--base", BASE)

    assert same_http == (2, "", f"lab: HTTP {http}: Address already in use\n")
    assert same_snmp == (2, "", f"lab: SNMP port {port}: Address already in use\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--devices", "nix.yml"], "lab: nix.yml: No such file or directory\n"),
        (["--base", "192.0.2.0"], "lab: 192.0.2.0 is not a loopback address\n"),
        (["--http", "0.0.0.0:8161"], "lab: 0.0.0.0 is not a loopback address\n"),
        (["--http", "127.0.0.1"], "lab: --http '127.0.0.1' is not host:port\n"),
    ],
)
def test_bad_options(arguments: list[str], reason: str) -> None:
    """A file that is not there or an address off loopback is one line and exit code 2."""
    result = CliRunner().invoke(app, ["serve", *arguments])

    assert (result.exit_code, result.stdout, result.stderr) == (2, "", reason)
