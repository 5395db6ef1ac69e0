"""Two writers on one object: one of them learns that what it saw is no more."""

import asyncio

import pytest
from httpx import AsyncClient

DEVICE = ("/api/v1/devices", {"name": "one", "address": "10.0.0.1"}, "role", ("core", "edge"))
SITE = ("/api/v1/sites", {"name": "one"}, "description", ("here", "there"))
GROUP = ("/api/v1/device-groups", {"name": "one", "filter": {"roles": ["core"]}}, *SITE[2:])
SSH = {"name": "one", "kind": "ssh", "username": "root", "password": "s3cret-of-ssh"}
CREDENTIAL = ("/api/v1/credentials", SSH, "username", ("here", "there"))
WORK = {"name": "one", "starts_at": "2100-01-01T00:00:00", "duration": 3600, "tags": ["lab"]}
WINDOW = ("/api/v1/maintenance", WORK, *SITE[2:])
KINDS = pytest.mark.parametrize(
    ("url", "body", "field", "values"), [DEVICE, SITE, GROUP, CREDENTIAL, WINDOW]
)


@KINDS
@pytest.mark.usefixtures("roles")
class TestTwoWriters:
    async def test_one_of_two_at_the_same_time_loses(
        self,
        client: AsyncClient,
        url: str,
        body: dict[str, object],
        field: str,
        values: tuple[str, str],
    ) -> None:
        """Of two writers who read the same version one writes, and the other gets its ETag."""
        seen = (await client.post(url, json=body)).headers["ETag"]
        answers = await asyncio.gather(
            *(
                client.patch(f"{url}/one", json={field: value}, headers={"If-Match": seen})
                for value in values
            )
        )
        assert sorted(a.status_code for a in answers) == [200, 412]
        lost = next(a for a in answers if a.status_code == 412)
        won = next(a for a in answers if a.status_code == 200)
        read = await client.get(f"{url}/one")
        assert lost.headers["ETag"] == won.headers["ETag"] == read.headers["ETag"] == '"2"'
        assert read.json()[field] == won.json()[field]

    async def test_the_loser_tries_again(
        self,
        client: AsyncClient,
        url: str,
        body: dict[str, object],
        field: str,
        values: tuple[str, str],
    ) -> None:
        """With the ETag of the refusal the write goes through; with an old one nothing goes."""
        seen = {"If-Match": (await client.post(url, json=body)).headers["ETag"]}
        await client.patch(f"{url}/one", json={field: values[0]}, headers=seen)
        lost = await client.delete(f"{url}/one", headers=seen)
        assert lost.status_code == 412
        headers = {"If-Match": lost.headers["ETag"]}
        again = await client.patch(f"{url}/one", json={field: values[1]}, headers=headers)
        assert again.status_code == 200
        last = {"If-Match": again.headers["ETag"]}
        assert (await client.delete(f"{url}/one", headers=last)).status_code == 204
