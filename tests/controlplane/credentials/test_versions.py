"""A credential is rotated in stages, and no device is lost on the way."""

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text

from controlplane.auth.permissions import Permission
from tests.controlplane.conftest import Service, Sessions
from tests.controlplane.credentials.test_credentials import LAB, URL, V3

VERSIONS = f"{URL}/lab/versions"
NEXT = {"community": "s3cret-next"}


def states(answer: Response) -> list[tuple[int, str]]:
    return [(version["number"], version["state"]) for version in answer.json()]


@pytest.fixture
async def lab(client: AsyncClient) -> AsyncClient:
    """Give a client, and a device that is asked with two credentials."""
    for credential in (LAB, V3):
        assert (await client.post(URL, json=credential)).status_code == 201
    device = {"name": "sw1", "address": "10.0.0.1", "credentials": ["lab", "core"]}
    assert (await client.post("/api/v1/devices", json=device)).status_code == 201
    return client


async def test_from_staged_to_retired(lab: AsyncClient, service: Service) -> None:
    """The exporter tries the version in force, then the one that waits, until it is gone."""
    exporter = await service(Permission.SNAPSHOT_READ)

    async def tried() -> dict[str, str]:
        snapshot = (await exporter.get("/api/v1/exporter/snapshot")).json()
        candidates = snapshot["devices"]["sw1"]["auths"]
        assert snapshot["auths"].keys() == set(candidates)
        return {name: snapshot["auths"][name].get("community", "") for name in candidates}

    old, new = "s3cret-community", "s3cret-next"
    staged = await lab.post(VERSIONS, json=NEXT)
    assert staged.status_code == 201
    assert (staged.json()["number"], staged.json()["state"]) == (2, "staged")
    assert await tried() == {"lab": old, "lab@2": new, "core": ""}

    promoted = await lab.post(f"{VERSIONS}/2/promote")
    assert [(v["number"], v["state"]) for v in promoted.json()] == [
        (2, "in_force"),
        (1, "fallback"),
    ]
    assert await tried() == {"lab": new, "lab@1": old, "core": ""}

    assert (await lab.delete(f"{VERSIONS}/1")).status_code == 204
    assert await tried() == {"lab": new, "core": ""}
    assert (await lab.get(f"{URL}/lab")).json()["number"] == 2
    assert (await lab.post(VERSIONS, json=NEXT)).json()["number"] == 3, "numbers are not used again"


async def test_the_way_back(lab: AsyncClient) -> None:
    """Promoting the fallback puts it in force again, and the other is staged as before."""
    await lab.post(VERSIONS, json=NEXT)
    await lab.post(f"{VERSIONS}/2/promote")
    back = await lab.post(f"{VERSIONS}/1/promote")
    assert states(back) == [(1, "in_force"), (2, "staged")]
    assert back.json() == (await lab.get(VERSIONS)).json()


async def test_what_cannot_be_done(lab: AsyncClient) -> None:
    """One version waits at most, the one in force is not retired, and half a one is not staged."""
    assert (await lab.post(f"{URL}/core/versions", json={"password": "short"})).status_code == 422
    assert (await lab.post(VERSIONS, json=NEXT)).status_code == 201
    assert (await lab.post(VERSIONS, json=NEXT)).status_code == 409
    for method, path in (("POST", f"{VERSIONS}/1/promote"), ("DELETE", f"{VERSIONS}/1")):
        assert (await lab.request(method, path)).status_code == 409
    assert (await lab.post(f"{VERSIONS}/7/promote")).status_code == 404
    assert (await lab.delete(f"{URL}/none/versions/1")).status_code == 404


async def test_versions_show_no_secret(lab: AsyncClient, sessions: Sessions) -> None:
    """Not in an answer, and not in a row; what is retired is gone from the table."""
    answers = [
        await lab.post(VERSIONS, json=NEXT),
        await lab.get(VERSIONS),
        await lab.post(f"{VERSIONS}/2/promote"),
    ]
    assert not any("s3cret" in answer.text for answer in answers)
    async with sessions() as session:
        raw = (await session.execute(text("SELECT * FROM credential_versions"))).all()
        audit = (await session.execute(text("SELECT * FROM audit_entries"))).all()
    assert len(raw) == 1
    assert "s3cret" not in repr(raw) + repr(audit)
    await lab.delete(f"{VERSIONS}/1")
    async with sessions() as session:
        assert not (await session.execute(text("SELECT * FROM credential_versions"))).all()


async def test_a_deleted_credential_takes_its_versions_along(lab: AsyncClient) -> None:
    """Nothing of it stays behind."""
    await lab.post(VERSIONS, json=NEXT)
    await lab.patch("/api/v1/devices/sw1", json={"credentials": []})
    assert (await lab.delete(f"{URL}/lab")).status_code == 204
    await lab.post(URL, json=LAB)
    assert [v["number"] for v in (await lab.get(VERSIONS)).json()] == [1]
