"""The query of a list, as a request gives it."""

import pytest
from httpx import AsyncClient

DEVICES = "/api/v1/devices"


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin of three devices."""
    for number in range(3):
        body = {"name": f"d{number}", "address": f"10.0.0.{number}"}
        assert (await client.post(DEVICES, json=body)).status_code == 201
    return client


async def test_the_last_of_several_counts(inventory: AsyncClient) -> None:
    """Of what is asked once, the last word counts; of what may be repeated, every one."""
    found = await inventory.get(f"{DEVICES}?limit=3&limit=1&name=d1&name=d2")
    assert found.json()["count"] == 2
    assert [device["name"] for device in found.json()["results"]] == ["d1"]


async def test_every_mistake_is_told(inventory: AsyncClient) -> None:
    """All that is wrong is told at once, each with its parameter, and where it stands in a list."""
    refused = await inventory.get(f"{DEVICES}?limit=x&offset=-1&status=active&status=lost")
    assert refused.status_code == 422
    wrong = {error["pointer"] for error in refused.json()["errors"]}
    assert wrong == {"/query/limit", "/query/offset", "/query/status/1"}


async def test_nothing_is_told_before_the_login(anonymous: AsyncClient) -> None:
    """Who is not logged in learns nothing of what may be asked."""
    assert (await anonymous.get(f"{DEVICES}?limit=x")).status_code == 401
