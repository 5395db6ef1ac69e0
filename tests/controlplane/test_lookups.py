"""Filters, orders, fields and pages, as every list of the API has them."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login

DEVICES, SITES = "/api/v1/devices", "/api/v1/sites"
INVENTORY = {
    "sites": [{"name": "north"}, {"name": "oslo", "parent": "north"}, {"name": "south"}],
    "device_roles": [{"name": "core"}],
    "devices": [
        {"name": "a1", "address": "10.0.0.1", "site": "oslo", "vendor": "Cisco", "role": "core",
         "tags": ["gold", "lab"]},
        {"name": "a2", "address": "10.0.0.2", "site": "oslo", "vendor": "cisco", "tags": ["gold"]},
        {"name": "b1", "address": "10.0.1.1", "site": "south", "role": "core", "profile": "junos",
         "parents": ["a1"], "tags": ["lab"]},
        {"name": "b2", "address": "10.0.1.2", "status": "planned", "parents": ["a1", "b1"]},
    ],
}  # fmt: skip

Names = Callable[[str], Awaitable[list[str]]]


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of the inventory."""
    response = await client.post(f"{DEVICES}/import", json=INVENTORY)
    assert response.status_code == 200, response.text
    return client


async def names(client: AsyncClient, address: str) -> list[str]:
    """Give the names in a list."""
    response = await client.get(address)
    assert response.status_code == 200, response.text
    assert response.json()["count"] == len(response.json()["results"])
    return [item["name"] for item in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=a1&name=b1", "a1 b1"),
        ("name__in=a1,b2", "a1 b2"),
        ("name__n=a1&name__n=b1", "a2 b2"),
        ("name__sw=a", "a1 a2"),
        ("name__ew=1&name__ew=9", "a1 b1"),
        ("vendor__ic=CIS", "a1 a2"),
        ("address__ic=.0.1.", "b1 b2"),
        ("address__ic=_", ""),
        ("role__isnull=true", "a2 b2"),
        ("status=planned&status=active", "a1 a2 b1 b2"),
        ("status__n=planned", "a1 a2 b1"),
        ("site=oslo&role=core", "a1"),
        ("site__n=oslo", "b1 b2"),
        ("site__isnull=true", "b2"),
        ("site__isnull=false", "a1 a2 b1"),
        ("profile__isnull=true", "a1 a2 b2"),
        ("profile__n=ios", "a1 a2 b1 b2"),
        ("parent=a1", "b1 b2"),
        ("parent__isnull=true", "a1 a2"),
        ("parent__n=b1", "a1 a2 b1"),
        ("tag=gold&tag=lab", "a1"),
        ("tag__in=gold,lab", "a1 a2 b1"),
        ("tag__n=gold", "b1 b2"),
        ("created_at__gt=2000-01-01T00:00:00Z&name=a1", "a1"),
        ("created_at__lte=2000-01-01T00:00:00Z", ""),
        ("q=OSLO", "a1 a2"),
        ("q=oslo+core", "a1"),
        ("q=lab", "a1 b1"),
        ("q=10.0.1", "b1 b2"),
        ("q=%25", ""),
        ("ordering=-role,-name", "b2 a2 b1 a1"),
    ],
)
async def test_what_devices_are_found(inventory: AsyncClient, query: str, found: str) -> None:
    """All filters must hold; of the values of one, one is enough, and each tag is needed."""
    assert await names(inventory, f"{DEVICES}?{query}") == found.split()


@pytest.mark.parametrize(
    "query",
    [
        "name__regex=.*", "status__ic=act", "created_at=2000-01-01", "created_at__gt=2000-01-01",
        "created_at__gt=0001-01-01T00:00:00%2B14:00", "name__ic=", "name__in=a,,b",
        "name__isnull=1", "site__isnull=perhaps", "name__sw=%00", "fields=name,secret",
    ],
)  # fmt: skip
async def test_what_is_refused(inventory: AsyncClient, query: str) -> None:
    """A lookup that a field does not have, and a value that it cannot have, are errors."""
    response = await inventory.get(f"{DEVICES}?{query}")
    assert response.status_code == 422
    pointer = response.json()["errors"][0]["pointer"]
    assert pointer.split("/")[2] == query.partition("=")[0]


async def test_a_filter_shows_nothing_out_of_scope(inventory: AsyncClient, log_in: Login) -> None:
    """A parent that somebody does not see is none to their filters either."""
    south = (await inventory.get(f"{SITES}/south")).json()["id"]
    guest = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, south))
    assert await names(guest, f"{DEVICES}?parent=a1") == []
    assert await names(guest, f"{DEVICES}?parent__isnull=true") == ["b1"]
    assert await names(guest, f"{DEVICES}?q=oslo") == []
    oslo = (await inventory.get(f"{SITES}/oslo")).json()["id"]
    other = await log_in(Role.VIEWER, Scope(ScopeKind.SITE, oslo), name="other")
    assert await names(other, f"{SITES}?parent=north") == []
    assert await names(other, f"{SITES}?parent__isnull=true") == ["oslo"]
    assert await names(other, f"{SITES}?parent__n=north") == ["oslo"]


async def test_only_some_fields(inventory: AsyncClient) -> None:
    """Of each item comes what is asked for, and no more."""
    page = (await inventory.get(f"{DEVICES}?fields=name,site&limit=1")).json()
    assert page["results"] == [{"name": "a1", "site": "oslo"}]
    assert page["count"] == 4
    assert "fields=name%2Csite" in page["next"]


async def test_the_document_names_them(client: AsyncClient) -> None:
    """Every lookup is in the OpenAPI document, with what it means."""
    document = (await client.get("/api/openapi.json")).json()
    parameters = {p["name"]: p for p in document["paths"][DEVICES]["get"]["parameters"]}
    assert parameters.keys() >= {"name__ic", "created_at__gte", "tag__in", "cursor", "fields", "q"}
    assert parameters["name__ic"]["description"] == "Contains this, whatever the case."


async def walk(client: AsyncClient, address: str) -> list[dict[str, Any]]:
    """Follow `next` to the end of a list."""
    found, following = [], address
    while following:
        page = (await client.get(following)).json()
        assert page["count"] is None
        assert page["previous"] is None
        found += page["results"]
        following = page["next"]
    return found


class TestCursor:
    """A list of any length is walked by cursors."""

    @pytest.mark.parametrize("limit", [1, 2, 4])
    @pytest.mark.parametrize(
        "ordering",
        ["", "-name", "status,-name", "-vendor", "profile", "-profile,role", "created_at"],
    )
    async def test_each_comes_once(self, inventory: AsyncClient, ordering: str, limit: int) -> None:
        """Whatever the order, also where values are equal or missing, nothing is lost or twice."""
        columns = f"{DEVICES}?ordering={ordering}"
        whole = (await inventory.get(columns)).json()["results"]
        found = await walk(inventory, f"{columns}&cursor=&limit={limit}")
        assert [item["name"] for item in found] == [item["name"] for item in whole]

    async def test_it_stays_in_place(self, inventory: AsyncClient) -> None:
        """What is removed meanwhile hides nothing of what follows."""
        page = (await inventory.get(f"{DEVICES}?cursor=&limit=2&ordering=-name")).json()
        assert [item["name"] for item in page["results"]] == ["b2", "b1"]
        await inventory.delete(f"{DEVICES}/b2")
        rest = await walk(inventory, page["next"])
        assert [item["name"] for item in rest] == ["a2", "a1"]

    async def test_it_belongs_to_its_order(self, inventory: AsyncClient) -> None:
        """In another order the cursor is refused, for it would point anywhere."""
        page = (await inventory.get(f"{DEVICES}?cursor=&limit=2")).json()
        response = await inventory.get(f"{page['next']}&ordering=-name")
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/query/cursor"

    @pytest.mark.parametrize(
        "content",
        [
            "!", "Ww", None, [], {}, [["name"]], [["name"], []], [["name"], [1]],
            [["name"], ["\0"]], [["name"], ["a", "b"]], [[["name"]], ["a"]],
        ],
    )  # fmt: skip
    async def test_it_is_checked(self, inventory: AsyncClient, content: object) -> None:
        """Whoever writes a cursor of their own is told so."""
        given = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
        cursor = content if isinstance(content, str) else given
        response = await inventory.get(DEVICES, params={"cursor": cursor})
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["code"] == "cursor"

    @pytest.mark.parametrize("value", [2**70, [1], "now", True, "0001-01-01T00:00:00+14:00"])
    async def test_its_values_are_those_of_columns(
        self, client: AsyncClient, value: object
    ) -> None:
        """A number that no column holds, and a moment that is none, are no values of a cursor."""
        for url, order in (("/api/v1/audit", "-seq"), (DEVICES, "created_at")):
            key = [order] if order == "-seq" else [order, "name"]
            content = json.dumps([key, [value, "a"][: len(key)]]).encode()
            cursor = base64.urlsafe_b64encode(content).decode()
            response = await client.get(url, params={"cursor": cursor, "ordering": order})
            assert response.status_code == 422, response.text

    async def test_not_beside_an_offset(self, inventory: AsyncClient) -> None:
        """A page is found in one way; far behind, that is the cursor."""
        assert (await inventory.get(f"{DEVICES}?cursor=&offset=2")).status_code == 422
        response = await inventory.get(f"{DEVICES}?offset=10001")
        assert response.status_code == 422
        assert "cursor" in response.json()["detail"] + response.json()["errors"][0]["message"]


LISTS = [
    DEVICES, SITES, "/api/v1/device-groups", "/api/v1/credentials", "/api/v1/audit",
    "/api/v1/alerts", "/api/v1/incidents", "/api/v1/users", "/api/v1/maintenance",
    "/api/v1/notifications", "/api/v1/escalations", "/api/v1/escalation/policies",
    "/api/v1/oncall/schedules", "/api/v1/events",
]  # fmt: skip


@pytest.mark.parametrize("url", LISTS)
async def test_every_declared_filter_filters(client: AsyncClient, url: str) -> None:
    """There is no parameter of a list that the database has no answer to."""
    document = (await client.get("/api/openapi.json")).json()
    for parameter in document["paths"][url]["get"]["parameters"]:
        name, schema = parameter["name"], parameter["schema"]
        if name not in {"limit", "offset", "ordering", "fields", "cursor"}:
            value = schema["examples"][0] if "examples" in schema else example(document, schema)
            response = await client.get(url, params={name: value})
            assert response.status_code == 200, response.text


def example(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """Give a value that a schema allows."""
    schema = schema.get("anyOf", [schema])[0]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type") == "array":
        return example(document, schema["items"])
    if "enum" in schema:
        return str(schema["enum"][0])
    by_format = {"date-time": "2026-01-01T00:00:00Z", "uuid": str(uuid4())}
    by_type = {"boolean": "true", "string": "a"}
    return by_format[schema["format"]] if "format" in schema else by_type[schema["type"]]


async def test_statements(inventory: AsyncClient, statements: list[str]) -> None:
    """However much devices refer to, a page is three: who asks, the devices, and what they have."""
    response = await inventory.get(DEVICES)
    assert [len(device["parents"]) for device in response.json()["results"]] == [0, 0, 1, 2]
    now_and_then = ("rate_limits", "signing_keys")
    assert len([s for s in statements if not any(table in s for table in now_and_then)]) == 3


async def test_a_search_follows_what_is_written(inventory: AsyncClient) -> None:
    """What is looked through is as the device was written last, whatever the case or the script."""
    assert await names(inventory, f"{DEVICES}?q=ärger 10.0.1") == []
    for change in ({"description": "Großer Ärger"}, {"tags": ["platinum"]}):
        assert (await inventory.patch(f"{DEVICES}/b1", json=change)).status_code == 200
    for words in ("ärger 10.0.1", "GROß b1", "tinu", "core tinum", "south ärger"):
        assert await names(inventory, f"{DEVICES}?q={words}") == ["b1"], words
    assert await names(inventory, f"{DEVICES}?q=b110.0") == []
    assert await names(inventory, f"{DEVICES}?q=lab") == ["a1"]
