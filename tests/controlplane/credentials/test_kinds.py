"""Credentials for SSH and for HTTP APIs, beside those for SNMP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.auth.permissions import Permission
from controlplane.credentials import queries, service
from tests.controlplane.conftest import Service, Sessions

URL, IMPORT = "/api/v1/credentials", "/api/v1/devices/import"


def pem(key: ec.EllipticCurvePrivateKey, form: PrivateFormat, passphrase: str = "") -> str:
    locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, locked).decode()


def certificate(key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chm")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


KEY, OTHER_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
PKCS8, OPENSSH = pem(KEY, PrivateFormat.PKCS8), pem(KEY, PrivateFormat.OpenSSH)
LOCKED = pem(KEY, PrivateFormat.PKCS8, "s3cret-phrase")
CERTIFICATE = certificate(KEY)
SSH = {"name": "ssh", "kind": "ssh", "username": "monitor"}
REST = {"name": "rest", "kind": "rest"}
LAB = {"name": "lab", "version": 2, "community": "public"}


@pytest.mark.parametrize(
    ("credential", "secrets"),
    [
        (SSH | {"password": "s3cret"}, ["password"]),
        (SSH | {"private_key": OPENSSH}, ["private_key"]),
        (SSH | {"private_key": LOCKED, "passphrase": "s3cret"}, ["private_key", "passphrase"]),
        (REST | {"scheme": "basic", "username": "u", "password": "s3cret"}, ["password"]),
        (REST | {"scheme": "bearer", "token": "s3cret"}, ["token"]),
        (REST | {"scheme": "header", "header": "X-API-Key", "token": "s3cret"}, ["token"]),
        (
            REST | {"scheme": "certificate", "certificate": CERTIFICATE, "private_key": PKCS8},
            ["private_key"],
        ),
    ],
)
async def test_what_goes_in_is_sealed(
    client: AsyncClient,
    app: FastAPI,
    sessions: Sessions,
    credential: dict[str, Any],
    secrets: list[str],
) -> None:
    """Each kind is kept whole: open fields are shown, secrets come out of the vault alone."""
    response = await client.post(URL, json=credential)
    assert response.status_code == 201, response.text
    read = response.json()
    assert sorted(read["secrets"]) == sorted(secrets)
    shown = {name: read[name] for name in credential if name not in secrets}
    assert shown == {name: credential[name] for name in shown}
    async with sessions() as session:
        row = (await session.scalars(queries.by_name(credential["name"]))).one()
        opened = service.opened(app.state.vault, row)
        assert {name: opened[name] for name in secrets} == {n: credential[n] for n in secrets}
        stored = repr((await session.execute(text("SELECT * FROM credentials"))).all())
        logged = repr((await session.execute(text("SELECT * FROM audit_entries"))).all())
    for place in (response.text, stored, logged, repr(row)):
        assert "s3cret" not in place
        assert "PRIVATE KEY" not in place


async def test_host_keys_are_believed_strictly_unless_said_otherwise(client: AsyncClient) -> None:
    """A new SSH credential believes known host keys alone, and the policy can be changed."""
    created = await client.post(URL, json=SSH | {"password": "x"})
    assert created.json()["host_key_policy"] == "strict"
    changed = await client.patch(f"{URL}/ssh", json={"host_key_policy": "accept_new"})
    assert changed.json()["host_key_policy"] == "accept_new"
    assert (await client.patch(f"{URL}/ssh", json={"host_key_policy": None})).status_code == 422


@pytest.mark.parametrize(
    ("credential", "place"),
    [
        (SSH, "/password"),
        (SSH | {"private_key": "no key"}, "/private_key"),
        (SSH | {"private_key": LOCKED}, "/passphrase"),
        (SSH | {"private_key": PKCS8, "passphrase": "x"}, "/passphrase"),
        (SSH | {"password": "x", "passphrase": "x"}, "/passphrase"),
        (SSH | {"password": "x", "community": "x"}, "/community"),
        (REST, "/scheme"),
        (REST | {"scheme": "basic", "username": "u"}, "/password"),
        (REST | {"scheme": "bearer", "token": "t", "username": "u"}, "/username"),
        (REST | {"scheme": "header", "header": "X: y", "token": "t"}, "/header"),
        (
            REST
            | {
                "scheme": "certificate",
                "certificate": CERTIFICATE,
                "private_key": pem(OTHER_KEY, PrivateFormat.PKCS8),
            },
            "/certificate",
        ),
        (LAB | {"kind": "telnet"}, "/kind"),
        (LAB | {"token": "t"}, "/token"),
    ],
)
async def test_what_cannot_be_used_is_refused(
    client: AsyncClient, credential: dict[str, Any], place: str
) -> None:
    """A credential that nothing could log in with is told at the field that is wrong."""
    response = await client.post(URL, json=credential)
    assert response.status_code == 422, response.text
    assert [error["pointer"] for error in response.json()["errors"]] == [place]
    document = {"credentials": [credential]}
    response = await client.post(IMPORT, json=document)
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/credentials/0{place}"]


async def test_a_kind_stays(client: AsyncClient) -> None:
    """A credential has no field of another kind, and does not become one of it."""
    await client.post(URL, json=SSH | {"password": "x"})
    foreign = await client.patch(f"{URL}/ssh", json={"version": 2, "community": "x"})
    assert {error["pointer"] for error in foreign.json()["errors"]} == {"/version", "/community"}
    document = {"credentials": [LAB | {"name": "ssh"}]}
    assert (await client.post(IMPORT, json=document)).status_code == 409
    kinds = (await client.get(f"{URL}?kind=ssh")).json()["results"]
    assert [credential["name"] for credential in kinds] == ["ssh"]
    assert (await client.get(f"{URL}?kind=rest")).json()["count"] == 0


async def test_versions_rotate(client: AsyncClient, app: FastAPI, sessions: Sessions) -> None:
    """The next password of an SSH user is staged, promoted and taken back like a community."""
    await client.post(URL, json=SSH | {"password": "old"})
    staged = await client.post(f"{URL}/ssh/versions", json={"password": "new"})
    assert staged.status_code == 201, staged.text
    promoted = await client.post(f"{URL}/ssh/versions/2/promote")
    assert [version["state"] for version in promoted.json()] == ["in_force", "fallback"]
    async with sessions() as session:
        row = (await session.scalars(queries.by_name("ssh"))).one()
        assert service.opened(app.state.vault, row)["password"] == "new"
    assert (await client.delete(f"{URL}/ssh/versions/1")).status_code == 204


async def test_the_exporter_gets_what_it_can_use(client: AsyncClient, service: Service) -> None:
    """Of a device's candidates the snapshot has those for SNMP, in their order, and no other."""
    document = {
        "credentials": [LAB, LAB | {"name": "lab2"}, SSH | {"password": "s3cret"}],
        "devices": [
            {"name": "a", "address": "10.0.0.1", "credentials": ["lab2", "ssh", "lab"]},
            {"name": "b", "address": "10.0.0.2", "credentials": ["ssh"]},
        ],
    }
    assert (await client.post(IMPORT, json=document)).status_code == 200
    assert (await client.post(IMPORT, json=document)).json()["credentials"]["unchanged"] == 3
    exporter = await service(Permission.SNAPSHOT_READ)
    snapshot = await exporter.get("/api/v1/exporter/snapshot")
    assert "s3cret" not in snapshot.text
    assert sorted(snapshot.json()["auths"]) == ["lab", "lab2"]
    devices = snapshot.json()["devices"]
    assert devices["a"]["auths"] == ["lab2", "lab"]
    assert devices["b"]["auths"] == []
    refused = await client.post(f"{URL}/ssh/test", json={"devices": ["a"]})
    assert refused.json()["errors"][0]["code"] == "kind"
