"""Custom fields: what an operator adds to devices and sites, and what their values may be."""

import json
from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Permission, Role
from controlplane.devices.catalogue.shapes import DIALECT
from tests.controlplane.conftest import Login

FIELDS, DEVICES, SITES = "/api/v1/custom-fields", "/api/v1/devices", "/api/v1/sites"
RACK = {"name": "rack", "applies_to": "device", "value_schema": {"type": "string"}}
HEIGHT = {
    "name": "height",
    "applies_to": "device",
    "value_schema": {"type": "integer", "minimum": 1, "maximum": 60, "default": 1},
}
SITE = {"name": "site", "applies_to": "site", "value_schema": {"type": "number"}}
SPARE = {"name": "spare", "applies_to": "device", "value_schema": {"type": "boolean"}}


@pytest.fixture
async def fields(client: AsyncClient) -> AsyncClient:
    """Give an admin of an inventory with custom fields."""
    for body in (RACK, HEIGHT, SITE, SPARE):
        response = await client.post(FIELDS, json=body)
        assert response.status_code == 201, response.text
    return client


async def add(client: AsyncClient, name: str, **values: Any) -> Any:
    device = {"name": name, "address": "10.0.0.1", "custom_fields": values}
    response = await client.post(DEVICES, json=device)
    assert response.status_code == 201, response.text
    return response.json()


def pointers(response: Any) -> list[str]:
    assert response.status_code == 422, response.text
    return sorted(error["pointer"] for error in response.json()["errors"])


async def test_values_come_back(fields: AsyncClient) -> None:
    """A value is what it was, a default stands where nothing was said, and history tells both."""
    made = await add(fields, "a", rack="7", spare=False)
    assert made["custom_fields"] == {"rack": "7", "spare": False, "height": 1}
    changed = await fields.patch(f"{DEVICES}/a", json={"custom_fields": {"height": 2}})
    assert changed.json()["custom_fields"] == {"height": 2}
    newest = (await fields.get(f"{DEVICES}/a/history")).json()["results"][0]
    before = {"rack": "7", "spare": False, "height": 1}
    change = {"field": "custom_fields", "before": before, "after": {"height": 2}}
    assert newest["fields"] == [change]
    site = await fields.post(SITES, json={"name": "oslo", "custom_fields": {"site": 7}})
    assert site.json()["custom_fields"] == {"site": 7}


async def test_a_field_called_as_a_reference_is_none(fields: AsyncClient, log_in: Login) -> None:
    """In a history it is shown as it was, also to those who see a part of the inventory."""
    made = await fields.post(SITES, json={"name": "oslo", "custom_fields": {"site": 7}})
    local = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, made.json()["id"]), name="local")
    (entry,) = (await local.get(f"{SITES}/oslo/history")).json()["results"]
    shown = {change["field"]: change["after"] for change in entry["fields"]}
    assert shown["custom_fields"] == {"site": 7}


@pytest.mark.parametrize(
    ("values", "at"),
    [
        ({"height": 0}, "/custom_fields/height"),
        ({"height": "2"}, "/custom_fields/height"),
        ({"nothing": 1}, "/custom_fields/nothing"),
        ({"site": 1}, "/custom_fields/site"),  # of sites
        ({"rack": None}, "/custom_fields/rack"),
        ({"rack": "a\x00"}, "/custom_fields/rack"),
        ({"rack": "x" * 9000}, "/custom_fields/rack"),
        ({"height": 10**400}, "/custom_fields/height"),
    ],
)
async def test_values_that_do_not_fit(fields: AsyncClient, values: Any, at: str) -> None:
    """What the schema does not take is refused at its place: alone, in bulk and in imports."""
    device = {"name": "a", "address": "10.0.0.1", "custom_fields": values}
    assert pointers(await fields.post(DEVICES, json=device)) == [at]
    assert pointers(await fields.post(DEVICES, json=[device])) == [f"/0{at}"]
    imported = await fields.post(f"{DEVICES}/import", json={"devices": [device]})
    assert pointers(imported) == [f"/devices/0{at}"]
    await add(fields, "b")
    changed = await fields.patch(f"{DEVICES}/b", json={"custom_fields": values})
    assert pointers(changed) == [at]


async def test_what_is_required(fields: AsyncClient) -> None:
    """A device without it is refused, when it is added and when its fields are written."""
    await add(fields, "old")
    assert (await fields.patch(f"{FIELDS}/rack", json={"required": True})).status_code == 200
    new = {"name": "new", "address": "10.0.0.1"}
    assert pointers(await fields.post(DEVICES, json=new)) == ["/custom_fields/rack"]
    assert (await fields.patch(f"{DEVICES}/old", json={"serial": "1"})).status_code == 200
    wrong = await fields.patch(f"{DEVICES}/old", json={"custom_fields": {"height": 2}})
    assert pointers(wrong) == ["/custom_fields/rack"]
    await add(fields, "new", rack="7")


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://example.net/schema"},
        {"properties": {"a": {"$ref": "#"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#"},
        {"allOf": [{"$schema": DIALECT, "pattern": "^(a+)+$"}]},
        {"patternProperties": {"(a+)+$": {}}},
        {"pattern": "(?=a)b"},  # none of RE2's
        {"type": "text"},
        {"type": "integer", "default": "x"},
        {"enum": ["x" * 9000]},
        {"allOf": [{} for _ in range(65)]},
        {"prefixItems": [True] * 65},
        {"enum": list(range(600))},
        {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}},
        {"description": "\x00"},
        [],
    ],
)
async def test_schemas_that_cannot_be_used(client: AsyncClient, schema: Any) -> None:
    """What refers elsewhere, could take for ever, is too large or no schema is refused."""
    response = await client.post(FIELDS, json=RACK | {"value_schema": schema})
    assert pointers(response) == ["/value_schema"]


async def test_a_pattern_takes_linear_time(client: AsyncClient) -> None:
    """A pattern that would keep Python busy for years is answered as any other."""
    evil = {"$schema": DIALECT, "pattern": "^(a+)+$", "allOf": [{"pattern": "^(a|a)+$"}]}
    assert (await client.post(FIELDS, json=RACK | {"value_schema": evil})).status_code == 201
    device = {"name": "a", "address": "10.0.0.1", "custom_fields": {"rack": "a" * 200 + "!"}}
    refused = pointers(await client.post(DEVICES, json=device))
    assert refused == ["/custom_fields/rack", "/custom_fields/rack"]


async def test_a_schema_fits_what_there_is(fields: AsyncClient, log_in: Login) -> None:
    """It is not changed under values that would not fit, nor removed while there are any."""
    await add(fields, "a", rack="7")
    await add(fields, "b", rack="seven")
    narrower = {"value_schema": {"type": "string", "pattern": "^[0-9]+$"}}
    refused = await fields.patch(f"{FIELDS}/rack", json=narrower)
    assert pointers(refused) == ["/value_schema"]
    assert refused.json()["errors"][0]["message"] == "the values of b do not fit"
    in_use = await fields.delete(f"{FIELDS}/rack")
    assert in_use.json()["detail"].endswith("what names it: devices: 2")
    assert (await fields.patch(f"{FIELDS}/rack", json={"name": "shelf"})).status_code == 422
    await fields.patch(f"{DEVICES}/b", json={"custom_fields": {}})
    assert (await fields.patch(f"{FIELDS}/rack", json=narrower)).status_code == 200
    await fields.delete(f"{DEVICES}/a")
    assert (await fields.delete(f"{FIELDS}/rack")).status_code == 204
    viewer = await log_in(Role.VIEWER, name="viewer")
    assert Permission.CATALOGUE_WRITE.value in (await viewer.post(FIELDS, json=RACK)).text
    assert (await viewer.get(f"{FIELDS}/height")).json()["required"] is False


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cf=rack=7", ["a"]),
        ("cf=rack__in=7,8", ["a", "b"]),
        ("cf=rack__n=7", ["b", "c"]),
        ("cf=rack__isnull=true", ["c"]),
        ("cf=rack__sw=1", []),
        ("cf=height__gte=2", ["b", "c"]),
        ("cf=height__gte=2&cf=height__lt=10", ["b"]),
        ("cf=height=10", ["c"]),
        ("cf=spare=true", ["c"]),
        ("cf=rack__gt=1", []),  # a text is no number
        ("cf=nothing=1", []),
    ],
)
async def test_filters(fields: AsyncClient, query: str, found: list[str]) -> None:
    """Devices are found by their custom fields, all of which must hold."""
    await add(fields, "a", rack="7", height=1)
    await add(fields, "b", rack="8", height=2)
    await add(fields, "c", height=10, spare=True)
    answer = await fields.get(f"{DEVICES}?{query}")
    assert answer.status_code == 200, answer.text
    assert [device["name"] for device in answer.json()["results"]] == found


@pytest.mark.parametrize("asked", ["rack", "rack__nope=1", "RACK=1", "height__gte=x", "a__isnull="])
async def test_filters_that_mean_nothing(client: AsyncClient, asked: str) -> None:
    """A misspelt filter is refused, not ignored."""
    assert (await client.get(DEVICES, params={"cf": asked})).status_code == 422


@pytest.mark.parametrize("form", ["json", "yaml", "csv"])
async def test_what_is_exported_imports_unchanged(fields: AsyncClient, form: str) -> None:
    """Each value keeps its type: a text that looks like a number stays a text."""
    values = {"rack": "=007", "height": 42, "spare": True}
    await add(fields, "a", **values)
    await add(fields, "b", rack="12", height=2)
    exported = await fields.get(f"{DEVICES}/export", params={"format": form})
    for name in ("a", "b"):
        await fields.delete(f"{DEVICES}/{name}")
    response = await fields.post(f"{DEVICES}/import/{form}", content=exported.content)
    assert response.status_code == 200, response.text
    assert (await fields.get(f"{DEVICES}/a")).json()["custom_fields"] == values
    kept = {"rack": "12", "height": 2}
    assert (await fields.get(f"{DEVICES}/b")).json()["custom_fields"] == kept


async def test_a_table_speaks_of_its_columns_alone(fields: AsyncClient) -> None:
    """A column for one custom field leaves the others; an empty cell takes a value away."""
    await add(fields, "a", rack="7", height=2, spare=True)
    await add(fields, "b", rack="8", height=3)
    table = "name,address,cf.rack,cf.spare\na,10.0.0.1,x9,\nb,10.0.0.1,,true\nc,10.0.0.1,x1,\n"
    response = await fields.post(f"{DEVICES}/import/csv", content=table.encode())
    assert response.status_code == 200, response.text
    held = {d["name"]: d["custom_fields"] for d in (await fields.get(DEVICES)).json()["results"]}
    assert held == {
        "a": {"height": 2, "rack": "x9"},
        "b": {"height": 3, "spare": True},
        "c": {"height": 1, "rack": "x1"},
    }


@pytest.mark.parametrize(("before", "after"), [(1, True), ([0], [False]), ({"a": 1}, {"a": True})])
async def test_a_truth_value_is_no_number(client: AsyncClient, before: Any, after: Any) -> None:
    """One that becomes the other is a change: of a device, alone or in bulk, a site, a schema."""
    body = {"name": "any", "value_schema": {"default": before}}
    assert (await client.post(FIELDS, json=body | {"applies_to": "device"})).status_code == 201
    site = {"name": "all", "applies_to": "site", "value_schema": {}}
    assert (await client.post(FIELDS, json=site)).status_code == 201
    place = await client.post(SITES, json={"name": "oslo", "custom_fields": {"all": before}})
    assert place.status_code == 201, place.text
    for name in ("a", "b", "c"):
        await add(client, name, any=before)
    changed = {"custom_fields": {"any": after}}
    await client.patch(f"{DEVICES}/a", json=changed)
    await client.patch(DEVICES, json=[{"name": "b", **changed}])
    imported = {"devices": [{"name": "c", "address": "10.0.0.1", **changed}]}
    await client.post(f"{DEVICES}/import", json=imported)
    await client.patch(f"{SITES}/oslo", json={"custom_fields": {"all": after}})
    await client.patch(f"{FIELDS}/any", json={"value_schema": {"default": after}})
    written = json.dumps(after)
    for name in ("a", "b", "c"):
        device = (await client.get(f"{DEVICES}/{name}")).json()
        assert json.dumps(device["custom_fields"]["any"]) == written, name
        history = (await client.get(f"{DEVICES}/{name}/history")).json()["results"]
        assert [change["field"] for change in history[0]["fields"]] == ["custom_fields"]
    oslo = (await client.get(f"{SITES}/oslo")).json()
    assert json.dumps(oslo["custom_fields"]["all"]) == written
    schema = (await client.get(f"{FIELDS}/any")).json()["value_schema"]
    assert json.dumps(schema["default"]) == written


async def test_what_a_field_is_of_stays(fields: AsyncClient) -> None:
    """An import does not make a field of devices one of sites: its values would be stranded."""
    await add(fields, "a", rack="7")
    fitting = {"name": "b", "address": "10.0.0.1", "custom_fields": {"rack": 7}}
    moved = {"custom_fields": [RACK | {"applies_to": "site"}], "devices": [fitting]}
    refused = await fields.post(f"{DEVICES}/import", json=moved)
    assert "/custom_fields/0/applies_to" in pointers(refused)
    trial = await fields.post(f"{DEVICES}/import/json?dry_run=true", json=moved)
    told = [(e["noun"], e["row"], e["field"]) for e in trial.json()["errors"]]
    assert ("custom_fields", 1, "applies_to") in told
    assert (await fields.get(f"{FIELDS}/rack")).json()["applies_to"] == "device"


@pytest.mark.parametrize("path", ["import", "import/json", "import/json?dry_run=true"])
async def test_no_schema_asks_for_values(fields: AsyncClient, log_in: Login, path: str) -> None:
    """Whoever may not change a field learns nothing of values elsewhere by trying a schema."""
    made = await fields.post(SITES, json={"name": "oslo"})
    await add(fields, "elsewhere", rack="7")
    scope = Scope(ScopeKind.SITE, made.json()["id"])
    local = await log_in(Role.OPERATOR, scope, name="local")
    for guess in ("^7$", "^8$"):
        schema = {"type": "string", "pattern": guess}
        document = {"custom_fields": [RACK | {"value_schema": schema}]}
        refused = await local.post(f"{DEVICES}/{path}", json=document)
        assert refused.status_code == 403, refused.text
        assert "do not fit" not in refused.text
    same = await local.post(f"{DEVICES}/{path}", json={"custom_fields": [RACK]})
    assert same.status_code == 200, same.text


async def test_values_have_few_parts(client: AsyncClient) -> None:
    """A value holds so many members and items, however deep, and no more."""
    assert (await client.post(FIELDS, json=RACK | {"value_schema": {}})).status_code == 201
    for name, value in (("a", [0] * 128), ("b", {"a": [[]] * 127})):
        await add(client, name, rack=value)
    for value in ([0] * 129, {"a": [[]] * 128}):
        changed = await client.patch(f"{DEVICES}/a", json={"custom_fields": {"rack": value}})
        assert pointers(changed) == ["/custom_fields/rack"]


async def test_errors_come_to_an_end(client: AsyncClient) -> None:
    """Of a value some errors are told, and of all that is sent no more than a thousand."""
    never = RACK | {"value_schema": {"items": {"allOf": [False] * 20}}}
    assert (await client.post(FIELDS, json=never)).status_code == 201
    device = {"name": "a", "address": "10.0.0.1", "custom_fields": {"rack": [0] * 100}}
    one = pointers(await client.post(DEVICES, json=device))
    assert one == ["/custom_fields/rack/0"] * 5
    many = [device | {"name": f"a{number}"} for number in range(300)]
    for path, body in (("", many), ("/import", {"devices": many})):
        refused = await client.post(f"{DEVICES}{path}", json=body)
        assert len(pointers(refused)) == 1000


@pytest.mark.parametrize("path", ["import", "import/json"])
async def test_an_import_tells_all_errors_at_once(fields: AsyncClient, path: str) -> None:
    """Values, schemas, kinds, parents and contacts that cannot be are told together, by row."""
    await add(fields, "kept", rack="7")
    site = {"name": "norway", "kind": "region", "custom_fields": {"site": 1}}
    assert (await fields.post(SITES, json=site)).status_code == 201
    address = {"address": "10.0.0.1"}
    document = {
        "custom_fields": [
            {"name": "colour", "applies_to": "device", "value_schema": {"enum": ["red"]}},
            RACK | {"value_schema": {"type": "integer"}},
        ],
        "sites": [
            {"name": "norway", "custom_fields": {"site": "x"}},
            {"name": "oslo", "parent": "norway", "contacts": ["nobody"]},
            {"name": "east", "kind": "region", "parent": "oslo"},
            {"name": "room", "kind": "location"},
            {"name": "attic", "parent": "nowhere"},
            {"name": "egg", "parent": "hen"},
            {"name": "hen", "parent": "egg"},
        ],
        "devices": [
            {"name": "kept", **address, "custom_fields": {"height": 0}},
            {"name": "good", **address, "custom_fields": {"colour": "red"}},
            {"name": "bad", **address, "custom_fields": {"colour": "blue"}, "site": "nowhere"},
        ],
    }
    refused = await fields.post(f"{DEVICES}/{path}", json=document)
    assert pointers(refused) == [
        "/custom_fields/1/value_schema",
        "/devices/0/custom_fields/height",
        "/devices/2/custom_fields/colour",
        "/devices/2/site",
        "/sites/0/custom_fields/site",
        "/sites/1/contacts/0",
        "/sites/2/kind",
        "/sites/3/parent",
        "/sites/4/parent",
        "/sites/5/parent",
        "/sites/6/parent",
    ]


async def test_a_list_tells_all_errors_at_once(fields: AsyncClient) -> None:
    """Values that do not fit are told with whatever else is wrong with a list of devices."""
    address = {"address": "10.0.0.1"}
    new = [
        {"name": "a", **address, "custom_fields": {"height": 0}},
        {"name": "b", **address, "site": "nowhere", "contacts": ["nobody"]},
    ]
    told = ["/0/custom_fields/height", "/1/contacts/0", "/1/site"]
    assert pointers(await fields.post(DEVICES, json=new)) == told
    for name in ("a", "b"):
        await add(fields, name)
    assert pointers(await fields.patch(DEVICES, json=new)) == told


async def test_a_field_that_is_wrong_is_still_there(fields: AsyncClient) -> None:
    """Values of a field whose own row is wrong are not told as those of none."""
    device = {"name": "a", "address": "10.0.0.1", "custom_fields": {"colour": "red"}}
    field = {"name": "colour", "applies_to": "device", "value_schema": {"type": "colour"}}
    document = {"custom_fields": [field], "devices": [device]}
    refused = await fields.post(f"{DEVICES}/import/json", json=document)
    assert pointers(refused) == ["/custom_fields/0/value_schema"]
