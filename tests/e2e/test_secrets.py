"""Secrets go in, and nothing that the stack wrote, answered or exposed holds one of them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import Stack, eventually, free_ports, snmpd

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

COMMUNITY, NEXT = "canary-community-1f6b", "canary-community-next-8d02"
AUTH, PRIV = "canary-auth-pass-77a1", "canary-priv-pass-c3e4"
GUESS = "canary-guessed-password-5b90"
CANARIES = (COMMUNITY, NEXT, AUTH, PRIV, GUESS)
PAGES = {
    "controlplane": ("/metrics", "/health", "/api/openapi.json", "/api/docs", "/"),
    "exporter": ("/metrics", "/config", "/"),
    "prometheus": ("/api/v1/targets", "/api/v1/status/config", "/metrics"),
    "alertmanager": ("/api/v2/status", "/api/v2/alerts", "/metrics"),
}


@pytest.fixture
def used(stack: Stack, tmp_path: Path) -> Iterator[list[str]]:
    """Use every secret in every way there is, and give what was answered."""
    answers: list[httpx.Response] = []

    def ask(method: str, path: str, json: object = None) -> httpx.Response:
        answers.append(stack.api(method, path, json))
        return answers[-1]

    v3 = {
        "name": "canary3",
        "version": 3,
        "username": "monitor",
        "security_level": "authPriv",
        "auth_protocol": "SHA256",
        "password": AUTH,
        "priv_protocol": "AES",
        "priv_password": PRIV,
    }
    (port,) = free_ports(1)
    device = {"address": "127.0.0.1", "port": port, "credentials": ["canary", "canary3"]}
    with snmpd(tmp_path / "agent", port, NEXT):
        ask("POST", "credentials", {"name": "canary", "version": 2, "community": COMMUNITY})
        ask("POST", "credentials", v3)
        ask("POST", "credentials", v3)  # a conflict
        ask("POST", "credentials", {**v3, "name": "bad name", "comunity": COMMUNITY})
        ask("PATCH", "credentials/canary3", {"version": 2, "community": COMMUNITY})
        ask("POST", "devices", {"name": "canary1", **device})
        ask("POST", "devices/import", {"credentials": [{**v3, "priv_protocol": PRIV}]})
        ask("POST", "credentials/canary/versions", {"community": NEXT})
        eventually(lambda: "canary1" in stack.up(), 60, "the device up, by the staged version")
        tested = ask("POST", "credentials/canary/test", {"devices": ["canary1"], "number": 2})
        assert tested.json()[0]["outcome"] == "ok", tested.text
        assert ask("POST", "credentials/canary/versions/2/promote").status_code == 200
        ask("POST", "credentials/canary3/test", {"devices": ["canary1"]})
        for path in ("credentials", "credentials/canary/versions", "devices/canary1"):
            ask("GET", path)
        login = {"name": "admin", "password": GUESS}
        answers.append(
            httpx.post(f"{stack.url('controlplane')}/api/v1/auth/login", json=login, timeout=20)
        )
        yield [f"{answer.request.url} {answer.text}" for answer in answers]
    ask("DELETE", "devices/canary1")
    for name in ("canary", "canary3"):
        ask("DELETE", f"credentials/{name}")


def test_no_secret_is_anywhere(stack: Stack, used: list[str]) -> None:
    """Not in a file, a log, a table, an answer, a page, a metric, or a process's arguments."""
    places = dict(enumerate(used)) | {"output": "\n".join(stack.output)}
    for service, paths in PAGES.items():
        for path in paths:
            places[f"{service}{path}"] = httpx.get(f"{stack.url(service)}{path}", timeout=20).text
    for file in stack.files():
        places[str(file)] = file.read_bytes().decode("latin1")
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().decode("latin1")
        except OSError:
            continue  # it has ended
        if "snmpd" not in command:  # the device itself, which is not ours
            places[str(process)] = command

    found = [(place, c) for place, text in places.items() for c in CANARIES if c in text]
    assert not found
