"""Devices over HTTP."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient

URL = "/api/v1/devices"
CORE = {"name": "core1", "address": "127.0.1.11", "port": 1161, "vendor": "Arista"}
HOSTILE = [
    'x"} or vector(1) #',
    "core1\n",
    "core1\nalert: Evil",
    "{{ query }}",
    "core 1",
    "Core1",
    "-core",
    "",
    "a" * 64,
    "core1\x00",
    "..",
    "<img onerror=alert(1)>",
    "cöre",
]


async def add(client: AsyncClient, name: str, **fields: Any) -> None:
    response = await client.post(URL, json={"name": name, "address": "10.0.0.1", **fields})
    assert response.status_code == 201, response.text


class TestCreate:
    async def test_what_went_in_comes_out(self, client: AsyncClient) -> None:
        """The answer is the device, with defaults for the rest, and so is a later read."""
        created = await client.post(URL, json=CORE)
        assert created.status_code == 201, created.text
        read = (await client.get(f"{URL}/core1")).json()
        assert read == created.json()
        assert read["status"] == "active"
        assert read["version"] == 1
        assert (read["site"], read["role"], read["parents"]) == (None, None, [])

    async def test_name_is_unique(self, client: AsyncClient) -> None:
        """A second device of the same name is a conflict, not a 500."""
        await client.post(URL, json=CORE)
        assert (await client.post(URL, json=CORE)).status_code == 409

    @pytest.mark.parametrize("name", HOSTILE)
    async def test_hostile_names_are_refused(self, client: AsyncClient, name: str) -> None:
        """A name that could close a label, open a template or start a line does not get in."""
        response = await client.post(URL, json=CORE | {"name": name})
        assert response.status_code == 422
        assert [e["pointer"] for e in response.json()["errors"]] == ["/name"]

    @pytest.mark.parametrize("field", ["role", "vendor", "profile", "site"])
    @pytest.mark.parametrize("value", ['x"} or vector(1) #', "a\nb", "core\n", "{{ query }}"])
    async def test_hostile_labels_are_refused(
        self, client: AsyncClient, field: str, value: str
    ) -> None:
        """The same goes for everything else that becomes a label."""
        response = await client.post(URL, json=CORE | {field: value})
        assert response.status_code == 422
        assert [e["pointer"] for e in response.json()["errors"]] == [f"/{field}"]

    @pytest.mark.parametrize(
        ("address", "stored"),
        [
            ("10.1.2.3", "10.1.2.3"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("Core1.Example.net", "core1.example.net"),
            ("localhost", "localhost"),
        ],
    )
    async def test_addresses(self, client: AsyncClient, address: str, stored: str) -> None:
        """IPv4, IPv6 and host names are taken, in one spelling."""
        response = await client.post(URL, json=CORE | {"address": address})
        assert response.json()["address"] == stored

    @pytest.mark.parametrize(
        "address",
        ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4\n", "host\n", "a b", "http://x", "a..b",
         "-a", "fe80::1%eth0", "x" * 64, "a:b", "127.0.0.1:161", "../etc", "1.2.3.4/24"],
    )  # fmt: skip
    async def test_no_address(self, client: AsyncClient, address: str) -> None:
        """What is neither an address nor a host name is refused."""
        response = await client.post(URL, json=CORE | {"address": address})
        assert response.status_code == 422
        assert [e["pointer"] for e in response.json()["errors"]] == ["/address"]

    async def test_every_error_is_told_at_once(self, client: AsyncClient) -> None:
        """Unknown fields, wrong ports and unknown words come back together."""
        response = await client.post(
            URL, json={"name": "a", "port": 0, "status": "lost", "colour": 1}
        )
        pointers = {e["pointer"] for e in response.json()["errors"]}
        assert pointers == {"/address", "/port", "/status", "/colour"}

    async def test_unknown_references(self, client: AsyncClient) -> None:
        """Names that nothing has are pointed at, each of them."""
        response = await client.post(
            URL, json=CORE | {"site": "x", "credentials": ["y"], "parents": ["z"]}
        )
        assert response.status_code == 422
        pointers = {e["pointer"] for e in response.json()["errors"]}
        assert pointers == {"/site", "/credentials/0", "/parents/0"}
        assert (await client.get(URL)).json()["count"] == 0


class TestUpdate:
    @pytest.mark.usefixtures("roles")
    async def test_only_what_is_given_changes(self, client: AsyncClient) -> None:
        """The version counts changes; saying what is so already is none."""
        await client.post("/api/v1/sites", json={"name": "demo"})
        await client.post(URL, json=CORE | {"site": "demo"})
        changed = (await client.patch(f"{URL}/core1", json={"role": "core"})).json()
        assert (changed["role"], changed["site"], changed["version"]) == ("core", "demo", 2)
        same = (await client.patch(f"{URL}/core1", json={"role": "core"})).json()
        assert same == changed
        gone = (await client.patch(f"{URL}/core1", json={"site": None})).json()
        assert (gone["site"], gone["port"]) == (None, 1161)

    @pytest.mark.usefixtures("roles")
    async def test_a_stale_version_is_a_conflict(self, client: AsyncClient) -> None:
        """Who saw an older version does not overwrite the newer one."""
        await client.post(URL, json=CORE)
        await client.patch(f"{URL}/core1", json={"role": "core"})
        stale = await client.patch(f"{URL}/core1", json={"role": "edge", "version": 1})
        assert stale.status_code == 412
        fresh = await client.patch(f"{URL}/core1", json={"role": "edge", "version": 2})
        assert fresh.status_code == 200

    @pytest.mark.parametrize("field", ["address", "port", "vendor", "modules", "parents", "status"])
    async def test_null_is_no_value(self, client: AsyncClient, field: str) -> None:
        """Null where something must stand is invalid, not a 500."""
        await client.post(URL, json=CORE)
        response = await client.patch(f"{URL}/core1", json={field: None})
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == f"/{field}"

    async def test_credentials_keep_their_order(self, client: AsyncClient) -> None:
        """They are candidates, tried in the order given."""
        for name in ("a", "b", "c"):
            body = {"name": name, "version": 2, "community": "public"}
            await client.post("/api/v1/credentials", json=body)
        await client.post(URL, json=CORE | {"credentials": ["c", "a"]})
        changed = await client.patch(f"{URL}/core1", json={"credentials": ["b", "c", "a"]})
        assert changed.json()["credentials"] == ["b", "c", "a"]
        twice = await client.patch(f"{URL}/core1", json={"credentials": ["b", "b"]})
        assert twice.status_code == 422


class TestParents:
    async def test_a_cycle_is_printed(self, client: AsyncClient) -> None:
        """Parents that lead back are refused with the way, and nothing changes."""
        await add(client, "a")
        await add(client, "b", parents=["a"])
        await add(client, "c", parents=["b"])
        response = await client.patch(f"{URL}/a", json={"parents": ["c"]})
        assert response.status_code == 422
        assert "a -> c -> b -> a" in response.json()["detail"]
        assert (await client.get(f"{URL}/a")).json()["parents"] == []

    async def test_nobody_is_their_own_parent(self, client: AsyncClient) -> None:
        """The shortest cycle is one, too."""
        await add(client, "a")
        response = await client.patch(f"{URL}/a", json={"parents": ["a"]})
        assert response.status_code == 422

    async def test_a_parent_stays(self, client: AsyncClient) -> None:
        """A device behind which others stand cannot be removed, and the refusal names them."""
        await add(client, "a")
        await add(client, "b", parents=["a"])
        response = await client.delete(f"{URL}/a")
        assert response.status_code == 409
        assert "b" in response.json()["detail"]
        assert (await client.delete(f"{URL}/b")).status_code == 204
        assert (await client.delete(f"{URL}/a")).status_code == 204


class TestList:
    async def test_pages(self, client: AsyncClient) -> None:
        """Following `next` gives every device once; `previous` leads back."""
        for index in range(5):
            await add(client, f"d{index}")
        seen, url = [], f"{URL}?limit=2&ordering=-name"
        while url:
            page = (await client.get(url)).json()
            assert page["count"] == 5
            seen += [device["name"] for device in page["results"]]
            url = page["next"]
        assert seen == ["d4", "d3", "d2", "d1", "d0"]
        assert page["previous"] == f"{URL}?ordering=-name&limit=2&offset=2"

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("name=core1", ["core1"]),
            ("site=demo", ["core1"]),
            ("site=nowhere", []),
            ("role=access", ["acc1", "acc2"]),
            ("vendor=Arista", ["core1"]),
            ("status=planned", ["acc2"]),
            ("role=access&status=active", ["acc1"]),
            ("q=ACC", ["acc1", "acc2"]),
            ("q=10.0.0.", ["acc1", "acc2", "core1"]),
            ("q=%25", []),
            ("q=_", []),
        ],
    )
    @pytest.mark.usefixtures("roles")
    async def test_filters(self, client: AsyncClient, query: str, names: list[str]) -> None:
        """Filters narrow the list, all of them together; `q` takes no wildcards."""
        await client.post("/api/v1/sites", json={"name": "demo"})
        await add(client, "core1", site="demo", vendor="Arista")
        await add(client, "acc1", role="access")
        await add(client, "acc2", role="access", status="planned")
        results = (await client.get(f"{URL}?{query}")).json()["results"]
        assert [device["name"] for device in results] == names

    async def test_once(self, client: AsyncClient, statements: list[str]) -> None:
        """What filters find is counted and put in order from one look; all is never gathered."""
        await client.get(f"{URL}?q=core")
        assert sum("WITH found AS" in statement for statement in statements) == 1
        statements.clear()
        await client.get(URL)
        assert not any("found AS" in statement for statement in statements)

    @pytest.mark.parametrize(
        "query",
        ["colour=red", "limit=0", "limit=1001", "offset=-1", "ordering=password", "status=lost",
         "name=A", "q=%00", "offset=99999999999999999999", "sites=demo"],
    )  # fmt: skip
    async def test_a_wrong_query_is_refused(self, client: AsyncClient, query: str) -> None:
        """A misspelt filter is an error, never the whole list."""
        response = await client.get(f"{URL}?{query}")
        assert response.status_code == 422
        name = query.partition("=")[0]
        assert response.json()["errors"][0]["pointer"] in {f"/query/{name}", f"/query/{name}/0"}


class TestAtOnce:
    async def test_one_of_many_creates(self, client: AsyncClient) -> None:
        """Of several creations at once one wins and the others are conflicts."""
        answers = await asyncio.gather(*(client.post(URL, json=CORE) for _ in range(6)))
        assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409, 409]

    async def test_two_halves_of_a_cycle(self, client: AsyncClient) -> None:
        """Two changes that only together close a cycle do not both get in."""
        await add(client, "a")
        await add(client, "b")
        answers = await asyncio.gather(
            client.patch(f"{URL}/a", json={"parents": ["b"]}),
            client.patch(f"{URL}/b", json={"parents": ["a"]}),
        )
        assert sorted(a.status_code for a in answers) == [200, 422]

    @pytest.mark.usefixtures("roles")
    async def test_removing_twice(self, client: AsyncClient) -> None:
        """Of removals and changes at once, those that come too late find nothing."""
        await add(client, "a")
        answers = await asyncio.gather(
            *(client.delete(f"{URL}/a") for _ in range(3)),
            client.patch(f"{URL}/a", json={"role": "core"}),
        )
        assert sorted(a.status_code for a in answers[:3]) == [204, 404, 404]
        assert answers[3].status_code in {200, 404}
