"""Credentials tried on a device, for the control plane alone."""

import json
from typing import Any

import httpx
import pytest

from tests.exporter.conftest import free_port

ANN = {
    "version": 3,
    "username": "ann",
    "security_level": "authPriv",
    "auth_protocol": "SHA",
    "password": "correct horse",
    "priv_protocol": "AES",
    "priv_password": "battery staple",
}
BEARER = {"Authorization": "Bearer t0ken"}


async def verified(client: httpx.AsyncClient, address: str, auth: dict[str, Any]) -> dict[str, str]:
    host, _, port = address.partition(":")
    body = {"address": host, "port": int(port), "auth": auth}
    answer = await client.post("/verify", json=body, headers=BEARER)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


@pytest.mark.parametrize("auth", [{"version": 2, "community": "public"}, {"version": 1}, ANN])
async def test_the_right_credentials(
    asking: httpx.AsyncClient, snmpd: str, auth: dict[str, Any]
) -> None:
    """They are ok, and the device says its name."""
    assert await verified(asking, snmpd, auth) == {"outcome": "ok", "detail": "edge1"}


@pytest.mark.parametrize("wrong", [{"password": "incorrect horse"}, {"username": "bob"}])
async def test_wrong_credentials(
    asking: httpx.AsyncClient, snmpd: str, wrong: dict[str, str]
) -> None:
    """Version 3 says what is wrong; the answer holds no password."""
    found = await verified(asking, snmpd, ANN | wrong)
    assert found["outcome"] == "wrong_credentials"
    assert "horse" not in json.dumps(found)


async def test_what_was_tried_is_not_remembered(asking: httpx.AsyncClient, snmpd: str) -> None:
    """A wrong password does not spoil the next attempt with the right one."""
    await verified(asking, snmpd, ANN | {"priv_password": "another staple"})
    assert (await verified(asking, snmpd, ANN))["outcome"] == "ok"


async def test_nobody_there(asking: httpx.AsyncClient) -> None:
    """A port where nothing listens is unreachable."""
    found = await verified(asking, f"127.0.0.1:{free_port()}", {"version": 2})
    assert found["outcome"] == "unreachable"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer t0ke", "Basic t0ken", "bearer é"]
)
async def test_without_the_token(asking: httpx.AsyncClient, header: str) -> None:
    """Nobody else has a device asked, nor learns whether one is there."""
    headers = [(b"Authorization", header.encode())] if header else []
    answer = await asking.post("/verify", json={"address": "127.0.0.1"}, headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"address": "a b", "auth": {}}', b'{"address": "a"}',
        b'{"address": "a", "auth": {"community": "s3cret", "version": 9}}',
        b'{"address": "a", "auth": {"comunity": "s3cret"}}',
        b'{"address": "a", "auth": {}, "port": 0}', b" " * 20_000,
    ],
)  # fmt: skip
async def test_a_body_that_is_no_question(asking: httpx.AsyncClient, body: bytes) -> None:
    """It is refused, and no secret of it is repeated."""
    answer = await asking.post("/verify", content=body, headers=BEARER)
    assert answer.status_code == 400
    assert "s3cret" not in answer.text


async def test_without_the_flag_there_is_nothing(client: httpx.AsyncClient) -> None:
    """An exporter that was given no token tries nothing for anybody."""
    assert (await client.post("/verify", json={})).status_code == 404
