"""Sites in bulk: lists on the URL of the list."""

from typing import Any

import pytest
from httpx import AsyncClient, Response

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login
from tests.controlplane.devices.answers import names, told

URL = "/api/v1/sites"
SOME = 1_000
FEW = 12  # statements for each


async def send(client: AsyncClient, method: str, rows: Any, **headers: str) -> Response:
    return await client.request(method, URL, json=rows, headers=headers)


@pytest.fixture
async def tree(client: AsyncClient) -> AsyncClient:
    """Give a client of an inventory of a region with two sites, and a device at one of them."""
    rows = [
        {"name": "oslo", "parent": "north"},
        {"name": "bergen", "parent": "north"},
        {"name": "north", "kind": "region"},
    ]
    response = await send(client, "POST", rows)
    assert response.status_code == 201, response.text
    device = {"name": "sw1", "address": "10.0.0.1", "site": "oslo"}
    assert (await client.post("/api/v1/devices", json=device)).status_code == 201
    return client


class TestCreate:
    async def test_all_are_there(self, tree: AsyncClient) -> None:
        """The answer is in the order of the request, also where a parent comes last in it."""
        response = await send(tree, "POST", [{"name": "b", "parent": "a"}, {"name": "a"}])
        body = response.json()
        assert (response.status_code, body["count"]) == (201, 2)
        assert [(row["name"], row["version"]) for row in body["results"]] == [("b", 1), ("a", 1)]
        assert (await tree.get(f"{URL}/b")).json()["parent"] == "a"

    async def test_none_or_all_and_every_error(self, tree: AsyncClient) -> None:
        """Each row that cannot be is told with its number and the way to its field."""
        rows = [
            {"name": "a"},
            {"name": "b", "parent": "nowhere"},
            {"name": "c", "contacts": ["x", "y"]},
            {"name": "d", "kind": "location"},
            {"name": "e", "custom_fields": {"rack": 1}},
        ]
        response = await send(tree, "POST", rows)
        assert response.status_code == 422
        assert told(response) == [
            (2, "/1/parent", "unknown"),
            (3, "/2/contacts/0", "unknown"),
            (3, "/2/contacts/1", "unknown"),
            (4, "/3/parent", "misplaced"),
            (5, "/4/custom_fields/rack", "unknown"),
        ]
        assert await names(tree, URL) == ["bergen", "north", "oslo"]

    async def test_names(self, tree: AsyncClient) -> None:
        """A name that is taken, or stands there twice, is told of each row."""
        response = await send(tree, "POST", [{"name": n} for n in ("a", "oslo", "a")])
        assert response.status_code == 422
        assert sorted(told(response)) == [(2, "/1/name", "exists"), (3, "/2/name", "twice")]

    async def test_a_cycle(self, client: AsyncClient) -> None:
        """Sites that are parts of each other are refused."""
        rows = [{"name": "a", "parent": "b"}, {"name": "b", "parent": "a"}]
        response = await send(client, "POST", rows)
        assert response.status_code == 422
        assert [error["code"] for error in response.json()["errors"]] == ["cycle"]
        assert await names(client, URL) == []

    @pytest.mark.parametrize("count", [0, SOME + 1])
    async def test_so_many(self, client: AsyncClient, count: int) -> None:
        """One site at least, and a thousand at most."""
        rows = [{"name": f"s{n}"} for n in range(count)]
        assert (await send(client, "POST", rows)).status_code == 422

    async def test_it_may_be_sent_again(self, client: AsyncClient) -> None:
        """Under an Idempotency-Key a list is created once, however often it is sent."""
        key = {"Idempotency-Key": "0f6c1d2e-33f1-4c59-9d3a-0f2f3d4c5b6a"}
        first = await send(client, "POST", [{"name": "a"}], **key)
        again = await send(client, "POST", [{"name": "a"}], **key)
        assert first.status_code == again.status_code == 201
        assert first.content == again.content


class TestUpdate:
    async def test_each_gets_what_it_is_given(self, tree: AsyncClient) -> None:
        """Fields left out stay, and what is so already keeps its version."""
        rows = [{"name": "oslo", "description": "Head"}, {"name": "bergen", "parent": "north"}]
        response = await send(tree, "PATCH", rows)
        assert response.status_code == 200, response.text
        assert [row["version"] for row in response.json()["results"]] == [2, 1]
        read = (await tree.get(f"{URL}/oslo")).json()
        assert (read["description"], read["parent"]) == ("Head", "north")
        history = (await tree.get(f"{URL}/oslo/history")).json()["results"]
        assert [field["field"] for field in history[0]["fields"]] == ["description"]

    async def test_one_stale_row_stops_all(self, tree: AsyncClient) -> None:
        """Each row that somebody else changed since is named, and nothing is written."""
        await tree.patch(f"{URL}/bergen", json={"description": "x"})
        rows = [{"name": n, "description": "y", "version": 1} for n in ("oslo", "bergen")]
        response = await send(tree, "PATCH", rows)
        assert response.status_code == 412
        assert told(response) == [(2, "/1/version", "stale")]
        assert (await tree.get(f"{URL}/oslo")).json()["description"] == ""

    async def test_every_error(self, tree: AsyncClient) -> None:
        """What cannot be is told of every row, also where one of them would make a cycle."""
        rows = [{"name": "north", "parent": "oslo"}, {"name": "oslo", "contacts": ["x"]}]
        response = await send(tree, "PATCH", rows)
        assert response.status_code == 422
        assert told(response) == [(1, "/0/parent", "cycle"), (2, "/1/contacts/0", "unknown")]


class TestDelete:
    async def test_a_whole_tree(self, tree: AsyncClient) -> None:
        """A place goes together with what is a part of it, in whatever order they are named."""
        await tree.delete("/api/v1/devices/sw1")
        response = await send(tree, "DELETE", [{"name": n} for n in ("north", "oslo", "bergen")])
        assert response.status_code == 204, response.text
        assert await names(tree, URL) == []

    async def test_what_is_in_use_stays(self, tree: AsyncClient) -> None:
        """What stands or lies at a site is named, and nothing is removed."""
        response = await send(tree, "DELETE", [{"name": n} for n in ("bergen", "north", "oslo")])
        assert response.status_code == 409
        found = [(row, code) for row, _, code in told(response)]
        assert found == [(2, "conflict"), (3, "conflict")]
        assert "stand sw1" in response.json()["errors"][1]["message"]
        assert await names(tree, URL) == ["bergen", "north", "oslo"]

    async def test_a_stale_row_stays(self, tree: AsyncClient) -> None:
        """Whoever deletes what they have seen does not delete what somebody made of it."""
        await tree.patch(f"{URL}/bergen", json={"description": "x"})
        assert (await send(tree, "DELETE", [{"name": "bergen", "version": 1}])).status_code == 412
        assert (await send(tree, "DELETE", [{"name": "bergen", "version": 2}])).status_code == 204


class TestScope:
    @pytest.fixture
    async def northerner(self, tree: AsyncClient, log_in: Login) -> AsyncClient:
        """Give an admin of the north, beside which lies the south."""
        await tree.post(URL, json={"name": "south"})
        north = (await tree.get(f"{URL}/north")).json()["id"]
        return await log_in(Role.ADMIN, Scope(ScopeKind.SITE, north), name="northerner")

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    async def test_out_of_scope_is_not_there(self, northerner: AsyncClient, method: str) -> None:
        """What is elsewhere and what is nowhere is refused in the same words."""
        rows = [{"name": "bergen"}, {"name": "south"}, {"name": "zzz"}]
        response = await send(northerner, method, rows)
        assert response.status_code == 422
        assert told(response) == [(2, "/1/name", "unknown"), (3, "/2/name", "unknown")]
        south, nowhere = (error["message"] for error in response.json()["errors"])
        assert south.replace("'south'", "'zzz'") == nowhere

    async def test_nothing_leaves_the_scope(
        self, northerner: AsyncClient, tree: AsyncClient
    ) -> None:
        """One row that would lie outside as it is written has all of them refused."""
        inside = await send(northerner, "POST", [{"name": "a", "parent": "north"}])
        assert inside.status_code == 201, inside.text
        rows = [{"name": "b", "parent": "north"}, {"name": "c"}]
        outside = await send(northerner, "POST", rows)
        assert outside.status_code == 403
        assert told(outside) == [(2, "/1/name", "forbidden")]
        moved = await send(northerner, "PATCH", [{"name": "a", "parent": None}])
        assert moved.status_code == 403
        assert await names(tree, URL) == ["a", "bergen", "north", "oslo", "south"]

    @pytest.mark.usefixtures("tree")
    async def test_who_only_reads(self, log_in: Login) -> None:
        """Without the permission to write there is no bulk at all."""
        viewer = await log_in(Role.VIEWER)
        for method in ("POST", "PATCH", "DELETE"):
            assert (await send(viewer, method, [{"name": "oslo"}])).status_code == 403


async def test_a_thousand(client: AsyncClient, statements: list[str]) -> None:
    """What each site takes does not grow with their number."""
    rows = [{"name": f"s{n}", "parent": f"s{n // 10}" if n else None} for n in range(SOME)]
    for method, body in (
        ("POST", rows),
        ("PATCH", [{"name": row["name"], "description": "x" * 90} for row in rows]),
        ("DELETE", [{"name": row["name"]} for row in rows]),
    ):
        statements.clear()
        response = await send(client, method, body)
        assert response.is_success, response.text[:300]
        assert len(statements) < FEW * SOME
