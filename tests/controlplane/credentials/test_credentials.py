"""Credentials over HTTP: in, and never out."""

from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.credentials import queries, service
from controlplane.credentials.schemas import SnmpCreate
from tests.controlplane.conftest import Sessions

URL = "/api/v1/credentials"
LAB = {"name": "lab", "kind": "snmp", "version": 2, "community": "s3cret-community"}
V3 = {
    "name": "core",
    "version": 3,
    "username": "monitor",
    "security_level": "authPriv",
    "auth_protocol": "SHA256",
    "password": "s3cret-auth",
    "priv_protocol": "AES",
    "priv_password": "s3cret-priv",
}


def without(credential: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in credential.items() if key != name}


async def test_secrets_never_come_out(
    client: AsyncClient, app: FastAPI, sessions: Sessions
) -> None:
    """Not in an answer, not in the row, not in a repr; only the vault gives them back."""
    answers = [
        await client.post(URL, json=LAB),
        await client.post(URL, json=V3),
        await client.get(URL),
        await client.get(f"{URL}/core"),
        await client.patch(f"{URL}/core", json={"password": "s3cret-changed"}),
        await client.post(URL, json=LAB),
        await client.post(URL, json=V3 | {"name": "bad name"}),
        await client.post(URL, json=V3 | {"name": "short", "password": "s3cret"}),
    ]
    assert [a.status_code for a in answers] == [201, 201, 200, 200, 200, 409, 422, 422]
    assert not any("s3cret" in answer.text for answer in answers)
    assert answers[1].json()["secrets"] == ["password", "priv_password"]
    async with sessions() as session:
        row = (await session.scalars(queries.by_name("core"))).one()
        raw = (await session.execute(text("SELECT * FROM credentials"))).all()
        assert service.opened(app.state.vault, row)["password"] == "s3cret-changed"
    assert "s3cret" not in repr(row)
    assert "s3cret" not in repr(raw)
    assert "s3cret" not in repr(SnmpCreate.model_validate(V3))


@pytest.mark.parametrize(
    ("credential", "pointer"),
    [
        (without(LAB, "community"), "/community"),
        (LAB | {"username": "monitor"}, "/username"),
        (LAB | {"version": 4}, "/version"),
        (LAB | {"community": ""}, "/community"),
        (LAB | {"community": "a\nb"}, "/community"),
        (LAB | {"kind": "telnet"}, "/kind"),
        (LAB | {"comunity": "misspelt"}, "/comunity"),
        (V3 | {"community": "public"}, "/community"),
        (without(V3, "security_level"), "/security_level"),
        (without(V3, "username"), "/username"),
        (without(V3, "priv_password"), "/priv_password"),
        (V3 | {"security_level": "authNoPriv"}, "/priv_protocol"),
        (V3 | {"security_level": "noAuthNoPriv"}, "/auth_protocol"),
        (V3 | {"password": "short"}, "/password"),
        (V3 | {"auth_protocol": "SHA3"}, "/auth_protocol"),
    ],
)
async def test_half_a_credential_is_refused(
    client: AsyncClient, credential: dict[str, Any], pointer: str
) -> None:
    """What SNMP could not use is refused, and the answer points at the field."""
    response = await client.post(URL, json=credential)
    assert response.status_code == 422
    assert pointer in [error["pointer"] for error in response.json()["errors"]]


async def test_a_change_is_checked_as_a_whole(client: AsyncClient) -> None:
    """One field may change alone only if the outcome is a credential."""
    await client.post(URL, json=LAB)
    turned = await client.patch(f"{URL}/lab", json={"version": 3})
    assert turned.status_code == 422
    assert (await client.patch(f"{URL}/lab", json={"version": None})).status_code == 422
    whole = without(V3, "name") | {"community": None}
    response = await client.patch(f"{URL}/lab", json=whole)
    assert response.status_code == 200, response.text
    assert response.json()["secrets"] == ["password", "priv_password"]


async def test_a_credential_in_use_stays(client: AsyncClient) -> None:
    """Deleting what a device is asked with is a conflict; afterwards it goes."""
    await client.post(URL, json=LAB)
    device = {"name": "core1", "address": "10.0.0.1", "credentials": ["lab"]}
    await client.post("/api/v1/devices", json=device)
    assert (await client.delete(f"{URL}/lab")).status_code == 409
    await client.delete("/api/v1/devices/core1")
    assert (await client.delete(f"{URL}/lab")).status_code == 204
    assert (await client.get(f"{URL}/lab")).status_code == 404
