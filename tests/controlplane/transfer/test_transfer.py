"""Imports and exports in every format."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor, Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.devices import inventory as devices
from controlplane.devices.schemas import ImportDocument
from controlplane.transfer import formats, tables
from controlplane.transfer.formats import Format
from controlplane.transfer.service import PART
from tests.controlplane.conftest import Login, Service

DEVICES, EXPORT, IMPORT = "/api/v1/devices", "/api/v1/devices/export", "/api/v1/devices/import"
FORMATS = ("json", "yaml", "csv")
INVENTORY: dict[str, Any] = {
    "credentials": [{"name": "lab", "version": 2, "community": "s3cret"}],
    "sites": [
        {"name": "oslo", "parent": "north", "description": '=cmd|"x", \U0001f600'},
        {"name": "north"},
        {"name": "south"},
    ],
    "device_roles": [{"name": "core", "colour": "#ff8800"}, {"name": "007"}],
    "devices": [
        {
            "name": "core1",
            "address": "10.0.0.1",
            "port": 1161,
            "site": "oslo",
            "role": "core",
            "vendor": "Cisco",
            "profile": "p",
            "modules": ["m1", "m2"],
            "tags": ["gold", "lab"],
            "credentials": ["lab"],
            "parents": ["router1"],
            "status": "maintenance",
        },
        {"name": "router1", "address": "2001:db8::1", "site": "south"},
        {"name": "no", "address": "10.0.0.3"},  # what YAML 1.1 takes for a truth value
        {"name": "1e3", "address": "10.0.0.4", "role": "007"},  # ... and for numbers
    ],
}
RACK = {"name": "rack", "applies_to": "device", "value_schema": {"type": "string"}}
ANEW = {"id", "created_at", "updated_at", "version", "facts"}


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of an inventory."""
    response = await client.post(IMPORT, json=INVENTORY)
    assert response.status_code == 200, response.text
    return client


async def put(client: AsyncClient, form: str, content: str, query: str = "") -> Response:
    return await client.post(f"{IMPORT}/{form}{query}", content=content.encode())


async def state(client: AsyncClient) -> list[list[dict[str, Any]]]:
    """Give sites and devices without what every new row has anew."""
    found = []
    for noun in ("sites", "devices"):
        rows = (await client.get(f"/api/v1/{noun}?limit=1000")).json()["results"]
        found.append([{k: v for k, v in row.items() if k not in ANEW} for row in rows])
    return found


@pytest.mark.parametrize("form", FORMATS)
async def test_what_is_exported_imports_again(inventory: AsyncClient, form: str) -> None:
    """Export, remove everything, import: the same inventory; import again: nothing changes."""
    before = await state(inventory)
    exported = await inventory.get(f"{EXPORT}?format={form}")
    assert exported.status_code == 200
    assert "s3cret" not in exported.text
    await inventory.patch(f"{DEVICES}/core1", json={"parents": []})
    for device in INVENTORY["devices"]:
        assert (await inventory.delete(f"{DEVICES}/{device['name']}")).status_code == 204
    if form != "csv":
        for site in ("oslo", "north", "south"):
            assert (await inventory.delete(f"/api/v1/sites/{site}")).status_code == 204
    again = await put(inventory, form, exported.text)
    assert again.status_code == 200, again.text
    assert again.json()["devices"]["created"] == 4
    assert await state(inventory) == before
    unchanged = (await put(inventory, form, exported.text)).json()
    assert unchanged["devices"] == {"created": 0, "updated": 0, "unchanged": 4}


async def test_an_export_is_of_what_is_asked_and_seen(
    inventory: AsyncClient, log_in: Login
) -> None:
    """Filters narrow an export, and nobody exports what they do not see."""
    filtered = (await inventory.get(f"{EXPORT}?site=south")).json()
    assert [device["name"] for device in filtered["devices"]] == ["router1"]
    north = (await inventory.get("/api/v1/sites/north")).json()["id"]
    viewer = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, north), name="v")
    for form in FORMATS:
        text = (await viewer.get(f"{EXPORT}?format={form}")).text
        assert "core1" in text
        assert "router1" not in text
        assert "south" not in text
    log = await inventory.get("/api/v1/audit?action=data.export")
    assert log.json()["count"] == 4


class TestDryRun:
    async def test_every_error_of_every_row(self, inventory: AsyncClient) -> None:
        """What the grammar, the inventory and the networks refuse is told together."""
        table = (
            "name,address,site,parents\n"
            "core1,10.0.0.9,oslo,bad_\n"
            "Bad Name,nowhere at all,oslo,\n"
            "c,8.8.8.8,mars,core1 venus\n"
        )
        response = await put(inventory, "csv", table, "?dry_run=true")
        assert response.status_code == 200, response.text
        report = response.json()
        assert report["dry_run"] is True
        told = {(e["noun"], e["row"], e["field"], e["code"]) for e in report["errors"]}
        assert told == {
            ("devices", 1, "parents/0", "unknown"),
            ("devices", 2, "name", "value_error"),
            ("devices", 2, "address", "value_error"),
            ("devices", 3, "address", "not_allowed"),
            ("devices", 3, "site", "unknown"),
            ("devices", 3, "parents/1", "unknown"),
        }
        refused = await put(inventory, "csv", table)
        assert refused.status_code == 422
        assert len(refused.json()["errors"]) == 6

    async def test_it_keeps_nothing(self, inventory: AsyncClient) -> None:
        """It tells what would be done, and neither the inventory nor the log is another."""
        before = await state(inventory)
        log = (await inventory.get("/api/v1/audit")).json()["count"]
        table = "name,address,role\ncore1,10.0.0.1,007\nnew,10.0.0.7,\n"
        report = (await put(inventory, "csv", table, "?dry_run=true")).json()
        assert report["devices"] == {"created": 1, "updated": 1, "unchanged": 0}
        assert report["errors"] == []
        assert await state(inventory) == before
        assert (await inventory.get("/api/v1/audit")).json()["count"] == log

    async def test_a_cycle_is_found(self, inventory: AsyncClient) -> None:
        """What only the whole shows is found on trial, too."""
        table = "name,address,parents\nrouter1,2001:db8::1,core1\n"
        report = (await put(inventory, "csv", table, "?dry_run=true")).json()
        assert [error["code"] for error in report["errors"]] == ["cycle"]
        assert (await inventory.get(f"{DEVICES}/router1")).json()["parents"] == []

    async def test_a_row_that_is_wrong_is_still_named(self, inventory: AsyncClient) -> None:
        """Whoever names a row with an error of its own is not told that it is not there."""
        table = "name,address,parents\na,10.0.0.7,b\nb,not an address,\n"
        report = (await put(inventory, "csv", table, "?dry_run=true")).json()
        assert [(error["row"], error["field"]) for error in report["errors"]] == [(2, "address")]


@pytest.mark.parametrize(
    ("mode", "name", "code"),
    [
        ("create", "core1", "exists"),
        ("create", "new", None),
        ("update", "core1", None),
        ("update", "new", "unknown"),
    ],
)
async def test_modes(inventory: AsyncClient, mode: str, name: str, code: str | None) -> None:
    """An import can be held to add only, or to change only."""
    response = await put(inventory, "csv", f"name,address\n{name},10.0.0.8\n", f"?mode={mode}")
    if code is None:
        assert response.status_code == 200, response.text
    else:
        assert [error["code"] for error in response.json()["errors"]] == [code]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("json", b"[]"),
        ("json", b"{"),
        ("json", b'{"devices": {}}'),
        ("json", b'{"device": []}'),
        ("yaml", b"a: &a [1]\ndevices: [*a]"),
        ("yaml", b"!!python/object:os.system {}"),
        ("csv", b"\xff\xfe"),
        ("csv", b"name,adress\na,b\n"),
        ("json", b'{"devices": [' + b"[" * 100_000 + b"]}"),
    ],
)
async def test_what_is_no_document(client: AsyncClient, form: str, content: bytes) -> None:
    """What cannot be read is refused, whatever it tries."""
    response = await client.post(f"{IMPORT}/{form}", content=content)
    assert response.status_code == 422, response.text


async def test_a_fleet_fits(client: AsyncClient) -> None:
    """A document may be larger than what other requests may send."""
    lines = "".join(f"d{n},10.0.{n >> 8}.{n & 255},{'x' * 60}\n" for n in range(1000))
    response = await put(client, "csv", f"name,address,serial\n{lines}")
    assert response.status_code == 200, response.text
    assert response.json()["devices"]["created"] == 1000


async def test_rows_of_other_nouns_need_their_permissions(service: Service) -> None:
    """No format is a way around permissions."""
    writer = await service(Permission.DEVICES_WRITE)
    refused = await put(writer, "yaml", "sites: [{name: x}]", "?dry_run=true")
    assert refused.status_code == 403


async def test_an_export_is_no_device(client: AsyncClient) -> None:
    """The name that the path of the export has is refused for a device."""
    response = await client.post(DEVICES, json={"name": "export", "address": "10.0.0.1"})
    assert response.status_code == 422


class TestOtherSystems:
    SWITCHES = "[switches]\nsw[1:2].example.net\nSW2.example.net x=1\n"

    async def test_an_export_of_another_system(self, client: AsyncClient) -> None:
        """What another system exports is imported like a document, and what is left is told."""
        inventory = "[switches]\nsw[1:2] ansible_host=10.0.0.1 ansible_user=x\n"
        report = (await put(client, "ansible", inventory)).json()
        assert report["devices"]["created"] == 2
        assert report["left_out"] == [
            {
                "place": "variables/ansible_user",
                "reason": "has no place in the inventory",
                "objects": 2,
            }
        ]
        device = (await client.get(f"{DEVICES}/sw2")).json()
        assert (device["address"], device["tags"]) == ("10.0.0.1", ["switches"])

    async def test_names_that_become_one_are_errors(self, client: AsyncClient) -> None:
        """Names that collide are told with their rows, and nothing is imported."""
        report = (await put(client, "ansible", self.SWITCHES, "?dry_run=true")).json()
        assert ("collision", 3) in {(e["code"], e["row"]) for e in report["errors"]}
        assert (await put(client, "ansible", self.SWITCHES)).status_code == 422
        assert (await client.get(DEVICES)).json()["count"] == 0

    async def test_secrets_need_their_permission(self, service: Service) -> None:
        """Whoever may not write credentials makes none of another system's secrets."""
        answer = (
            '{"devices": [{"hostname": "10.0.0.1", "sysName": "a", "snmpver": "v2c",'
            ' "community": "s3cret"}]}'
        )
        writer = await service(Permission.DEVICES_WRITE, Permission.DEVICES_READ)
        assert (await put(writer, "librenms", answer, "?secrets=true")).status_code == 403
        plain = await put(writer, "librenms", answer)
        assert plain.status_code == 200, plain.text
        assert plain.json()["left_out"][0]["place"] == "devices/credentials"


@pytest.mark.parametrize("form", FORMATS)
async def test_a_large_export_is_written_part_by_part(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """No more devices are held than a part; what comes out is one document with all of them."""
    await client.post("/api/v1/custom-fields", json=RACK)
    names = [f"d{n:04}" for n in range(2 * PART + 1)]
    rows: list[dict[str, Any]] = [{"name": name, "address": "10.0.0.1"} for name in names]
    rows[-1]["custom_fields"] = {"rack": "B12"}  # the last row has a column that no other has
    assert (await client.post(DEVICES, json=rows)).status_code == 201
    held: list[int] = []
    shown = devices.shown

    async def counted(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> Any:
        held.append(len(ids))
        return await shown(session, actor, ids)

    monkeypatch.setattr(devices, "shown", counted)
    exported = await client.get(f"{EXPORT}?format={form}")
    assert held == [PART, PART, 1]
    document = formats.read(Format(form), exported.text)
    assert [row["name"] for row in document["devices"]] == names
    assert document["devices"][-1]["custom_fields"] == {"rack": "B12"}
    log = (await client.get("/api/v1/audit?action=data.export")).json()["results"]
    assert log[0]["after"]["devices"] == len(rows)


async def test_an_export_is_of_one_moment(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is changed while it is written is in it as it was before, in every part."""
    assert (await client.post("/api/v1/sites", json={"name": "oslo"})).status_code == 201
    rows = [{"name": f"d{n:04}", "address": "10.0.0.1", "site": "oslo"} for n in range(PART + 1)]
    assert (await client.post(DEVICES, json=rows)).status_code == 201
    shown = devices.shown

    async def changed(
        session: AsyncSession, actor: Actor, ids: Sequence[UUID], **more: bool
    ) -> Any:
        part = await shown(session, actor, ids, **more)
        if len(ids) == PART:  # the last part is not yet read
            assert (await client.delete(f"{DEVICES}/{rows[-1]['name']}")).status_code == 204
        return part

    monkeypatch.setattr(devices, "shown", changed)
    exported = formats.read(Format.JSON, (await client.get(EXPORT)).text)
    assert [(row["name"], row["site"]) for row in exported["devices"]] == [
        (row["name"], "oslo") for row in rows
    ]
    assert (await client.get(f"{DEVICES}/{rows[-1]['name']}")).status_code == 404


@pytest.mark.parametrize("form", FORMATS)
async def test_an_export_of_nothing(client: AsyncClient, form: str) -> None:
    """Where there is nothing the document is whole all the same."""
    exported = await client.get(f"{EXPORT}?format={form}")
    assert formats.read(Format(form), exported.text)["devices"] == []


@pytest.mark.parametrize("form", FORMATS)
async def test_a_template_is_an_import(client: AsyncClient, form: str) -> None:
    """The template of each format imports as it is, and has all there is to fill in."""
    template = await client.get(f"{IMPORT}/template?format={form}")
    assert template.status_code == 200
    wanted = tables.COLUMNS if form == "csv" else ImportDocument.model_fields
    assert [name for name in wanted if name not in template.text] == []
    imported = await put(client, form, template.text)
    assert imported.status_code == 200, imported.text


@pytest.mark.parametrize("form", ["yaml", "file-sd", "ansible"])
async def test_yaml_that_is_nested_beyond_reason(client: AsyncClient, form: str) -> None:
    """A parser that calls itself is not led astray."""
    content = "all: " + "[" * 50_000 + "]" * 50_000
    assert (await put(client, form, content)).status_code == 422


async def test_who_holds_credentials_at_a_site_alone_imports_none(
    client: AsyncClient, log_in: Login
) -> None:
    """Credentials serve devices anywhere, so an import of them is for who holds them anywhere."""
    await client.post("/api/v1/sites", json={"name": "north"})
    north = (await client.get("/api/v1/sites/north")).json()["id"]
    admin = await log_in(Role.ADMIN, Scope(ScopeKind.SITE, north), name="north-admin")
    refused = await put(
        admin, "json", '{"credentials": [{"name": "x", "version": 2, "community": "c"}]}'
    )
    assert refused.status_code == 403
