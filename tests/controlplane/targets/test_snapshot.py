"""The snapshot for the exporter."""

from httpx import AsyncClient

from controlplane.auth.permissions import Permission
from tests.controlplane.conftest import Service
from tests.controlplane.devices.test_import import DOCUMENT

URL = "/api/v1/exporter/snapshot"


async def test_the_document(client: AsyncClient, service: Service) -> None:
    """It holds monitored devices and the auths they use, as snmp.yml spells them."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    unused = {"name": "unused", "version": 2, "community": "x"}
    await client.post("/api/v1/credentials", json=unused)
    v3 = {
        "name": "secure",
        "version": 3,
        "username": "monitor",
        "security_level": "authNoPriv",
        "auth_protocol": "SHA256",
        "password": "passphrase",
    }
    await client.post("/api/v1/credentials", json=v3)
    planned = {"name": "new1", "address": "10.0.0.9", "status": "planned"}
    await client.post("/api/v1/devices", json=planned)
    changed = {"status": "maintenance", "credentials": ["secure", "lab"], "modules": ["bgp4_mib"]}
    await client.patch("/api/v1/devices/router1", json=changed)

    response = await (await service(Permission.SNAPSHOT_READ)).get(URL)

    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    snapshot = response.json()
    assert response.headers["etag"] == f'"{snapshot["revision"]}"'
    assert snapshot["auths"] == {
        "lab": {"version": 2, "community": "s3cret"},
        "secure": {name: value for name, value in v3.items() if name != "name"},
    }
    assert snapshot["devices"] == {
        "core1": {
            "address": "127.0.1.11",
            "port": 1161,
            "auths": ["lab"],
            "profile": None,
            "modules": [],
            "site": "demo",
            "role": "core",
            "vendor": "Arista",
            "team": "none",
        },
        "router1": {
            "address": "127.0.1.1",
            "port": 161,
            "auths": ["secure", "lab"],
            "profile": None,
            "modules": ["bgp4_mib"],
            "team": "none",
        },
    }
    rule = {"at_once": True, "for_seconds": 300, "flap_seconds": 1800}
    assert snapshot["alerts"]["CpuHigh"] == rule


async def test_an_unchanged_snapshot_is_not_sent_again(
    client: AsyncClient, service: Service
) -> None:
    """304 until something the exporter asks with has changed; 200 with a new tag afterwards."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    exporter = await service(Permission.SNAPSHOT_READ)
    etag = (await exporter.get(URL)).headers["etag"]
    for tags in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = await exporter.get(URL, headers={"If-None-Match": tags})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)

    await client.post("/api/v1/sites", json={"name": "elsewhere"})
    irrelevant = await exporter.get(URL, headers={"If-None-Match": etag})
    assert irrelevant.status_code == 304

    await client.patch("/api/v1/credentials/lab", json={"community": "rotated"})
    changed = await exporter.get(URL, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.json()["auths"]["lab"]["community"] == "rotated"
    assert changed.headers["etag"] != etag


async def test_only_what_changed(client: AsyncClient, service: Service) -> None:
    """Whoever says which revision they have gets what is new, another, or gone since."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    exporter = await service(Permission.SNAPSHOT_READ)
    first = (await exporter.get(URL)).json()
    await client.post("/api/v1/devices", json={"name": "new1", "address": "10.0.0.9"})
    await client.patch("/api/v1/devices/router1", json={"port": 1161})
    await client.delete("/api/v1/devices/core1")

    answer = await exporter.get(URL, params={"since": first["revision"]})

    whole = (await exporter.get(URL)).json()
    changes = answer.json()
    assert changes["since"] == first["revision"]
    assert answer.headers["etag"] == f'"{whole["revision"]}"'
    assert changes["devices"] == {name: whole["devices"][name] for name in ("new1", "router1")}
    assert changes["removed"] == {"auths": [], "devices": ["core1"], "alerts": []}
    assert changes["auths"] == {}


async def test_an_unknown_revision_gets_everything(client: AsyncClient, service: Service) -> None:
    """What another replica served, or one that was restarted since, is no base: all is sent."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    exporter = await service(Permission.SNAPSHOT_READ)
    whole = (await exporter.get(URL)).json()
    assert (await exporter.get(URL, params={"since": "0" * 32})).json() == whole


async def test_a_revision_is_the_content(client: AsyncClient, service: Service) -> None:
    """What is put back as it was has the revision that it had, whenever that was."""
    await client.post("/api/v1/devices/import", json=DOCUMENT)
    exporter = await service(Permission.SNAPSHOT_READ)
    before = (await exporter.get(URL)).json()["revision"]
    await client.patch("/api/v1/devices/router1", json={"port": 1161})
    assert (await exporter.get(URL)).json()["revision"] != before
    await client.patch("/api/v1/devices/router1", json={"port": 161})
    back = await exporter.get(URL, params={"since": before})
    assert (back.json()["revision"], back.json()["devices"]) == (before, {})
