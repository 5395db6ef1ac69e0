"""Interfaces over HTTP."""

from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import delete
from sqlmodel import col

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.devices.interfaces.models import Interface
from tests.controlplane.conftest import Login, Sessions
from tests.controlplane.devices.interfaces.telling import learn, port

URL, DEVICES = "/api/v1/interfaces", "/api/v1/devices"


async def names(client: AsyncClient, query: str = "", url: str = URL) -> list[str]:
    response = await client.get(f"{url}?{query}")
    assert response.status_code == 200, response.text
    return [f"{one['device']} {one['name']}" for one in response.json()["results"]]


async def one(client: AsyncClient, name: str, device: str = "sw1") -> dict[str, Any]:
    response = await client.get(URL, params={"device": device, "name": name})
    (found,) = response.json()["results"]
    return dict(found)


@pytest.fixture
async def two(ports: AsyncClient, sessions: Sessions) -> AsyncClient:
    """Give a client of an inventory with a second switch in the south."""
    await ports.post("/api/v1/sites", json={"name": "south"})
    device = {"name": "sw0", "address": "10.0.0.2", "site": "south"}
    await ports.post(DEVICES, json=device)
    await learn(sessions, port("sw0", "Gi1/0/1", alias="to sw1"), whole=("sw0",))
    return ports


class TestList:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("device=sw1&name=Gi1/0/1", ["sw1 Gi1/0/1"]),
            ("name__sw=Te", ["sw1 Te1/1/1"]),
            ("site=south", ["sw0 Gi1/0/1"]),
            ("site__isnull=true", []),
            ("oper_status=down", ["sw1 Gi1/0/2"]),
            ("speed__gt=1000000000", ["sw1 Te1/1/1"]),
            ("alias__ic=SW", ["sw0 Gi1/0/1"]),
            ("q=uplink sw1", ["sw1 Gi1/0/1"]),
            ("monitored=auto&importance__n=normal", []),
            ("ordering=-speed,name,device&limit=2", ["sw1 Te1/1/1", "sw0 Gi1/0/1"]),
            ("ordering=-name&limit=1", ["sw1 Te1/1/1"]),
        ],
    )
    async def test_filters(self, two: AsyncClient, query: str, found: list[str]) -> None:
        """All filters hold at once; without an order it is by device and name."""
        assert sorted(await names(two, query)) == sorted(found)

    async def test_conventions(self, two: AsyncClient) -> None:
        """A list has its count, its fields and its cursor, and refuses what it does not know."""
        page = (await two.get(f"{URL}?limit=1&fields=device,name")).json()
        assert page["count"] == 4
        assert page["results"] == [{"device": "sw0", "name": "Gi1/0/1"}]
        walked, address = [], f"{URL}?cursor=&limit=1"
        while address:
            page = (await two.get(address)).json()
            walked += [f"{one['device']} {one['name']}" for one in page["results"]]
            address = page["next"]
        assert walked == ["sw0 Gi1/0/1", "sw1 Gi1/0/1", "sw1 Gi1/0/2", "sw1 Te1/1/1"]
        assert (await two.get(f"{URL}?colour=red")).status_code == 422
        assert (await two.get(f"{URL}?ordering=colour")).status_code == 422

    async def test_of_a_device(self, two: AsyncClient) -> None:
        """A device has a list of its own, with the same filters; an unknown one has none."""
        url = f"{DEVICES}/sw1/interfaces"
        assert await names(two, "oper_status=up", url) == ["sw1 Gi1/0/1", "sw1 Te1/1/1"]
        assert (await two.get(f"{DEVICES}/none/interfaces")).status_code == 404

    async def test_statements(
        self, two: AsyncClient, sessions: Sessions, statements: list[str]
    ) -> None:
        """A page takes as many statements for two hundred interfaces as for four."""
        counts = []
        await names(two)
        for more in (0, 200):
            told = [port("sw0", f"Gi2/{n}", 10 + n) for n in range(more)]
            await learn(sessions, *told, whole=())
            statements.clear()
            await names(two, "limit=1000")
            counts.append(len(statements))
        assert counts == [3, 3]  # of these one is for the login


class TestCount:
    """Lists are counted by what the database keeps of each device: it is what is there."""

    async def counts(self, client: AsyncClient) -> list[int]:
        """Give the counts of all, of a site and of devices, each that of the items."""
        counts = []
        for query in ("", "site=north", "site__n=north", "device=sw1", "device__sw=sw&site=south"):
            page = (await client.get(f"{URL}?{query}&limit=1000")).json()
            assert page["count"] == len(page["results"])
            counts.append(page["count"])
        return counts

    async def test_interfaces_come_and_go(self, two: AsyncClient, sessions: Sessions) -> None:
        """New ports count at once, and those that are removed no more."""
        assert await self.counts(two) == [4, 3, 1, 3, 1]
        await learn(sessions, *(port("sw0", f"Te1/1/{n}", 9 + n) for n in range(5)), whole=())
        assert await self.counts(two) == [9, 3, 6, 3, 6]
        async with sessions.begin() as session:
            await session.execute(delete(Interface).where(col(Interface.name) == "Gi1/0/1"))
        assert await self.counts(two) == [7, 2, 5, 2, 5]

    async def test_devices_change(self, two: AsyncClient) -> None:
        """A device takes its interfaces to another name and site, and away with it."""
        change = {"name": "sw9", "site": "south"}
        assert (await two.patch(f"{DEVICES}/sw1", json=change)).status_code == 200
        assert await self.counts(two) == [4, 0, 4, 0, 4]
        assert (await two.delete(f"{DEVICES}/sw9")).status_code == 204
        assert await self.counts(two) == [1, 0, 1, 0, 1]

    async def test_behind_the_end(self, two: AsyncClient) -> None:
        """A page without items has the count all the same."""
        assert (await two.get(f"{URL}?offset=100")).json()["count"] == 4
        assert (await two.get(f"{URL}?offset=100&oper_status=up")).json()["count"] == 3


class TestSearch:
    @pytest.fixture
    async def described(self, switch: AsyncClient, sessions: Sessions) -> AsyncClient:
        """Give a switch with forty ports, each to a desk."""
        desks = (port("sw1", f"Gi1/0/{n}", n, alias=f"Desk_{n} Fl%oor") for n in range(40))
        await learn(sessions, *desks)
        return switch

    @pytest.mark.parametrize(
        ("text", "count"),
        [
            *(("desk_3", 11), ("DESK_39", 1), ("k_39 gi1/0/3", 1), ("39", 1), ("_3", 11)),
            *(("l%oor", 40), ("%", 40), ("l%r", 0), ("desk-3", 0), ("sw1 desk_7", 1)),
        ],
    )
    async def test_parts(self, described: AsyncClient, text: str, count: int) -> None:
        """Parts of any length are found, whatever the case, and every character is itself."""
        query: dict[str, str | int] = {"q": text, "limit": 7, "offset": 4, "ordering": "-index"}
        page = (await described.get(URL, params=query)).json()
        assert page["count"] == count
        assert len(page["results"]) == max(0, min(7, count - 4))
        indexes = [row["index"] for row in page["results"]]
        assert indexes == sorted(indexes, reverse=True)

    async def test_index(self, described: AsyncClient, statements: list[str]) -> None:
        """Three letters and more are looked up in the index of trigrams."""
        await described.get(f"{URL}?q=desk_39")
        assert any("chm_trigrams(interfaces.searched) @> chm_trigrams(" in s for s in statements)


class TestOne:
    async def test_a_change(self, ports: AsyncClient) -> None:
        """An operator says something of an interface; it has an ETag and a history."""
        found = await one(ports, "Gi1/0/1")
        said = {"description": "To the bank", "importance": "critical", "monitored": "no"}
        response = await ports.patch(f"{URL}/{found['id']}", json=said)
        assert response.status_code == 200, response.text
        assert response.headers["ETag"] == '"2"'
        assert response.json().items() >= said.items()
        history = (await ports.get(f"{URL}/{found['id']}/history")).json()
        assert history["count"] == 1
        (change,) = history["results"]
        assert change["name"] == "sw1 Gi1/0/1"
        assert {field["field"] for field in change["fields"]} == said.keys()

    async def test_what_is_so_already(self, ports: AsyncClient) -> None:
        """A change that changes nothing is none."""
        found = await one(ports, "Gi1/0/1")
        response = await ports.patch(f"{URL}/{found['id']}", json={"monitored": "auto"})
        assert response.json()["version"] == 1

    async def test_somebody_else_was_faster(self, ports: AsyncClient) -> None:
        """Whoever changes what they have seen does not change what somebody made of it."""
        url = f"{URL}/{(await one(ports, 'Gi1/0/1'))['id']}"
        headers = {"If-Match": '"1"'}
        first = await ports.patch(url, json={"monitored": "no"}, headers=headers)
        second = await ports.patch(url, json={"monitored": "yes"}, headers=headers)
        assert (first.status_code, second.status_code) == (200, 412)

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"alias": "mine"}, "/alias"),
            ({"monitored": "never"}, "/monitored"),
            ({"importance": None}, "/importance"),
            ({"description": "a\nb"}, "/description"),
        ],
    )
    async def test_what_cannot_be_said(
        self, ports: AsyncClient, body: dict[str, Any], pointer: str
    ) -> None:
        """What the device tells is not for people to set, and a word must be one of those known."""
        found = await one(ports, "Gi1/0/1")
        response = await ports.patch(f"{URL}/{found['id']}", json=body)
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json()["errors"]] == [pointer]

    async def test_unknown(self, ports: AsyncClient) -> None:
        """An interface that nobody told of can be neither seen nor changed."""
        url = f"{URL}/{uuid4()}"
        assert (await ports.get(url)).status_code == 404
        assert (await ports.patch(url, json={"monitored": "no"})).status_code == 404
        assert (await ports.get(f"{url}/history")).status_code == 404


class TestMany:
    async def test_all_of_a_list(self, two: AsyncClient) -> None:
        """What a list shows of interfaces is what a list changes."""
        fields = "fields=device,name,description,importance,monitored"
        rows = (await two.get(f"{URL}?{fields}")).json()["results"]
        for row in rows[:2]:
            row["monitored"] = "no"
        response = await two.patch(URL, json=rows)
        assert response.status_code == 200, response.text
        assert [row["version"] for row in response.json()["results"]] == [2, 2, 1, 1]
        assert await names(two, "monitored=no") == ["sw0 Gi1/0/1", "sw1 Gi1/0/1"]

    async def test_none_or_all(self, two: AsyncClient) -> None:
        """Every row that cannot be is told with its number, and nothing is written."""
        key = {"device": "sw1", "monitored": "no"}
        rows = [
            {**key, "name": "Gi1/0/1"},
            {**key, "name": "Gi9"},
            {**key, "name": "Gi1/0/1"},
            {**key, "name": "Te1/1/1", "device": "none"},
        ]
        response = await two.patch(URL, json=rows)
        assert response.status_code == 422
        assert sorted((e["row"], e["code"]) for e in response.json()["errors"]) == [
            *((2, "unknown"), (3, "twice"), (4, "unknown"))
        ]
        stale = await two.patch(URL, json=[{**key, "name": "Gi1/0/1", "version": 7}])
        assert stale.status_code == 412
        assert await names(two, "monitored=no") == []

    async def test_statements(
        self, switch: AsyncClient, sessions: Sessions, statements: list[str]
    ) -> None:
        """A thousand interfaces are changed in a few statements."""
        await learn(sessions, *(port("sw1", f"Gi{n}", n) for n in range(1, 1001)))
        rows = [{"device": "sw1", "name": f"Gi{n}", "monitored": "no"} for n in range(1, 1001)]
        statements.clear()
        response = await switch.patch(URL, json=rows)
        assert response.status_code == 200, response.text
        assert len(statements) < 30


class TestScope:
    @pytest.fixture
    async def northerner(self, two: AsyncClient, log_in: Login) -> AsyncClient:
        """Give an operator of the north, who reads the switch of the south through nothing."""
        site = (await two.get("/api/v1/sites/north")).json()["id"]
        return await log_in(Role.OPERATOR, Scope(ScopeKind.SITE, site), name="northerner")

    async def test_reading(self, two: AsyncClient, northerner: AsyncClient) -> None:
        """Interfaces of devices out of reach are in no list, count or search, and not found."""
        page = (await northerner.get(f"{URL}?q=Gi1/0/1")).json()
        assert page["count"] == 1
        assert await names(northerner, "site=south") == []
        assert await names(northerner, "device=sw0") == []
        hidden = f"{URL}/{(await one(two, 'Gi1/0/1', 'sw0'))['id']}"
        assert (await northerner.get(hidden)).status_code == 404
        assert (await northerner.get(f"{hidden}/history")).status_code == 404
        assert (await northerner.get(f"{DEVICES}/sw0/interfaces")).status_code == 404

    async def test_writing(self, two: AsyncClient, northerner: AsyncClient) -> None:
        """What is out of reach is as unknown as what is not there; what is in reach is written."""
        hidden = f"{URL}/{(await one(two, 'Gi1/0/1', 'sw0'))['id']}"
        assert (await northerner.patch(hidden, json={"monitored": "no"})).status_code == 404
        rows = [{"device": device, "name": "Gi1/0/1", "monitored": "no"} for device in ("sw0", "x")]
        response = await northerner.patch(URL, json=rows)
        assert {error["code"] for error in response.json()["errors"]} == {"unknown"}
        rows = [{"device": "sw1", "name": "Gi1/0/1", "monitored": "no"}]
        assert (await northerner.patch(URL, json=rows)).status_code == 200

    async def test_who_only_reads(self, two: AsyncClient, northerner: AsyncClient) -> None:
        """Who reads everywhere and writes in the north is refused in the south, row by row."""
        given = await two.post("/api/v1/users/northerner/grants", json={"role": "viewer"})
        assert given.status_code == 201, given.text
        south = await one(northerner, "Gi1/0/1", "sw0")
        response = await northerner.patch(f"{URL}/{south['id']}", json={"monitored": "no"})
        assert response.status_code == 403
        rows = [{"device": d, "name": "Gi1/0/1", "monitored": "no"} for d in ("sw1", "sw0")]
        response = await northerner.patch(URL, json=rows)
        assert response.status_code == 403
        assert [error["row"] for error in response.json()["errors"]] == [2]
