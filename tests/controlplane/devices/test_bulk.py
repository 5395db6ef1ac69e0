"""Devices in bulk: lists on the URL of the list."""

from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlmodel import col, select

from controlplane.audit.models import AuditEntry
from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login, Sessions
from tests.controlplane.devices.answers import names, told

URL = "/api/v1/devices"
MANY = 10_000
SOME = 1_000
FEW = 30  # statements, whatever the number of rows


def device(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "address": "10.0.0.1", **fields}


async def send(client: AsyncClient, method: str, rows: Any, **headers: str) -> Response:
    return await client.request(method, URL, json=rows, headers=headers)


@pytest.fixture
async def three(client: AsyncClient, roles: None) -> AsyncClient:  # noqa: ARG001 - they are named
    """Give a client of an inventory of three devices, of which c stands behind b."""
    await client.post("/api/v1/sites", json={"name": "north"})
    rows = [device("a", site="north"), device("b"), device("c", parents=["b"])]
    response = await send(client, "POST", rows)
    assert response.status_code == 201, response.text
    return client


class TestCreate:
    async def test_all_are_there(self, three: AsyncClient) -> None:
        """The answer names each with id and version; they may name each other as parents."""
        response = await send(three, "POST", [device("e", parents=["d"]), device("d")])
        body = response.json()
        assert (response.status_code, body["count"]) == (201, 2)
        assert [(r["name"], r["version"]) for r in body["results"]] == [("e", 1), ("d", 1)]
        assert (await three.get(f"{URL}/e")).json()["parents"] == ["d"]

    async def test_none_or_all_and_every_error(self, three: AsyncClient) -> None:
        """Each row that cannot be is told with its number and the way to its field."""
        rows = [
            device("d"),
            device("a"),
            device("e", site="nowhere", parents=["d", "x"]),
            device("d"),
            device("f", address="8.8.8.8"),
        ]
        response = await send(three, "POST", rows)
        assert response.status_code == 422
        assert sorted(told(response)) == [
            (2, "/1/name", "exists"),
            (3, "/2/parents/1", "unknown"),
            (3, "/2/site", "unknown"),
            (4, "/3/name", "twice"),
            (5, "/4/address", "not_allowed"),
        ]
        assert await names(three, URL) == ["a", "b", "c"]

    async def test_what_is_no_device(self, three: AsyncClient) -> None:
        """A row that has no shape is told as it would be alone, with its number."""
        response = await send(three, "POST", [device("d"), {"name": "E", "colour": "red"}])
        assert response.status_code == 422
        assert {pointer for _, pointer, _ in told(response)} == {
            *("/1/name", "/1/address", "/1/colour")
        }
        assert {row for row, _, _ in told(response)} == {2}
        alone = await three.post(URL, json={"name": "E"})
        assert "row" not in alone.json()["errors"][0]

    @pytest.mark.parametrize("count", [0, MANY + 1])
    async def test_so_many(self, client: AsyncClient, count: int) -> None:
        """One device at least, and ten thousand at most."""
        rows = [device(f"d{n}") for n in range(count)]
        assert (await send(client, "POST", rows)).status_code == 422

    async def test_it_may_be_sent_again(self, client: AsyncClient) -> None:
        """Under an Idempotency-Key a list is created once, however often it is sent."""
        key = {"Idempotency-Key": "0f6c1d2e-33f1-4c59-9d3a-0f2f3d4c5b6a"}
        first = await send(client, "POST", [device("a"), device("b")], **key)
        again = await send(client, "POST", [device("a"), device("b")], **key)
        assert first.status_code == again.status_code == 201
        assert first.content == again.content


class TestUpdate:
    async def test_each_gets_what_it_is_given(self, three: AsyncClient) -> None:
        """Fields left out stay, and what is so already keeps its version."""
        rows = [{"name": "a", "role": "core"}, {"name": "b", "role": None}]
        response = await send(three, "PATCH", rows)
        assert response.status_code == 200, response.text
        assert [r["version"] for r in response.json()["results"]] == [2, 1]
        read = (await three.get(f"{URL}/a")).json()
        assert (read["role"], read["site"], read["version"]) == ("core", "north", 2)

    async def test_one_stale_row_stops_all(self, three: AsyncClient) -> None:
        """Each row that somebody else changed since is named, and nothing is written."""
        await three.patch(f"{URL}/b", json={"role": "edge"})
        rows = [{"name": n, "role": "core", "version": 1} for n in ("a", "b")]
        response = await send(three, "PATCH", rows)
        assert response.status_code == 412
        assert told(response) == [(2, "/1/version", "stale")]
        assert (await three.get(f"{URL}/a")).json()["role"] is None

    async def test_a_cycle_is_told(self, three: AsyncClient) -> None:
        """Rows that are well by themselves and not together are refused."""
        rows = [{"name": "a", "parents": ["c"]}, {"name": "b", "parents": ["a"]}]
        response = await send(three, "PATCH", rows)
        assert response.status_code == 422
        assert [e["code"] for e in response.json()["errors"]] == ["cycle"]
        assert (await three.get(f"{URL}/a")).json()["parents"] == []


class TestDelete:
    async def test_all_are_gone(self, three: AsyncClient) -> None:
        """A device goes together with what stands behind it."""
        response = await send(three, "DELETE", [{"name": "b"}, {"name": "c"}])
        assert response.status_code == 204, response.text
        assert await names(three, URL) == ["a"]

    async def test_the_way_to_others_stays(self, three: AsyncClient) -> None:
        """What stands behind is named, and nothing is removed."""
        response = await send(three, "DELETE", [{"name": "a"}, {"name": "b"}])
        assert response.status_code == 409
        assert told(response) == [(2, "/1/name", "in_use")]
        assert "stand c" in response.json()["errors"][0]["message"]
        assert await names(three, URL) == ["a", "b", "c"]

    async def test_a_stale_row_stays(self, three: AsyncClient) -> None:
        """Whoever deletes what they have seen does not delete what somebody made of it."""
        await three.patch(f"{URL}/a", json={"role": "edge"})
        assert (await send(three, "DELETE", [{"name": "a", "version": 1}])).status_code == 412
        assert (await send(three, "DELETE", [{"name": "a", "version": 2}])).status_code == 204


class TestScope:
    @pytest.fixture
    async def north(self, three: AsyncClient, log_in: Login) -> AsyncClient:
        """Give a client that may write at one site alone."""
        site = (await three.get("/api/v1/sites/north")).json()["id"]
        return await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site))

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    async def test_out_of_scope_is_not_there(self, north: AsyncClient, method: str) -> None:
        """What is elsewhere and what is nowhere is refused in the same words."""
        response = await send(north, method, [{"name": "a"}, {"name": "b"}, {"name": "zzz"}])
        assert response.status_code == 422
        assert told(response) == [(2, "/1/name", "unknown"), (3, "/2/name", "unknown")]
        b, z = (e["message"] for e in response.json()["errors"])
        assert b.replace("'b'", "'zzz'") == z

    async def test_nothing_leaves_the_scope(self, north: AsyncClient, three: AsyncClient) -> None:
        """One row that would stand outside as it is written has all of them refused."""
        inside = await send(north, "PATCH", [{"name": "a", "role": "core"}])
        assert inside.status_code == 200, inside.text
        assert (await send(north, "PATCH", [{"name": "a", "site": None}])).status_code == 403
        rows = [device("d", site="north"), device("e")]
        assert (await send(north, "POST", rows)).status_code == 403
        assert await names(three, URL) == ["a", "b", "c"]

    async def test_who_only_reads(self, three: AsyncClient, log_in: Login) -> None:
        """Without the permission to write there is no bulk at all."""
        viewer = await log_in(Role.VIEWER)
        for method in ("POST", "PATCH", "DELETE"):
            assert (await send(viewer, method, [device("z")])).status_code == 403
        assert await names(three, URL) == ["a", "b", "c"]


class TestCost:
    @pytest.mark.usefixtures("roles")
    async def test_they_take_few_statements_and_one_request_in_the_log(
        self, client: AsyncClient, sessions: Sessions, statements: list[str]
    ) -> None:
        """A thousand are created, changed and removed in a few statements each."""
        rows = [device(f"d{n}", tags=["bulk"]) for n in range(SOME)]
        changes = [{"name": row["name"], "role": "core", "version": 1} for row in rows]
        keys = [{"name": row["name"]} for row in rows]
        for method, body, status in (
            ("POST", rows, 201),
            ("PATCH", changes, 200),
            ("DELETE", keys, 204),
        ):
            statements.clear()
            response = await send(client, method, body, **{"X-Request-ID": method})
            assert response.status_code == status, response.text[:300]
            assert len(statements) < FEW, [s[:60] for s in statements]
            async with sessions() as session:
                entries = await session.scalars(
                    select(AuditEntry.object_name).where(col(AuditEntry.request_id) == method)
                )
                assert len(entries.all()) == SOME
