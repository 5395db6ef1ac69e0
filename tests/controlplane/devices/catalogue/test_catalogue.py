"""The catalogue over HTTP, and what devices make of it."""

from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from tests.controlplane.conftest import Login, Service

DEVICES = "/api/v1/devices"
NOUNS: list[tuple[str, str, dict[str, Any]]] = [
    ("device-types", "device_type", {"manufacturer": "Arista", "model": "DCS-7050 (48 ports)"}),
    ("platforms", "platform", {"manufacturer": "Arista", "profile": "arista"}),
    ("poll-classes", "poll_class", {"interval": 5.0, "timeout": 2.5}),
    ("tenants", "tenant", {"description": "Retail bank"}),
]
CONTACT = ("contacts", "contacts", {"email": "ann@example.net", "phone": "+47 22 00 00 00"})
ROLE = ("device-roles", "role", {"colour": "#ff8800"})
every_noun = pytest.mark.parametrize(("path", "field", "given"), NOUNS)
DOCUMENT: dict[str, Any] = {
    "contacts": [{"name": "ann", "full_name": "=Ann", "phone": "+47 22", "team": "@noc"}],
    "device_roles": [{"name": "core", "description": "+1", "colour": "#0088ff"}],
    "device_types": [{"name": "dcs-7050", "model": "=DCS-7050", "part_number": "7050"}],
    "platforms": [{"name": "eos", "profile": "arista"}],
    "tenants": [{"name": "retail"}],
    "devices": [
        {
            "name": "core1",
            "address": "10.0.0.1",
            "role": "core",
            "contacts": ["ann"],
            "device_type": "dcs-7050",
            "platform": "eos",
            "tenant": "retail",
            "description": '=cmd "quoted", 𝄞',
            "serial": "-1",
            "asset_tag": "'x",
        }
    ],
}


async def put(client: AsyncClient, document: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(f"{DEVICES}/import", json=document)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_the_life_of_a_role(client: AsyncClient) -> None:
    """A role is a label of every series, so its name stays; in use it is not removed."""
    url = "/api/v1/device-roles"
    created = await client.post(url, json={"name": "core", "colour": "#ff8800"})
    assert created.status_code == 201, created.text
    device = {"name": "core1", "address": "10.0.0.1", "role": "core"}
    assert (await client.post(DEVICES, json=device)).json()["role"] == "core"
    assert (await client.patch(f"{url}/core", json={"name": "spine"})).status_code == 422
    assert (await client.patch(f"{url}/core", json={"colour": "red"})).status_code == 422
    changed = await client.patch(f"{url}/core", json={"colour": "", "description": "Backbone"})
    assert (changed.json()["colour"], changed.json()["version"]) == ("", 2)
    refused = await client.delete(f"{url}/core")
    assert refused.status_code == 409
    assert refused.json()["detail"].endswith("what names it: devices: 1")
    await client.patch(f"{DEVICES}/core1", json={"role": None})
    assert (await client.delete(f"{url}/core")).status_code == 204


async def test_a_role_that_is_asked_for_is_kept(client: AsyncClient) -> None:
    """A role that no device has is in use all the same where a group or a threshold names it."""
    url, groups = "/api/v1/device-roles", "/api/v1/device-groups"
    await client.post(url, json={"name": "core"})
    await client.post(url, json={"name": "edge"})
    group = {"name": "cores", "filter": {"roles": ["core"]}}
    assert (await client.post(groups, json=group)).status_code == 201
    threshold = {
        "metric": "temperature",
        "scope": "role",
        "role": "core",
        "warning": 5,
        "critical": 6,
    }
    made = await client.post("/api/v1/thresholds", json=threshold)
    assert made.status_code == 201, made.text
    for named in ("groups: 1, thresholds: 1", "thresholds: 1"):
        refused = await client.delete(f"{url}/core")
        assert refused.status_code == 409
        assert refused.json()["detail"].endswith(f"what names it: {named}")
        await client.delete(f"{groups}/cores")
    assert (await client.delete(f"/api/v1/thresholds/{made.json()['id']}")).status_code == 204
    assert (await client.delete(f"{url}/core")).status_code == 204


async def test_an_object_is_added_once_under_a_key(client: AsyncClient) -> None:
    """A request that is sent again under its key is answered, and not done, again."""
    key = {"Idempotency-Key": "0f6c1d2e-33f1-4c59-9d3a-0f2f3d4c5b6a"}
    first = await client.post("/api/v1/tenants", json={"name": "retail"}, headers=key)
    again = await client.post("/api/v1/tenants", json={"name": "retail"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_who_adds_nothing_may_import_what_is_there(
    client: AsyncClient, log_in: Login
) -> None:
    """A document that names the catalogue as it is takes no right to change it."""
    await put(client, {"sites": [{"name": "oslo"}], "device_roles": [{"name": "core"}]})
    site = (await client.get("/api/v1/sites/oslo")).json()["id"]
    local = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="local")
    device = {"name": "core1", "address": "10.0.0.1", "site": "oslo", "role": "core"}
    document = {"device_roles": [{"name": "core"}], "devices": [device]}
    await put(local, document)
    document["device_roles"][0]["description"] = "mine"
    refused = await local.post(f"{DEVICES}/import", json=document)
    assert refused.status_code == 403


@every_noun
async def test_the_life_of_an_object(
    client: AsyncClient, path: str, field: str, given: dict[str, Any]
) -> None:
    """An object is added, renamed under the devices that name it, kept in use, and removed."""
    url = f"/api/v1/{path}"
    created = await client.post(url, json={"name": "one", **given})
    assert created.status_code == 201, created.text
    assert created.json().items() >= given.items()
    assert (await client.post(url, json={"name": "one", **given})).status_code == 409
    device = {"name": "core1", "address": "10.0.0.1", field: "one"}
    assert (await client.post(DEVICES, json=device)).status_code == 201

    renamed = await client.patch(f"{url}/one", json={"name": "two"})
    assert (renamed.json()["id"], renamed.json()["name"]) == (created.json()["id"], "two")
    assert (await client.get(f"{DEVICES}/core1")).json()[field] == "two"
    assert (await client.get(DEVICES, params={field: "two"})).json()["count"] == 1
    assert (await client.get(DEVICES, params={field: "one"})).json()["count"] == 0

    refused = await client.delete(f"{url}/two")
    assert refused.status_code == 409
    assert refused.json()["detail"].endswith("what names it: devices: 1")
    await client.patch(f"{DEVICES}/core1", json={field: None})
    assert (await client.delete(f"{url}/two")).status_code == 204
    assert (await client.get(f"{url}/two")).status_code == 404
    assert (await client.get(url)).json()["results"] == []


@pytest.mark.parametrize(
    ("path", "given"), [(path, given) for path, _, given in (CONTACT, ROLE, *NOUNS)]
)
async def test_a_list_takes_the_lookups_of_all_lists(
    client: AsyncClient, path: str, given: dict[str, Any]
) -> None:
    """A list is filtered and searched as any other."""
    url = f"/api/v1/{path}"
    for name in ("alpha", "beta"):
        await client.post(url, json={**given, "name": name, "description": f"the {name} one"})

    async def found(query: str) -> list[str]:
        answer = await client.get(f"{url}?{query}")
        assert answer.status_code == 200, answer.text
        return [entry["name"] for entry in answer.json()["results"]]

    assert await found("name__sw=al") == ["alpha"]
    assert await found("name__n=alpha") == ["beta"]
    assert await found("q=BETA one") == ["beta"]


@pytest.mark.parametrize("field", [field for _, field, _ in (ROLE, *NOUNS)])
async def test_an_unknown_name_is_refused(client: AsyncClient, field: str) -> None:
    """A device that names what is not there is refused, with a pointer to the field."""
    device = {"name": "core1", "address": "10.0.0.1", field: "nothing"}
    response = await client.post(DEVICES, json=device)
    assert response.status_code == 422
    (problem,) = response.json()["errors"]
    assert (problem["pointer"], problem["code"]) == (f"/{field}", "unknown")


async def test_a_taken_name_is_kept(client: AsyncClient) -> None:
    """Nothing is renamed to what another is called."""
    for name in ("one", "two"):
        await client.post("/api/v1/tenants", json={"name": name})
    response = await client.patch("/api/v1/tenants/one", json={"name": "two"})
    assert response.status_code == 409


async def test_the_second_writer_is_told(client: AsyncClient) -> None:
    """Whoever changes a version that is no more is refused with the one that is."""
    created = await client.post("/api/v1/tenants", json={"name": "one"})
    seen = {"If-Match": created.headers["ETag"]}
    url = "/api/v1/tenants/one"
    first = await client.patch(url, json={"description": "first"}, headers=seen)
    assert first.status_code == 200
    second = await client.patch(url, json={"description": "second"}, headers=seen)
    assert second.status_code == 412
    assert second.headers["ETag"] == first.headers["ETag"]
    assert (await client.delete(url, headers=seen)).status_code == 412


async def test_it_belongs_to_all(client: AsyncClient, log_in: Login) -> None:
    """An operator of one site reads the catalogue, and changes none of it, nor by an import."""
    await put(client, DOCUMENT | {"sites": [{"name": "oslo"}]})
    site = (await client.get("/api/v1/sites/oslo")).json()["id"]
    local = await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="local")
    assert (await local.get("/api/v1/platforms/eos")).json()["profile"] == "arista"
    assert (await local.delete("/api/v1/platforms/eos")).status_code == 403
    imported = await local.post(f"{DEVICES}/import", json={"tenants": [{"name": "mine"}]})
    assert imported.status_code == 403
    assert (await client.get("/api/v1/tenants/mine")).status_code == 404


@pytest.mark.parametrize("form", ["json", "yaml", "csv"])
async def test_what_is_exported_imports_unchanged(client: AsyncClient, form: str) -> None:
    """The catalogue and what devices name of it come back as they were, hostile texts included."""
    await put(client, DOCUMENT)
    before = (await client.get(f"{DEVICES}/core1")).json()
    exported = await client.get(f"{DEVICES}/export", params={"format": form})
    await client.delete(f"{DEVICES}/core1")
    if form != "csv":  # a table holds devices alone
        for path in ("contacts", "device-roles", "device-types", "platforms", "tenants"):
            (row,) = DOCUMENT[path.replace("-", "_")]
            assert (await client.delete(f"/api/v1/{path}/{row['name']}")).status_code == 204
    response = await client.post(f"{DEVICES}/import/{form}", content=exported.content)
    assert response.status_code == 200, response.text
    after = (await client.get(f"{DEVICES}/core1")).json()
    anew = {"id", "created_at", "updated_at"}
    assert {k: v for k, v in after.items() if k not in anew} == {
        k: v for k, v in before.items() if k not in anew
    }
    again = await put(client, DOCUMENT)
    assert all(not tally["created"] + tally["updated"] for tally in again.values())


async def test_a_platform_says_the_profile(client: AsyncClient, service: Service) -> None:
    """A device is asked by its own profile, else by that of its platform, else by what it is."""
    devices = [
        {"name": "own", "address": "10.0.0.1", "platform": "eos", "profile": "cisco"},
        {"name": "default", "address": "10.0.0.2", "platform": "eos"},
        {"name": "automatic", "address": "10.0.0.3"},
    ]
    await put(client, {"platforms": DOCUMENT["platforms"], "devices": devices})
    exporter = await service(Permission.SNAPSHOT_READ)

    async def profiles() -> dict[str, str | None]:
        snapshot = (await exporter.get("/api/v1/exporter/snapshot")).json()
        return {name: device["profile"] for name, device in snapshot["devices"].items()}

    assert await profiles() == {"own": "cisco", "default": "arista", "automatic": None}
    await client.patch("/api/v1/platforms/eos", json={"profile": "eos-2"})
    assert (await profiles())["default"] == "eos-2"


async def test_a_poll_class_says_how_often(client: AsyncClient, service: Service) -> None:
    """A device is asked as its class says, else as seldom as rules allow."""
    url = "/api/v1/poll-classes"
    for body in (
        {"name": "critical", "interval": 5},
        {"name": "patient", "interval": 10, "timeout": 2.5},
    ):
        assert (await client.post(url, json=body)).status_code == 201
    for name, given in (("a", "critical"), ("b", "patient"), ("c", None)):
        device = {"name": name, "address": "10.0.0.1", "poll_class": given}
        assert (await client.post(DEVICES, json=device)).status_code == 201
    prometheus = await service(Permission.TARGETS_READ)

    async def times() -> list[tuple[str, str]]:
        groups = (await prometheus.get("/api/v1/targets/0")).json()
        return [
            (group["labels"]["__scrape_interval__"], group["labels"]["__scrape_timeout__"])
            for group in groups
        ]

    assert await times() == [("5s", "4500ms"), ("10s", "2500ms"), ("15s", "14s")]
    changed = await client.patch(f"{url}/critical", json={"interval": 2, "timeout": 1})
    assert changed.status_code == 200, changed.text
    assert await times() == [("2s", "1s"), ("10s", "2500ms"), ("15s", "14s")]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"interval": 16}, "/interval"),
        ({"interval": 2}, "/timeout"),
        ({"timeout": 5}, "/timeout"),
        ({"interval": 0.5}, "/interval"),
        ({"interval": None}, "/interval"),
    ],
)
async def test_what_rules_could_not_work_with(
    client: AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    """An interval that is too long for rules, or a poll that meets the next one, is refused."""
    url = "/api/v1/poll-classes"
    created = await client.post(url, json={"name": "one", "interval": 5, "timeout": 3})
    refused = await client.patch(f"{url}/one", json=change)
    assert refused.status_code == 422
    assert [e["pointer"] for e in refused.json()["errors"]] == [pointer]
    assert (await client.get(f"{url}/one")).json() == created.json()


async def test_a_type_says_the_vendor(client: AsyncClient, service: Service) -> None:
    """Where an operator names no vendor, it is who makes the type: in labels, lists and groups."""
    types = [{"name": "dcs-7050", "manufacturer": "Arista"}, {"name": "unknown"}]
    devices = [
        {"name": "branded", "address": "10.0.0.1", "device_type": "dcs-7050", "vendor": "Dell"},
        {"name": "made", "address": "10.0.0.2", "device_type": "dcs-7050"},
        {"name": "nameless", "address": "10.0.0.3", "device_type": "unknown"},
        {"name": "typeless", "address": "10.0.0.4"},
    ]
    await put(client, {"device_types": types, "devices": devices})
    group = {"name": "arista", "filter": {"vendors": ["Arista"]}}
    assert (await client.post("/api/v1/device-groups", json=group)).status_code == 201
    prometheus = await service(Permission.TARGETS_READ)

    async def vendors() -> dict[str, str]:
        groups = (await prometheus.get("/api/v1/targets/0")).json()
        labels = [group["labels"] for group in groups]
        return {one["device"]: one["vendor"] for one in labels if "vendor" in one}

    async def found(query: str) -> list[str]:
        answer = await client.get(f"{DEVICES}?{query}")
        return [device["name"] for device in answer.json()["results"]]

    assert await vendors() == {"branded": "Dell", "made": "Arista"}
    for query in ("vendor=Arista", "group=arista", "q=arista"):
        assert await found(query) == ["made"]
    assert (await client.get(f"{DEVICES}/made")).json()["vendor"] == ""
    await client.patch("/api/v1/device-types/dcs-7050", json={"manufacturer": "Dell"})
    assert await vendors() == {"branded": "Dell", "made": "Dell"}
    assert await found("group=arista") == []


async def test_whom_to_ask(client: AsyncClient) -> None:
    """Sites and devices name contacts in order; who is named is not removed, and keeps the name."""
    url, sites = "/api/v1/contacts", "/api/v1/sites"
    for name in ("ann", "bob", "cid"):
        made = await client.post(url, json={"name": name, "email": f"{name}@example.net"})
        assert made.status_code == 201, made.text
    site = {"name": "oslo", "contacts": ["bob", "ann"]}
    assert (await client.post(sites, json=site)).json()["contacts"] == ["bob", "ann"]
    device = {"name": "core1", "address": "10.0.0.1", "contacts": ["cid", "ann"]}
    assert (await client.post(DEVICES, json=device)).json()["contacts"] == ["cid", "ann"]
    for path in (DEVICES, sites):
        both = await client.get(path, params={"contact": "ann"})
        assert both.json()["count"] == 1
    assert (await client.get(DEVICES, params={"contact": "bob"})).json()["count"] == 0
    assert (await client.get(DEVICES, params={"contact__in": "bob,cid"})).json()["count"] == 1

    refused = await client.delete(f"{url}/ann")
    assert refused.status_code == 409
    assert refused.json()["detail"].endswith("what names it: devices: 1, sites: 1")
    assert (await client.patch(f"{url}/ann", json={"name": "anna"})).status_code == 422
    await client.patch(f"{sites}/oslo", json={"contacts": ["ann", "bob"]})
    newest = (await client.get(f"{sites}/oslo/history")).json()["results"][0]
    change = {"field": "contacts", "before": ["bob", "ann"], "after": ["ann", "bob"]}
    assert newest["fields"] == [change]
    await client.patch(f"{sites}/oslo", json={"contacts": []})
    await client.patch(f"{DEVICES}/core1", json={"contacts": ["cid"]})
    assert (await client.delete(f"{url}/ann")).status_code == 204


async def test_contacts_that_are_none(client: AsyncClient) -> None:
    """Whom nobody has added is refused where they are named, and so is what is no address."""
    named = {"contacts": ["nobody"]}
    device = await client.post(DEVICES, json={"name": "a", "address": "10.0.0.1", **named})
    site = await client.post("/api/v1/sites", json={"name": "oslo", **named})
    document = {"sites": [{"name": "oslo", **named}]}
    imported = await client.post(f"{DEVICES}/import", json=document)
    for answer, pointer in (
        (device, "/contacts/0"),
        (site, "/contacts/0"),
        (imported, "/sites/0/contacts/0"),
    ):
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    for field, value in (("email", "a@b@c"), ("email", "<a@b.c>"), ("phone", "12\r\nX: y")):
        refused = await client.post("/api/v1/contacts", json={"name": "eve", field: value})
        assert refused.status_code == 422
        assert [e["pointer"] for e in refused.json()["errors"]] == [f"/{field}"]
