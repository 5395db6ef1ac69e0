"""A network of 202 devices: a core switch that dies takes 200 with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.running import eventually, free_ports

BASE = "127.0.66.0"
SWITCHES, BEHIND_EACH = 8, 24
BEHIND = SWITCHES * (1 + BEHIND_EACH)


def topology() -> dict[str, Any]:
    """Give a router, the core, eight switches on the core, and 24 small devices on each."""
    devices = [
        {"name": "router1", "platform": "mx240", "role": "router"},
        {"name": "core1", "platform": "dcs-7050sx-64", "role": "core"},
    ]
    links = [{"a": "router1", "a_port": "xe-2/0/0", "b": "core1", "b_port": "Ethernet1"}]
    for number in range(1, SWITCHES + 1):
        switch, uplink = f"dist{number}", f"Ethernet{number + 1}"
        devices.append({"name": switch, "platform": "catalyst-9300x-24y", "role": "distribution"})
        links.append({"a": "core1", "a_port": uplink, "b": switch, "b_port": "Te1/1/1"})
        for place in range(1, BEHIND_EACH + 1):
            name = f"edge{number}-{place}"
            devices.append({"name": name, "platform": "linux-router", "role": "access"})
            link = {"a": switch, "a_port": f"Twe1/0/{place}", "b": name, "b_port": "eth0"}
            links.append(link)
    return {"poller": "router1", "devices": devices, "links": links}


class Network:
    """The lab that simulates it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def inventory(self) -> dict[str, Any]:
        """Give its devices as the control plane imports them."""
        document: dict[str, Any] = httpx.get(f"{self._url}/inventory").raise_for_status().json()
        return document

    def fail(self, device: str) -> None:
        """Have a device fall silent, and with it what is behind it."""
        httpx.post(self._scenario(device), json={}).raise_for_status()

    def mend(self, device: str) -> None:
        """Have it back."""
        httpx.delete(self._scenario(device)).raise_for_status()

    def _scenario(self, device: str) -> str:
        return f"{self._url}/devices/{device}/scenarios/device-down"


@contextmanager
def running_network(folder: Path) -> Iterator[Network]:
    """Run the lab with this network until the end of the block."""
    file = folder / "topology.yml"
    file.write_text(yaml.safe_dump(topology()))
    snmp, http = free_ports(2)
    command = [
        sys.executable,
        "-m",
        "lab",
        "serve",
        f"--devices={file}",
        f"--base={BASE}",
        "--tick=5",
    ]
    command += [f"--snmp-port={snmp}", f"--http=127.0.0.1:{http}"]
    url = f"http://127.0.0.1:{http}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _answers(url), 30, "the lab answering")
            yield Network(url)
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/healthy").is_success
    except httpx.HTTPError:
        return False
