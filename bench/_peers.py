"""The programs that benchmarks and tests compare with, found and started; and our own exporter.

snmp_exporter comes twice: the newest (`.tools/peers`, built by `make peers`), and Debian's 0.21,
whose configuration has the auth inside of each module.
"""

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).parent.parent
NEWEST = ROOT / ".tools" / "peers" / "snmp_exporter"
DEBIAN = ROOT / ".tools" / "bin" / "prometheus-snmp-exporter"
OUR_NAME = "chm-exporter"
PATIENCE = 30.0  # seconds for a program to serve
# What our modules have on top, or choose otherwise: peers keep their own 25 repetitions.
OURS = frozenset({"health", "max_repetitions", "known_repetitions"})
CPU_CLOCK = 2  # of a process: what the scheduler has given to all of its threads

Modules = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Exporter:
    """An exporter that serves on loopback."""

    name: str
    url: str
    pid: int

    def cpu(self) -> float:
        """Return the CPU seconds of the process so far, in user and system mode.

        Its clock, as clock_getcpuclockid(3) has it, counts nanoseconds; /proc hundredths.
        """
        return time.clock_gettime(~self.pid << 3 | CPU_CLOCK)

    def memory(self) -> int:
        """Return the resident bytes of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def interpreter() -> str:
    """Return which Python runs ours: builds of one version differ, so a ratio belongs to one."""
    return f"Python {platform.python_version()} of {sys.base_prefix}, {platform.python_compiler()}"


def newest() -> str | None:
    """Return the newest snmp_exporter, or None where it is not installed."""
    return str(NEWEST) if NEWEST.exists() else shutil.which("snmp_exporter")


def debian() -> str | None:
    """Return Debian's snmp_exporter, or None where it is not installed."""
    return str(DEBIAN) if DEBIAN.exists() else shutil.which("prometheus-snmp-exporter")


def shipped() -> dict[str, Any]:
    """Return the modules of the product, without what is ours alone."""
    modules: dict[str, Any] = {}
    for path in sorted((ROOT / "exporter" / "profiles" / "modules").glob("*.yml")):
        content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        modules |= content["modules"]
    return {
        name: {key: value for key, value in module.items() if key not in OURS}
        for name, module in modules.items()
    }


@contextmanager
def ours(folder: Path, *flags: str) -> Iterator[Exporter]:
    """Run our exporter with the modules it ships."""
    command = [str(Path(sys.executable).with_name("chm-exporter")), *flags]
    with _served(OUR_NAME, command, folder) as exporter:
        yield exporter


@contextmanager
def of_today(folder: Path, modules: Modules) -> Iterator[Exporter]:
    """Run the newest snmp_exporter with these modules."""
    path = folder / "snmp.yml"
    auths = {"public_v1": {"version": 1}, "public_v2": {"version": 2}}
    path.write_text(yaml.dump({"auths": auths, "modules": dict(modules)}, Dumper=yaml.CSafeDumper))
    command = [newest() or "", f"--config.file={path}"]
    with _served("snmp_exporter (newest)", command, folder) as exporter:
        yield exporter


@contextmanager
def of_debian(folder: Path, modules: Modules) -> Iterator[Exporter]:
    """Run snmp_exporter 0.21 with these modules, as far as it knows their fields."""
    path = folder / "snmp-0.21.yml"
    path.write_text(yaml.dump(dict(modules), Dumper=yaml.CSafeDumper))
    command = [debian() or "", f"--config.file={path}"]
    with _served("snmp_exporter 0.21", command, folder) as exporter:
        yield exporter


def free_port() -> int:
    """Return a TCP port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _served(name: str, command: list[str], folder: Path) -> Iterator[Exporter]:
    address = f"127.0.0.1:{free_port()}"
    command = [*command, f"--web.listen-address={address}", "--log.level=error"]
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait(f"http://{address}/metrics", process, log)
        yield Exporter(name, f"http://{address}", process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve: {log.read_text()}")
