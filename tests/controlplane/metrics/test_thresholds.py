"""Thresholds over HTTP: what is set for whom, and what is in force for a device."""

from typing import Any

import pytest
from httpx import AsyncClient

from controlplane.auth.actor import Scope, ScopeKind
from controlplane.auth.permissions import Role
from controlplane.metrics import thresholds
from controlplane.metrics.models import Metric
from tests.controlplane.conftest import Login

URL = "/api/v1/thresholds"
DEVICES, GROUPS = "/api/v1/devices", "/api/v1/device-groups"
INVENTORY = {
    "sites": [
        {"name": "north"},
        {"name": "building", "parent": "north"},
        {"name": "room", "parent": "building"},
        {"name": "south"},
    ],
    "device_roles": [{"name": "core"}, {"name": "edge"}],
    "devices": [
        {"name": "core1", "address": "10.0.0.1", "site": "room", "role": "core", "tags": ["old"]},
        {"name": "edge1", "address": "10.0.0.2", "site": "south", "role": "edge"},
    ],
}


@pytest.fixture
async def inventory(client: AsyncClient) -> None:
    imported = await client.post(f"{DEVICES}/import", json=INVENTORY)
    assert imported.status_code == 200, imported.text
    for name, asked in (("cores", {"roles": ["core"]}), ("old", {"tags_any": ["old"]})):
        made = await client.post(GROUPS, json={"name": name, "filter": asked})
        assert made.status_code == 201, made.text


async def put(client: AsyncClient, low: float, high: float, **about: Any) -> dict[str, Any]:
    """Set thresholds of the temperature."""
    (scope,) = [name for name in about if name != "weight"] or ["all"]
    body = {"scope": scope, "metric": "temperature", "warning": low, "critical": high, **about}
    response = await client.post(URL, json=body)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def counts(
    client: AsyncClient, device: str = "core1"
) -> tuple[float, float, str, str | None]:
    """Give the temperatures in force for a device, and who says so."""
    response = await client.get(f"{DEVICES}/{device}/thresholds")
    (found,) = [one for one in response.json() if one["metric"] == "temperature"]
    return found["warning"], found["critical"], found["source"]["scope"], found["source"]["name"]


async def test_defaults(client: AsyncClient) -> None:
    """Every metric has thresholds before anyone sets some, and tells its unit and bounds."""
    defaults = {one["metric"]: one for one in (await client.get(f"{URL}/defaults")).json()}
    assert defaults.keys() == {metric.value for metric in Metric}
    assert defaults["temperature"] == {
        "metric": "temperature",
        "unit": "celsius",
        "low": -100,
        "high": 300,
        "warning": 65,
        "critical": 80,
    }
    for metric, entry in thresholds.DEFAULTS.items():
        thresholds.check(metric, entry.warning, entry.critical)
    assert (await client.get(URL)).json()["count"] == 0


@pytest.mark.usefixtures("inventory")
async def test_the_narrower_scope_counts(client: AsyncClient) -> None:
    """Default, all, role, site from the top down, group, device: each goes before the last."""
    assert await counts(client) == (65, 80, "default", None)
    made = []
    for temperature, about in enumerate(
        (
            *({}, {"role": "core"}, {"site": "north"}, {"site": "building"}, {"site": "room"}),
            *({"group": "cores"}, {"device": "core1"}),
        )
    ):
        made.append(await put(client, temperature + 30, 90, **about))
        (scope, name) = next(iter(about.items()), ("all", None))
        assert await counts(client) == (temperature + 30, 90, scope, name)
    assert await counts(client, "edge1") == (30, 90, "all", None)

    for one in reversed(made):
        warning, critical, *_ = await counts(client)
        assert (warning, critical) == (one["warning"], one["critical"])
        assert (await client.delete(f"{URL}/{one['id']}")).status_code == 204
    assert await counts(client) == (65, 80, "default", None)


@pytest.mark.usefixtures("inventory")
async def test_of_several_groups_the_heaviest_counts(client: AsyncClient) -> None:
    """Weight decides, and between equals the strictest: never the order in which they came."""
    cores = await put(client, 40, 90, group="cores")
    old = await put(client, 35, 95, group="old")
    assert await counts(client) == (35, 95, "group", "old")
    await client.patch(f"{URL}/{cores['id']}", json={"weight": 1})
    assert await counts(client) == (40, 90, "group", "cores")
    await client.patch(f"{URL}/{old['id']}", json={"weight": 2})
    assert await counts(client) == (35, 95, "group", "old")


@pytest.mark.usefixtures("inventory")
async def test_both_values_come_from_one_scope(client: AsyncClient) -> None:
    """No change of a wider threshold can put a device's warning above its critical."""
    await put(client, 50, 55, device="core1")
    await put(client, 60, 100)
    assert await counts(client) == (50, 55, "device", "core1")


@pytest.mark.usefixtures("inventory")
async def test_a_device_that_changes_follows(client: AsyncClient) -> None:
    """Another site, role or tag has other thresholds count at once."""
    await put(client, 40, 90, site="south")
    await put(client, 41, 90, role="edge")
    await put(client, 42, 90, group="old")
    assert await counts(client, "edge1") == (40, 90, "site", "south")
    for change, expected in (
        ({"tags": ["old"]}, (42, 90, "group", "old")),
        ({"tags": [], "site": None}, (41, 90, "role", "edge")),
        ({"role": None}, (65, 80, "default", None)),
    ):
        assert (await client.patch(f"{DEVICES}/edge1", json=change)).status_code == 200
        assert await counts(client, "edge1") == expected


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"warning": 90}, "/warning"),
        ({"warning": -100}, "/warning"),
        ({"critical": 1000}, "/critical"),
        ({"critical": 50}, "/warning"),
        ({"warning": "hot"}, "/warning"),
        ({"warning": None}, "/warning"),
        ({"unit": "F"}, "/unit"),
        ({"metric": "humidity"}, "/metric"),
        ({"metric": "cpu_utilization"}, "/warning"),
        ({"scope": "rack"}, "/scope"),
        ({"scope": "site"}, ""),
        ({"role": "core"}, ""),
        ({"scope": "site", "site": "nowhere"}, "/site"),
        ({"scope": "group", "group": "nobody"}, "/group"),
        ({"scope": "device", "device": "none"}, "/device"),
        ({"scope": "role", "role": ""}, "/role"),
        ({"scope": "role", "role": "nowhere"}, "/role"),
        ({"scope": "role", "role": 'x"} 1'}, "/role"),
        ({"weight": 1}, ""),
        ({"weight": 1001}, "/weight"),
    ],
)
async def test_senseless_thresholds(
    client: AsyncClient, changes: dict[str, Any], pointer: str
) -> None:
    """Percent for a ratio, warning at or above critical, unknown words and names: refused."""
    body = {"scope": "all", "metric": "temperature", "warning": 60, "critical": 80, **changes}
    response = await client.post(URL, json=body)
    assert response.status_code == 422, response.text
    assert pointer in {error["pointer"] for error in response.json()["errors"]}


async def test_the_life_of_a_threshold(client: AsyncClient) -> None:
    """It is set once for a scope, changed as it was seen, told, and taken back."""
    made = await put(client, 60, 80)
    again = await client.post(
        URL, json={"scope": "all", "metric": "temperature", "warning": 50, "critical": 70}
    )
    assert again.status_code == 409
    url = f"{URL}/{made['id']}"
    etag = (await client.get(url)).headers["etag"]
    changed = await client.patch(url, json={"warning": 55}, headers={"If-Match": etag})
    assert (changed.json()["warning"], changed.headers["etag"]) == (55, '"2"')
    stale = await client.patch(url, json={"warning": 50}, headers={"If-Match": etag})
    assert stale.status_code == 412
    for refused in ({"warning": 80}, {"critical": 55}, {"weight": 1}, {"scope": "role"}):
        assert (await client.patch(url, json=refused)).status_code == 422, refused
    assert (await client.delete(url, headers={"If-Match": etag})).status_code == 412

    history = (await client.get(f"{url}/history")).json()["results"]
    assert history[0]["fields"] == [{"field": "warning", "before": 60, "after": 55}]
    assert history[0]["name"] == "temperature of all devices"
    assert (await client.delete(url)).status_code == 204
    assert (await client.get(url)).status_code == 404


async def test_a_request_that_is_sent_again_sets_one(client: AsyncClient) -> None:
    """A retry with its key gets the first answer."""
    body = {"scope": "all", "metric": "jitter", "warning": 0.01, "critical": 0.02}
    key = {"Idempotency-Key": "0f6c1d2e-33f1-4c59-9d3a-0f2f3d4c5b6a"}
    answers = [await client.post(URL, json=body, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]


@pytest.mark.usefixtures("inventory")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("scope=site&scope=all", {30, 32}),
        ("metric=temperature&scope__n=all", {31, 32, 33, 34}),
        ("role__sw=co", {31}),
        ("site=room", {32}),
        ("group=cores", {33}),
        ("device__in=core1,edge1", {34}),
        ("device__isnull=true&role__isnull=true&group__isnull=true", {30, 32}),
        ("weight__gte=5", {33}),
        ("q=OO", {32}),
        ("q=core", {31, 33, 34}),
        ("metric=jitter", set()),
    ],
)
async def test_the_list(client: AsyncClient, query: str, found: set[int]) -> None:
    """It is asked by scope, metric and what the scope is about."""
    scopes: list[dict[str, Any]] = [
        *({}, {"role": "core"}, {"site": "room"}),
        *({"group": "cores", "weight": 5}, {"device": "core1"}),
    ]
    for number, about in enumerate(scopes):
        await put(client, 30 + number, 90, **about)
    page = (await client.get(f"{URL}?{query}")).json()
    assert {one["warning"] for one in page["results"]} == found
    assert page["count"] == len(found)


@pytest.mark.usefixtures("inventory")
async def test_the_list_in_pages(client: AsyncClient) -> None:
    """Pages by cursor in any order, with the fields that are asked for."""
    for site in ("north", "room", "south"):
        await put(client, 40, 90, site=site)
    url, seen = f"{URL}?ordering=-scope,metric,updated_at&fields=site,id&limit=1&cursor=", []
    while url:
        page = (await client.get(url)).json()
        seen += [one["site"] for one in page["results"]]
        url = page["next"]
    assert seen == ["north", "room", "south"]
    assert (await client.get(f"{URL}?ordering=warning")).status_code == 422


@pytest.mark.usefixtures("inventory")
async def test_thresholds_go_with_what_they_are_for(client: AsyncClient) -> None:
    """A device, group or site of the same name added later begins without."""
    await put(client, 40, 90, device="core1")
    await put(client, 41, 90, group="old")
    await put(client, 42, 90, site="south")
    for path in (f"{DEVICES}/core1", f"{GROUPS}/old", f"{DEVICES}/edge1", "/api/v1/sites/south"):
        assert (await client.delete(path)).status_code == 204
    assert (await client.get(URL)).json()["count"] == 0
    assert (await client.get(f"{DEVICES}/core1/thresholds")).status_code == 404


class TestScope:
    """Who sees the north alone: what they see, and what they may set."""

    @pytest.fixture
    async def northerner(self, client: AsyncClient, inventory: None, log_in: Login) -> AsyncClient:  # noqa: ARG002
        """Give somebody who operates the building in the north."""
        building = (await client.get("/api/v1/sites/building")).json()["id"]
        asked = {"site": "building", "roles": ["core"]}
        await client.post(GROUPS, json={"name": "ours", "filter": asked})
        scope = Scope(ScopeKind.SITE, building)
        return await log_in(Role.OPERATOR, scope, name="northerner")

    async def test_what_is_seen(self, client: AsyncClient, northerner: AsyncClient) -> None:
        """The common ones, and those of sites, groups and devices in reach; no other's name."""
        for about in (
            *({}, {"role": "core"}, {"role": "edge"}, {"site": "north"}, {"site": "building"}),
            *({"site": "south"}, {"group": "old"}, {"group": "ours"}, {"device": "edge1"}),
        ):
            await put(client, 40, 90, **about)
        await put(client, 41, 90, device="core1")
        page = await northerner.get(URL)
        seen = {
            one["role"] or one["site"] or one["group"] or one["device"]
            for one in page.json()["results"]
        }
        assert seen == {None, "core", "building", "ours", "core1"}
        assert page.json()["count"] == len(seen)
        for hidden in ("role=edge", "site=south", "group=old", "device=edge1", "q=edge"):
            assert (await northerner.get(f"{URL}?{hidden}")).json()["count"] == 0
        assert (await northerner.get(f"{DEVICES}/edge1/thresholds")).status_code == 404

    async def test_a_source_out_of_reach_has_no_name(
        self, client: AsyncClient, northerner: AsyncClient
    ) -> None:
        """A threshold of the site above counts, and its name is not told."""
        made = await put(client, 40, 90, site="north")
        assert await counts(northerner) == (40, 90, "site", None)
        for path in (f"{URL}/{made['id']}", f"{URL}/{made['id']}/history"):
            assert (await northerner.get(path)).status_code == 404
        assert (await northerner.delete(f"{URL}/{made['id']}")).status_code == 404

    async def test_what_may_be_set(self, client: AsyncClient, northerner: AsyncClient) -> None:
        """What is theirs: not all devices, not a role, which may be anywhere, not the south."""
        for about in ({"site": "room"}, {"group": "ours"}, {"device": "core1"}):
            made = await put(northerner, 40, 90, **about)
            url = f"{URL}/{made['id']}"
            assert (await northerner.patch(url, json={"warning": 41})).status_code == 200
        body = {"metric": "temperature", "warning": 40, "critical": 90}
        for about, status in (
            ({"scope": "all"}, 403),
            ({"scope": "role", "role": "core"}, 403),
            ({"scope": "site", "site": "north"}, 422),
            ({"scope": "site", "site": "south"}, 422),
            ({"scope": "group", "group": "old"}, 422),
            ({"scope": "device", "device": "edge1"}, 422),
        ):
            refused = await northerner.post(URL, json={**body, **about})
            assert refused.status_code == status, (about, refused.text)
        common = await put(client, 50, 90)
        url = f"{URL}/{common['id']}"
        assert (await northerner.get(url)).status_code == 200
        assert (await northerner.patch(url, json={"warning": 45})).status_code == 403
        assert (await northerner.delete(url)).status_code == 403
