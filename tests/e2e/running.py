"""The whole stack as a user runs it: `chm up` on free ports, watched from outside."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx

Seen = TypeVar("Seen")

CHM = Path(sys.executable).with_name("chm")
SERVICES = (
    *("controlplane", "exporter", "prometheus", "alertmanager", "lab_http", "lab_snmp", "traps"),
)
# A minute's behaviour in seconds.
QUICK = {
    "CHM_SCRAPE_INTERVAL": "2",
    "CHM_SD_REFRESH_INTERVAL": "2",
    "CHM_EVALUATION_INTERVAL": "2",
    "CHM_DOWN_FOR": "4",
    "CHM_GROUP_WAIT": "1",
    "CHM_GROUP_INTERVAL": "5",
}


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def eventually(look: Callable[[], Seen], seconds: float, what: str) -> Seen:
    """Look until there is something to see; fail with what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s: not {what}; last seen: {seen!r}")
        time.sleep(0.2)


class Receiver:
    """A webhook receiver outside the stack: what people would have been told, and when."""

    def __init__(self) -> None:
        self.notifications: list[tuple[float, dict[str, Any]]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.notifications.append((time.time(), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def alerts(self, **labels: str) -> list[tuple[float, dict[str, Any]]]:
        """Give the alerts that were notified with these labels, and when."""
        return [
            (when, alert)
            for when, notification in list(self.notifications)
            for alert in notification["alerts"]
            if labels.items() <= alert["labels"].items()
        ]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Stack:
    """A running `chm up`."""

    data: Path
    ports: dict[str, int]
    receiver: Receiver
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)
    password: str = ""
    _token: str = ""

    def url(self, service: str) -> str:
        """Give the address of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def pid(self, service: str) -> int:
        """Give the process that runs a service now."""
        return int((self.data / "run" / f"{service}.pid").read_text())

    def kill(self, service: str) -> int:
        """Kill -9 a child; give its pid."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        return pid

    def api(self, method: str, path: str, json: Any = None) -> httpx.Response:
        """Ask the control plane as the admin, who changes whatever version there is."""
        answer = self._ask(method, path, json) if self._token else None
        if answer is None or answer.status_code == HTTPStatus.UNAUTHORIZED:  # a token has its day
            login = {"name": "admin", "password": self.password}
            granted = httpx.post(f"{self.url('controlplane')}/api/v1/auth/login", json=login)
            self._token = granted.raise_for_status().json()["access_token"]
            answer = self._ask(method, path, json)
        return answer

    def _ask(self, method: str, path: str, json: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", "If-Match": "*"}
        url = f"{self.url('controlplane')}/api/v1/{path}"
        return httpx.request(method, url, json=json, headers=headers, timeout=20)

    def statuses(self, path: str) -> list[str]:
        """Give the status of each alert of a list of the control plane, if it answers."""
        answer = self.api("GET", path)
        return [a["status"] for a in answer.json()["results"]] if answer.is_success else []

    def files(self) -> list[Path]:
        """Give every file that the stack wrote."""
        return [path for path in self.data.rglob("*") if path.is_file()]

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Ask Prometheus; a refused or unanswered question gives nothing."""
        try:
            answer = httpx.get(f"{self.url('prometheus')}/api/v1/query", params={"query": promql})
        except httpx.HTTPError:
            return []
        if not answer.is_success:
            return []
        result: list[dict[str, Any]] = answer.json().get("data", {}).get("result", [])
        return result

    def up(self) -> set[str]:
        """Give the devices that Prometheus knows to be up."""
        return {s["metric"]["device"] for s in self.query("chm_device_up == 1")}


def environment(data: Path, ports: dict[str, int], **more: str) -> dict[str, str]:
    """Give the environment of a stack of its own."""
    chosen = {f"CHM_{service.upper()}_PORT": str(port) for service, port in ports.items()}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHM_")}
    return {**clean, **QUICK, **chosen, "CHM_DATA": str(data), "COLUMNS": "200", **more}


@contextmanager
def running_stack(data: Path, *arguments: str, **more: str) -> Iterator[Stack]:
    """Start `chm up`, wait for its table, and end it with Ctrl-C; nothing may be left running."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    receiver = Receiver()
    env = environment(data, ports, CHM_NOTIFY_WEBHOOKS=receiver.url, **more)
    process = subprocess.Popen(
        [CHM, "up", *arguments],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    stack = Stack(data, ports, receiver, process)
    try:
        _await_table(stack)
        yield stack
        pids = [int(file.read_text()) for file in (data / "run").glob("*.pid")]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
        receiver.close()


def _await_table(stack: Stack) -> None:
    assert stack.process.stdout
    for line in stack.process.stdout:
        stack.output.append(line)
        found = re.search(r"password\s*│\s*(\S+)", line)
        if found:
            stack.password = found[1]
        if "Ctrl-C ends everything" in line:
            threading.Thread(target=_read_on, args=(stack,), daemon=True).start()
            return
    raise AssertionError("chm up ended:\n" + "".join(stack.output))


def _read_on(stack: Stack) -> None:
    assert stack.process.stdout
    try:
        stack.output.extend(stack.process.stdout)
    except ValueError:  # closed at the end of the test
        return


@contextmanager
def snmpd(folder: Path, port: int, community: str) -> Iterator[Callable[[], None]]:
    """Run net-snmp's agent; what is given ends it early."""
    folder.mkdir(exist_ok=True)
    config = folder / "snmpd.conf"
    config.write_text(f"rocommunity {community}\nsysName edge\n")
    process = subprocess.Popen(
        [
            "/usr/sbin/snmpd",
            "-f",
            "-Lf",
            str(folder / "log"),
            "-C",
            "-c",
            config,
            f"udp:127.0.0.1:{port}",
        ],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder)},
    )

    def stop() -> None:
        process.kill()
        process.wait()

    try:
        yield stop
    finally:
        stop()
