import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.exporter.cli import patient
from tests.exporter.cli.test_process import control_plane, started, until
from tests.exporter.conftest import free_port

WORKERS = ("--workers", "2")


def pids(url: str) -> set[int]:
    """Return the processes that serve now, as the metrics have them."""
    text = patient.get(f"{url}/metrics").text
    return {int(pid) for pid in re.findall(r'process_open_fds\{pid="(\d+)"\}', text)}


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(400):
        try:
            if true():
                return
        except httpx.ConnectError:
            pass  # no worker is up yet
        time.sleep(0.05)
    raise AssertionError("it never became true")


def everywhere(url: str, text: str) -> bool:
    """Return whether many new connections, which land on all workers, show a text."""
    return all(text in patient.get(url).text for _ in range(20))


def children(pid: int) -> list[str]:
    """Return the processes that a process has started and that still run."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    except FileNotFoundError:
        return False


class TestWorkers:
    def test_life(self, tmp_path: Path) -> None:
        """Workers share a port, their counters and a reload; one that dies is replaced."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {one: {}}")
        with started(*WORKERS, "--config.file", str(path)) as (running, url):
            until(f"{url}/config", "one:")
            eventually(lambda: len(pids(url)) == 2)
            for _ in range(30):
                assert patient.get(f"{url}/snmp").status_code == 400
            assert "snmp_request_errors_total 30.0" in patient.get(f"{url}/metrics").text

            path.write_text("auths: {two: {}}")
            assert patient.post(f"{url}/-/reload").status_code == 200
            eventually(lambda: everywhere(f"{url}/config", "two:"))
            path.write_text("auths: [")
            assert patient.post(f"{url}/-/reload").status_code == 500
            assert everywhere(f"{url}/config", "two:")
            path.write_text("auths: {three: {}}")
            os.kill(running.pid, signal.SIGHUP)
            eventually(lambda: everywhere(f"{url}/config", "three:"))

            before = pids(url)
            os.kill(min(before), signal.SIGKILL)
            eventually(lambda: len(pids(url)) == 2 and pids(url) != before)
            assert "snmp_request_errors_total 30.0" in patient.get(f"{url}/metrics").text

            children = pids(url)
            running.terminate()
            assert running.wait(10) == 0
            assert not any(alive(pid) for pid in children)

    def test_cannot_restart(self, tmp_path: Path) -> None:
        """A worker that cannot start again takes no request with it: the others serve them all."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {one: {}}")
        with started(*WORKERS, "--config.file", str(path)) as (running, url):
            until(f"{url}/config", "one:")
            eventually(lambda: len(pids(url)) == 2)
            path.write_text("auths: [")
            os.kill(min(pids(url)), signal.SIGKILL)
            eventually(lambda: len(children(running.pid)) == 1)
            assert all(
                httpx.get(f"{url}/-/healthy", timeout=5).text == "Healthy" for _ in range(40)
            )

            path.write_text("auths: {one: {}}")
            eventually(lambda: len(pids(url)) == 2)

    def test_reload_while_starting(self, tmp_path: Path) -> None:
        """A reload that meets a worker on its way up is not its end."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {one: {}}")
        with started(*WORKERS, "--config.file", str(path)) as (running, url):
            eventually(lambda: len(pids(url)) == 2)
            os.kill(min(pids(url)), signal.SIGKILL)
            eventually(lambda: len(children(running.pid)) == 1)
            while len(children(running.pid)) == 1 or len(pids(url)) == 1:
                os.kill(running.pid, signal.SIGHUP)
                time.sleep(0.02)
            running.terminate()
            _, errors = running.communicate(timeout=10)
        assert [json.loads(line)["msg"] for line in errors.splitlines()].count("worker ended") == 1

    def test_orphans(self) -> None:
        """When the parent is killed its workers end, too."""
        with started(*WORKERS) as (running, url):
            until(f"{url}/-/healthy", "Healthy")
            eventually(lambda: len(pids(url)) == 2)
            children = pids(url)
            running.kill()
            eventually(lambda: not any(alive(pid) for pid in children))

    def test_inventory(self, tmp_path: Path) -> None:
        """One worker asks the control plane, and all know its devices."""
        (tmp_path / "token").write_text("s3cret\n")
        flags = ["--controlplane.token-file", str(tmp_path / "token"), "--inventory.refresh", "0.2"]
        with (
            control_plane() as address,
            started(*WORKERS, *flags, "--controlplane.url", address) as (running, url),
        ):
            until(f"{url}/-/ready", "Ready")
            eventually(lambda: everywhere(f"{url}/-/ready", "Ready"))
            text = patient.get(f"{url}/metrics").text
            assert "chm_exporter_snapshot_devices 1.0" in text
            running.terminate()
            _, errors = running.communicate(timeout=10)
        messages = {json.loads(line)["msg"] for line in errors.splitlines()}
        assert {"inventory changed", "inventory restored from disk"} <= messages

    def test_traps(self, tmp_path: Path) -> None:
        """One worker receives traps; what is sent while it is away waits for the next."""
        (tmp_path / "token").write_text("s3cret\n")
        port = free_port()
        flags = ["--controlplane.token-file", str(tmp_path / "token"), "--inventory.refresh", "0.2"]
        flags += ["--traps.listen-address", f"127.0.0.1:{port}"]
        with (
            control_plane() as address,
            socket.socket(type=socket.SOCK_DGRAM) as device,
            started(*WORKERS, *flags, "--controlplane.url", address) as (running, url),
        ):

            def dropped() -> int:
                counted = r'chm_trap_dropped_total\{reason="\w+"\} (\d+)'
                return sum(map(int, re.findall(counted, patient.get(f"{url}/metrics").text)))

            eventually(lambda: everywhere(f"{url}/-/ready", "Ready"))
            device.sendto(b"no trap", ("127.0.0.1", port))
            eventually(lambda: dropped() == 1)
            first = children(running.pid)[0]
            os.kill(int(first), signal.SIGKILL)
            eventually(lambda: first not in children(running.pid))
            device.sendto(b"no trap", ("127.0.0.1", port))
            eventually(lambda: dropped() == 2)
