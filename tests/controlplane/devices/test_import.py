"""The import document."""

from typing import Any

import pytest
from httpx import AsyncClient

URL = "/api/v1/devices/import"
DOCUMENT: dict[str, list[dict[str, Any]]] = {
    "credentials": [{"name": "lab", "kind": "snmp", "version": 2, "community": "s3cret"}],
    "sites": [{"name": "demo", "description": "The lab"}],
    "device_roles": [{"name": "core"}],
    "devices": [
        {
            "name": "core1",
            "address": "127.0.1.11",
            "port": 1161,
            "site": "demo",
            "role": "core",
            "vendor": "Arista",
            "credentials": ["lab"],
            "parents": ["router1"],
        },
        {"name": "router1", "address": "127.0.1.1", "credentials": ["lab"]},
    ],
}
NOTHING = {"created": 0, "updated": 0, "unchanged": 0}


async def test_a_document_arrives_whole(client: AsyncClient) -> None:
    """Credentials, sites and devices are there, with parents that stand later in the document."""
    response = await client.post(URL, json=DOCUMENT)
    assert response.status_code == 200, response.text
    assert response.json() == {
        "credentials": NOTHING | {"created": 1},
        "sites": NOTHING | {"created": 1},
        "contacts": NOTHING,
        "custom_fields": NOTHING,
        "device_roles": NOTHING | {"created": 1},
        "device_types": NOTHING,
        "platforms": NOTHING,
        "tenants": NOTHING,
        "devices": NOTHING | {"created": 2},
        "interfaces": NOTHING,
    }
    core = (await client.get("/api/v1/devices/core1")).json()
    assert (core["parents"], core["credentials"], core["site"]) == (["router1"], ["lab"], "demo")
    assert "s3cret" not in response.text


async def test_importing_again_changes_nothing(client: AsyncClient) -> None:
    """The same document twice leaves every version as it was."""
    await client.post(URL, json=DOCUMENT)
    before = (await client.get("/api/v1/devices")).json()
    response = await client.post(URL, json=DOCUMENT)
    assert response.json() == {
        "credentials": NOTHING | {"unchanged": 1},
        "sites": NOTHING | {"unchanged": 1},
        "contacts": NOTHING,
        "custom_fields": NOTHING,
        "device_roles": NOTHING | {"unchanged": 1},
        "device_types": NOTHING,
        "platforms": NOTHING,
        "tenants": NOTHING,
        "devices": NOTHING | {"unchanged": 2},
        "interfaces": NOTHING,
    }
    assert (await client.get("/api/v1/devices")).json() == before


async def test_what_differs_is_changed(client: AsyncClient) -> None:
    """Fields that are left out stay; those that are given count."""
    await client.post(URL, json=DOCUMENT)
    response = await client.post(
        URL,
        json={
            "credentials": [{"name": "lab", "version": 1, "community": "other"}],
            "sites": [{"name": "demo", "description": "New"}],
            "devices": [{"name": "core1", "address": "127.0.1.12", "parents": []}],
        },
    )
    for noun in ("credentials", "sites", "devices"):
        assert response.json()[noun] == NOTHING | {"updated": 1}
    core = (await client.get("/api/v1/devices/core1")).json()
    assert (core["address"], core["parents"]) == ("127.0.1.12", [])
    assert (core["port"], core["role"], core["version"]) == (1161, "core", 2)


async def test_all_errors_and_nothing_imported(client: AsyncClient) -> None:
    """One bad row keeps everything out, and every bad row is told, with a pointer into it."""
    document = {
        "credentials": [*DOCUMENT["credentials"], {"name": "bad", "version": 2}],
        "sites": [*DOCUMENT["sites"], {"name": "demo"}],
        "device_roles": DOCUMENT["device_roles"],
        "devices": [
            *DOCUMENT["devices"],
            {"name": "a", "address": "10.0.0.1", "site": "x", "credentials": ["lab", "y"]},
            {"name": "b", "address": "10.0.0.2", "parents": ["router1", "z"]},
        ],
    }
    response = await client.post(URL, json=document)
    assert response.status_code == 422
    assert {e["pointer"] for e in response.json()["errors"]} == {
        "/credentials/1/community",
        "/sites/1/name",
        "/devices/2/site",
        "/devices/2/credentials/1",
        "/devices/3/parents/1",
    }
    for noun in ("credentials", "sites", "devices"):
        assert (await client.get(f"/api/v1/{noun}")).json()["count"] == 0


async def test_every_misspelt_field_is_told(client: AsyncClient) -> None:
    """A misspelt heading or field is an error at its place, not silence."""
    response = await client.post(
        URL,
        json={
            "device": [],
            "devices": [
                {"name": "a", "adress": "10.0.0.1"},
                {"name": 'b"}', "address": "10.0.0.2"},
            ],
        },
    )
    assert {e["pointer"] for e in response.json()["errors"]} == {
        "/device",
        "/devices/0/address",
        "/devices/0/adress",
        "/devices/1/name",
    }


async def test_a_cycle_keeps_all_out(client: AsyncClient) -> None:
    """A cycle among the rows is pointed at, and printed."""
    response = await client.post(
        URL,
        json={
            "devices": [
                {"name": "a", "address": "10.0.0.1", "parents": ["b"]},
                {"name": "b", "address": "10.0.0.2", "parents": ["a"]},
            ]
        },
    )
    assert response.status_code == 422
    assert "a -> b -> a" in response.json()["detail"]
    assert response.json()["errors"][0]["pointer"] == "/devices/0/parents"
    assert (await client.get("/api/v1/devices")).json()["count"] == 0


@pytest.mark.parametrize("document", [[], "x", None, 1])
async def test_no_document(client: AsyncClient, document: object) -> None:
    """What is no document is invalid."""
    assert (await client.post(URL, json=document)).status_code == 422


async def test_two_thousand_devices(client: AsyncClient) -> None:
    """A large network arrives in one document."""
    devices = [
        {
            "name": f"d{i}",
            "address": f"10.{i // 65536}.{i // 256 % 256}.{i % 256}",
            "credentials": ["lab"],
            "parents": [f"d{i // 10}"] if i else [],
        }
        for i in range(2_000)
    ]
    response = await client.post(
        URL, json={"credentials": DOCUMENT["credentials"], "devices": devices}
    )
    assert response.status_code == 200, response.text
    assert response.json()["devices"]["created"] == 2_000
