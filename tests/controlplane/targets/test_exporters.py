"""Exporters share the devices."""

from collections import Counter
from uuid import uuid4

import pytest
from httpx import AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from controlplane.auth.permissions import Permission, Role
from controlplane.errors import Unavailable
from controlplane.targets import sharding
from controlplane.targets.exporters.assignment import Assignment, Member
from tests.controlplane.conftest import Login, Service

URL = "/api/v1/exporters"
SNAPSHOT = "/api/v1/exporter/snapshot"
DEVICES = [f"d{i}" for i in range(400)]
PARIS, LYON, BERLIN = uuid4(), uuid4(), uuid4()
FRANCE = uuid4()
SITES = {PARIS: FRANCE, LYON: FRANCE, BERLIN: None, FRANCE: None}


def sharing(*members: Member) -> Assignment:
    return Assignment(members, SITES)


def member(name: str, **fields: object) -> Member:
    return Member(name, f"{name}:9116", **fields)  # type: ignore[arg-type]


async def asked_by(service: Service) -> dict[str, str]:
    groups = (await (await service(Permission.TARGETS_READ)).get("/api/v1/targets/0")).json()
    return {g["labels"]["device"]: g["labels"]["__meta_chm_exporter"] for g in groups}


async def fill(client: AsyncClient) -> None:
    devices = [{"name": name, "address": "10.0.0.1"} for name in DEVICES[:60]]
    answer = await client.post("/api/v1/devices/import", json={"devices": devices})
    assert answer.status_code == 200, answer.text


members = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True)
weights = st.integers(1, 5)


@given(members, st.data())
def test_a_member_moves_only_its_share(names: list[str], data: st.DataObject) -> None:
    """Whatever the weights: what one that goes had is shared out, and nothing else moves."""
    weighted = {name: data.draw(weights) for name in names}
    gone = names[0]
    left = {name: weight for name, weight in weighted.items() if name != gone}
    for device in DEVICES[:100]:
        before, after = (sharding.ranked(device, w)[0] for w in (weighted, left))
        assert before in {gone, after}


def test_weights_are_shares() -> None:
    """An exporter of three times the weight gets three times the devices."""
    counted = Counter(sharding.ranked(f"d{i}", {"a": 1, "b": 3})[0] for i in range(4000))
    assert 2850 < counted["b"] < 3150


def test_the_one_who_asks_has_known_it_before() -> None:
    """Whoever gets a device when an exporter goes knew it, and whoever lost it to one that came."""
    three = sharing(member("a"), member("b"), member("c"))
    two = sharing(member("a"), member("b"))
    for device in DEVICES:
        assert two.owner(device, None) in three.holders(device, None)
        assert two.owner(device, None) in sharing(member("a"), member("b")).holders(device, None)
        assert three.owner(device, None) in three.holders(device, None)


def test_draining_moves_only_its_devices_and_forgets_none() -> None:
    """One that is drained gets nothing, and knows all that it asked, until it is removed."""
    before = sharing(member("a"), member("b"), member("c"))
    after = sharing(member("a"), member("b"), member("c", draining=True))
    for device in DEVICES:
        old, new = before.owner(device, None), after.owner(device, None)
        assert new.name != "c"
        assert new == old or old.name == "c"
        if old.name == "c":
            assert "c" in {m.name for m in after.holders(device, None)}


def test_a_site_has_its_own() -> None:
    """Devices are asked from their site, else from above, else from an exporter of no site."""
    every = sharing(member("paris", site=PARIS), member("france", site=FRANCE), member("any"))
    assert every.owner("d", PARIS).name == "paris"
    assert every.owner("d", LYON).name == "france"
    assert every.owner("d", BERLIN).name == every.owner("d", None).name == "any"
    only = sharing(member("paris", site=PARIS))
    assert only.owner("d", BERLIN).name == "paris"
    with pytest.raises(Unavailable):
        sharing(member("a", draining=True)).owner("d", None)


async def test_the_life_of_an_exporter(client: AsyncClient, service: Service) -> None:
    """It is registered draining, gets its share, gives it back, and is removed."""
    await fill(client)
    new = {"name": "second", "address": "10.1.1.1:9116", "draining": True}
    assert (await client.post(URL, json=new)).json()["devices"] == 0
    assert set((await asked_by(service)).values()) == {"127.0.0.1:9116"}
    exporter = await service(Permission.SNAPSHOT_READ)
    known = (await exporter.get(SNAPSHOT, params={"exporter": "second"})).json()["devices"]

    assert (await client.patch(f"{URL}/second", json={"draining": False})).status_code == 200
    mine = {d for d, by in (await asked_by(service)).items() if by == "10.1.1.1:9116"}
    assert 15 < len(mine) < 45
    assert mine <= known.keys()
    listed = {e["name"]: e for e in (await client.get(URL)).json()}
    assert listed["second"]["devices"] == len(mine)
    assert listed["settings-1"]["source"] == "settings"

    assert (await client.delete(f"{URL}/second")).status_code == 204
    assert set((await asked_by(service)).values()) == {"127.0.0.1:9116"}
    entries = (await client.get("/api/v1/audit?object_type=exporter")).json()["results"]
    assert {entry["action"] for entry in entries} == {"data.create", "data.update", "data.delete"}


async def test_a_snapshot_holds_what_its_exporter_needs(
    client: AsyncClient, service: Service
) -> None:
    """With three exporters each knows its own devices and those it stands by for, and no others."""
    await fill(client)
    for number in (2, 3):
        new = {"name": f"e{number}", "address": f"10.1.1.{number}:9116"}
        assert (await client.post(URL, json=new)).status_code == 201
    owners = await asked_by(service)
    exporter = await service(Permission.SNAPSHOT_READ)
    every = (await exporter.get(SNAPSHOT)).json()
    whole, known = every["devices"], {}
    for name in ("settings-1", "e2", "e3"):
        answer = (await exporter.get(SNAPSHOT, params={"exporter": name})).json()
        known[name] = answer["devices"].keys()
        assert answer["alerts"] == every["alerts"]
    assert {d for d, by in owners.items() if by == "10.1.1.2:9116"} <= known["e2"]
    assert all(sum(device in names for names in known.values()) == 2 for device in whole)
    assert (await exporter.get(SNAPSHOT, params={"exporter": "no"})).status_code == 404


async def test_each_is_watched(client: AsyncClient, service: Service) -> None:
    """Prometheus scrapes what each exporter says of itself, also one that is draining."""
    new = {"name": "second", "address": "[2001:db8::5]:9116", "draining": True}
    assert (await client.post(URL, json=new)).status_code == 201
    prometheus = await service(Permission.TARGETS_READ)
    found = (await prometheus.get("/api/v1/targets/exporters")).json()
    assert found == [{"targets": ["127.0.0.1:9116", "[2001:db8::5]:9116"]}]


async def test_a_token_of_its_own(client: AsyncClient, service: Service) -> None:
    """A token that is named as an exporter opens the snapshot of that one alone."""
    await fill(client)
    await client.post(URL, json={"name": "a-service", "address": "10.1.1.1:9116", "weight": 2})
    exporter = await service(Permission.SNAPSHOT_READ)
    own = (await exporter.get(SNAPSHOT, params={"exporter": "a-service"})).json()
    assert (await exporter.get(SNAPSHOT)).json() == own
    other = await exporter.get(SNAPSHOT, params={"exporter": "settings-1"})
    assert other.status_code == 403


async def test_what_cannot_be(client: AsyncClient) -> None:
    """Names and addresses are taken once; those of the settings stay; somebody must be left."""
    new = {"name": "a", "address": "127.0.0.1:9116"}
    assert (await client.post(URL, json={**new, "draining": True})).status_code == 409
    assert (await client.delete(f"{URL}/settings-1")).status_code == 409
    assert (await client.post(URL, json=new)).status_code == 201
    assert [e["name"] for e in (await client.get(URL)).json()] == ["a"]
    assert (await client.post(URL, json={**new, "name": "b"})).status_code == 409
    assert (await client.patch(f"{URL}/a", json={"draining": True})).status_code == 409
    assert (await client.patch(f"{URL}/c", json={"weight": 2})).status_code == 404
    for wrong in ("10.0.0.1", "http://a:1", "a:0", "a:65536", "a:1\n", "a b:1"):
        body = {"name": "w", "address": wrong}
        assert (await client.post(URL, json=body)).status_code == 422
    body = {"name": "exporter", "address": "a:1"}
    assert (await client.post(URL, json=body)).status_code == 422
    body = {"name": "w", "address": "a:1", "site": "nowhere"}
    assert (await client.post(URL, json=body)).status_code == 422


async def test_who_may(log_in: Login) -> None:
    """Operators see exporters; only admins say who is sent our credentials."""
    operator = await log_in(Role.OPERATOR)
    assert (await operator.get(URL)).status_code == 200
    body = {"name": "mine", "address": "10.6.6.6:9116"}
    assert (await operator.post(URL, json=body)).status_code == 403
