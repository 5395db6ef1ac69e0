"""One side's real output, read by the other side's real parser."""

from pathlib import Path

import yaml
from httpx import AsyncClient, Response
from prometheus_client import CollectorRegistry

from controlplane.auth.permissions import Permission
from controlplane.devices.facts import SOURCE
from controlplane.devices.models import FACTS
from exporter import inventory
from exporter.metrics import CATALOGUE
from exporter.telemetry import Telemetry
from lab import inventory as lab_inventory
from lab import topology
from tests.controlplane.conftest import Service

REPOSITORY = Path(__file__).parents[2]


def test_facts_are_what_the_exporter_says() -> None:
    """Every label of the exporter's word about a device is kept as a fact, and nothing else is."""
    assert set(FACTS) == set(CATALOGUE["chm_device_info"].labels)
    assert "chm_device_info" in SOURCE


async def test_from_the_lab_to_the_exporter(client: AsyncClient, service: Service) -> None:
    """The lab's document is imported, and the exporter reads every device in the snapshot."""
    network = topology.demo("127.0.9.0")
    document = lab_inventory.document(network, (), port=1161, community="public")
    imported = await client.post("/api/v1/devices/import", json=document)
    assert imported.status_code == 200, imported.text

    answer = await (await service(Permission.SNAPSHOT_READ)).get("/api/v1/exporter/snapshot")
    snapshot = inventory.parse(answer.content)

    assert snapshot.devices.keys() == {device["name"] for device in document["devices"]}
    for name, device in snapshot.devices.items():
        assert device.port == 1161
        assert [snapshot.auths[auth].community for auth in device.auths] == ["public"], name


async def test_changes_lead_to_the_same_inventory(
    client: AsyncClient, service: Service, tmp_path: Path
) -> None:
    """The exporter asks for changes, puts them into what it has, and both sides agree on it."""
    document = lab_inventory.document(topology.demo("127.0.9.0"), (), port=1161, community="lab")
    await client.post("/api/v1/devices/import", json=document)
    wire = await service(Permission.SNAPSHOT_READ)
    answers: list[Response] = []

    async def note(response: Response) -> None:
        await response.aread()
        answers.append(response)

    wire.event_hooks["response"].append(note)
    cache = inventory.Cache(tmp_path / "snapshot", lambda: "token")
    known = inventory.Inventory(wire, Telemetry(CollectorRegistry()), 5, cache)
    await known.poll()

    name = document["devices"][0]["name"]
    own = {"name": "own", "version": 2, "community": "\u00fc\U0001f600"}
    answer = await client.post("/api/v1/credentials", json=own)
    assert answer.status_code == 201, answer.text
    changed = {"credentials": ["own"], "modules": ["if_mib"]}
    answer = await client.patch(f"/api/v1/devices/{name}", json=changed)
    assert answer.status_code == 200, answer.text
    gone = document["devices"][-1]["name"]
    assert (await client.delete(f"/api/v1/devices/{gone}")).status_code == 204
    await known.poll()

    whole = inventory.parse((await wire.get(inventory.PATH)).content)
    assert answers[1].json()["devices"].keys() == {name}
    assert known.snapshot == whole
    assert known.devices[name].auths == ("own",)
    stored = cache.load()
    assert stored is not None
    assert inventory.parse(stored) == whole

    planned = await client.patch(f"/api/v1/devices/{name}", json={"status": "planned"})
    assert planned.status_code == 200
    await known.poll()
    assert known.snapshot is not None
    assert answers[-1].json()["removed"] == {"auths": ["own"], "devices": [name], "alerts": []}
    assert "own" not in known.snapshot.auths


async def test_a_device_gets_another_name(
    client: AsyncClient, service: Service, tmp_path: Path
) -> None:
    """The exporter asks it under the new name from its next look on, and Prometheus asks for it."""
    document = lab_inventory.document(topology.demo("127.0.9.0"), (), port=1161, community="lab")
    await client.post("/api/v1/devices/import", json=document)
    wire = await service(Permission.SNAPSHOT_READ, Permission.TARGETS_READ)
    cache = inventory.Cache(tmp_path / "snapshot", lambda: "token")
    known = inventory.Inventory(wire, Telemetry(CollectorRegistry()), 5, cache)
    await known.poll()
    assert (await wire.get("/api/v1/targets/0")).status_code == 200

    name = document["devices"][0]["name"]
    before = known.devices[name]
    renamed = await client.patch(f"/api/v1/devices/{name}", json={"name": "renamed"})
    assert renamed.status_code == 200, renamed.text
    await known.poll()

    assert name not in known.devices
    assert known.devices["renamed"] == before
    assert known.snapshot == inventory.parse((await wire.get(inventory.PATH)).content)
    targets = (await wire.get("/api/v1/targets/0")).json()
    assert {group["labels"]["device"] for group in targets} == known.devices.keys()


async def test_every_kind_of_credential(client: AsyncClient, service: Service) -> None:
    """What the vault opens is an auth of snmp.yml, for v1, v2c and v3."""
    v3 = {
        "username": "monitor",
        "security_level": "authPriv",
        "auth_protocol": "SHA256",
        "password": "authentication",
        "priv_protocol": "AES",
        "priv_password": "encryption",
    }
    for name, fields in {
        "one": {"version": 1, "community": "first"},
        "two": {"version": 2, "community": "second"},
        "three": {"version": 3, **v3},
    }.items():
        body = {"name": name, "kind": "snmp", **fields}
        assert (await client.post("/api/v1/credentials", json=body)).status_code == 201
    device = {"name": "sw1", "address": "192.0.2.1", "credentials": ["three", "two", "one"]}
    assert (await client.post("/api/v1/devices", json=device)).status_code == 201

    answer = await (await service(Permission.SNAPSHOT_READ)).get("/api/v1/exporter/snapshot")
    snapshot = inventory.parse(answer.content)

    assert list(snapshot.devices["sw1"].auths) == ["three", "two", "one"]
    assert {name: auth.version for name, auth in snapshot.auths.items()} == {
        "one": 1,
        "two": 2,
        "three": 3,
    }
    three = snapshot.auths["three"]
    assert {field: getattr(three, field) for field in v3} == v3


def test_the_jobs_that_rules_rely_on() -> None:
    """Every job that docs/architecture.md names is in the configuration that is shipped."""
    config = yaml.safe_load((REPOSITORY / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"] for job in config["scrape_configs"]}

    assert jobs == {
        "chm-devices",
        "chm-intent",
        "chm-controlplane",
        "chm-exporter",
        "chm-prometheus",
        "chm-alertmanager",
    }
