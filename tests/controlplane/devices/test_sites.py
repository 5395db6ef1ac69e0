"""Sites over HTTP."""

from httpx import AsyncClient

URL = "/api/v1/sites"


async def test_the_life_of_a_site(client: AsyncClient) -> None:
    """A site is added, listed, changed, kept while devices stand there, and removed."""
    demo = {"name": "demo", "description": "Where the lab is"}
    created = await client.post(URL, json=demo)
    assert created.status_code == 201
    assert (await client.post(URL, json=demo)).status_code == 409
    assert (await client.get(f"{URL}/demo")).json() == created.json()
    changed = await client.patch(f"{URL}/demo", json={"description": "The lab"})
    assert changed.json()["description"] == "The lab"
    assert (await client.patch(f"{URL}/demo", json={"description": None})).status_code == 422
    device = {"name": "core1", "address": "10.0.0.1", "site": "demo"}
    await client.post("/api/v1/devices", json=device)
    refused = await client.delete(f"{URL}/demo")
    assert refused.status_code == 409
    assert "core1" in refused.json()["detail"]
    await client.delete("/api/v1/devices/core1")
    assert (await client.delete(f"{URL}/demo")).status_code == 204
    assert (await client.get(URL)).json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }
    assert (await client.get(f"{URL}/demo")).status_code == 404
