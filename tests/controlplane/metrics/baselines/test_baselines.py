"""Baselines over HTTP, and the rules that follow."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.metrics.baselines import service as baselines
from controlplane.metrics.baselines.models import Aggregate, By, Method
from controlplane.provisioning import promtool, service
from controlplane.settings import Settings
from rules import options
from tests.controlplane.conftest import Login, Sessions
from tests.tools import tool

URL = "/api/v1/baselines"
LOSS = {"name": "loss", "aggregate": "packet_loss", "method": "robust", "by": "role"}


async def recorded(sessions: Sessions, settings: Settings) -> set[tuple[str, str]]:
    """Give baseline and series of what the next rule set records for baselines."""
    async with sessions() as session:
        text = (await service.wanted(session, settings)).files["baselines.yml"]
    found = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return {(rule["labels"]["baseline"], rule["record"]) for rule in found if "record" in rule}


def test_the_words_are_those_of_rules() -> None:
    """What can be chosen is what rules can be made of."""
    assert tuple(Aggregate) == get_args(options.Aggregate)
    assert tuple(Method) == get_args(options.Method)
    assert tuple(By) == get_args(options.By)


async def test_the_life_of_a_baseline(
    client: AsyncClient, sessions: Sessions, settings: Settings
) -> None:
    """It is in the next rule set while it is there and switched on; each change is told."""
    assert await recorded(sessions, settings) == set()
    made = await client.post(URL, json=LOSS)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"'), made.text
    assert made.json().items() >= {**LOSS, "enabled": True, "description": ""}.items()
    assert (await client.post(URL, json=LOSS)).status_code == 409
    ends = ("value", "center", "variation", "tolerance", "band_upper", "band_lower")
    assert await recorded(sessions, settings) == {
        ("loss", f"baseline:aggregate:{end}") for end in ends
    }
    url, seen = f"{URL}/loss", {"If-Match": '"1"'}
    off = await client.patch(url, json={"enabled": False}, headers=seen)
    assert (off.status_code, off.headers["etag"]) == (200, '"2"')
    assert (await client.patch(url, json={"enabled": True}, headers=seen)).status_code == 412
    assert await recorded(sessions, settings) == set()
    history = (await client.get(f"{url}/history")).json()["results"]
    assert history[0]["fields"] == [{"field": "enabled", "before": True, "after": False}]
    assert (await client.delete(url)).status_code == 204
    assert (await client.get(url)).status_code == 404


async def test_every_choice_gives_rules(
    client: AsyncClient, sessions: Sessions, settings: Settings, tmp_path: Path
) -> None:
    """Prometheus' own checker takes each aggregate, method and kind of place."""
    for aggregate in Aggregate:
        for method, by in zip(Method, By, strict=True):
            name = f"{aggregate.value}.{by.value}"
            body = {"name": name, "aggregate": aggregate, "method": method, "by": by}
            assert (await client.post(URL, json=body)).status_code == 201
    async with sessions() as session:
        text = (await service.wanted(session, settings)).files["baselines.yml"]
    file = tmp_path / "baselines.yml"
    file.write_text(text)
    await promtool.check_rules(tool("promtool"), [file], 60)


async def test_there_are_few(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs Prometheus at every look, so that their number is bounded."""
    monkeypatch.setattr(baselines, "MOST", 1)
    assert (await client.post(URL, json=LOSS)).status_code == 201
    more = await client.post(URL, json={**LOSS, "name": "more"})
    assert (more.status_code, "remove one first" in more.text) == (409, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 'x"} or vector(1)'},
        {"name": "x\n"},
        {"aggregate": "weather"},
        {"aggregate": "sum(up)"},
        {"method": "oracle"},
        {"by": "device"},
        {"severity": "critical"},
        {"enabled": None},
    ],
)
async def test_what_is_refused(client: AsyncClient, changes: dict[str, Any]) -> None:
    """Words that are not on the list, and what no name can be."""
    assert (await client.post(URL, json={**LOSS, **changes})).status_code == 422


async def test_the_list(client: AsyncClient) -> None:
    """It is asked as any other list."""
    for number, aggregate in enumerate(Aggregate):
        body = {**LOSS, "name": f"b{number}", "aggregate": aggregate, "enabled": number > 0}
        await client.post(URL, json=body)
    for query, found in (
        ("aggregate=traffic&aggregate=packet_loss", ["b0", "b1"]),
        ("enabled=false", ["b0"]),
        ("by=site", []),
        ("q=B3&fields=name", ["b3"]),
        ("ordering=-name&limit=2", ["b3", "b2"]),
    ):
        page = (await client.get(f"{URL}?{query}")).json()
        assert [one["name"] for one in page["results"]] == found


async def test_who_may(client: AsyncClient, log_in: Login) -> None:
    """They are about all sites: who holds the permission at one alone is told nothing."""
    await client.post(URL, json=LOSS)
    operator = await log_in(Role.OPERATOR, name="operator")
    assert (await operator.get(f"{URL}/loss")).status_code == 200
    assert (await operator.post(URL, json={**LOSS, "name": "more"})).status_code == 403
    assert (await operator.delete(f"{URL}/loss")).status_code == 403
    site = (await client.post("/api/v1/sites", json={"name": "oslo"})).json()["id"]
    local = await log_in(Role.ADMIN, Scope(ScopeKind.SITE, site), name="local")
    assert (await local.get(URL)).status_code == 403
    assert (await local.get(f"{URL}/loss/history")).status_code == 404
