"""Lists that shrink for no reason are withheld."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from controlplane import events
from controlplane.app import create_app
from controlplane.auth.permissions import Permission, Role
from controlplane.database import now
from controlplane.settings import Settings
from controlplane.targets import gate
from controlplane.targets.models import Served
from tests.controlplane.conftest import Login, Service, Sessions

URL = "/api/v1/targets/0"
STATE = "/api/v1/targets"


async def fill(client: AsyncClient, count: int) -> None:
    devices = [{"name": f"d{i}", "address": "10.0.0.1"} for i in range(count)]
    answer = await client.post("/api/v1/devices/import", json={"devices": devices})
    assert answer.status_code == 200, answer.text


async def lose(sessions: Sessions, count: int) -> None:
    """Take devices out past everybody, as a fault would, and count the change."""
    first = text("DELETE FROM devices WHERE substr(name, 2)::int < :count")
    async with sessions.begin() as session:
        await events.changed(session)
        await session.execute(first, {"count": count})


async def fresh(settings: Settings, client: AsyncClient) -> tuple[int, str]:
    """Ask a replica that has just started, and knows nothing but the database."""
    app: FastAPI = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(
            transport=ASGITransport(app), base_url="http://chm.test", headers=client.headers
        ) as there,
    ):
        answer = await there.get(URL)
        return answer.status_code, answer.text


async def test_a_name_is_not_a_loss(client: AsyncClient, service: Service) -> None:
    """Half of the devices get other names, one after the other, and the list has them at once."""
    await fill(client, 12)
    prometheus = await service(Permission.TARGETS_READ)
    assert len((await prometheus.get(URL)).json()) == 12
    for number in range(6):
        url = f"/api/v1/devices/d{number}"
        assert (await client.patch(url, json={"name": f"e{number}"})).status_code == 200
    listed = await prometheus.get(URL)
    assert listed.status_code == 200, listed.text
    names = {target for group in listed.json() for target in group["targets"]}
    assert names == {f"e{n}" for n in range(6)} | {f"d{n}" for n in range(6, 12)}
    assert (await client.get(STATE)).json()["lost"] == []


async def test_a_fifth_is_too_much(
    settings: Settings, client: AsyncClient, service: Service, sessions: Sessions
) -> None:
    """A list that lost more than a fifth is a 503, from every replica, until somebody confirms."""
    await fill(client, 40)
    prometheus = await service(Permission.TARGETS_READ, Permission.INTENT_READ)
    assert len((await prometheus.get(URL)).json()) == 40
    await lose(sessions, 9)

    status, problem = await fresh(settings, prometheus)
    assert status == 503
    assert "9 of 40 devices would vanish" in problem
    state = (await client.get(STATE)).json()
    assert (state["served"], state["wanted"], state["withheld"]) == (40, 31, True)
    assert state["lost"] == sorted(f"d{i}" for i in range(9))
    assert "chm_targets_withheld_devices{} 9.0" in (await prometheus.get("/metrics/intent")).text

    assert (await client.post(f"{STATE}/confirm", json={})).json()["withheld"] is False
    assert len((await prometheus.get(URL)).json()) == 31
    assert "chm_targets_withheld_devices{} 0.0" in (await prometheus.get("/metrics/intent")).text
    entries = (await client.get("/api/v1/audit?object_type=targets")).json()["results"]
    assert entries[0]["after"]["lost"] == 9


async def test_what_is_put_back_is_served(
    client: AsyncClient, service: Service, sessions: Sessions
) -> None:
    """When the devices are back, so are the lists, without a word of anybody."""
    await fill(client, 40)
    prometheus = await service(Permission.TARGETS_READ)
    await prometheus.get(URL)
    await lose(sessions, 40)
    assert (await prometheus.get(URL)).status_code == 503
    await fill(client, 40)
    assert (await prometheus.get(URL)).status_code == 200


async def test_an_empty_database_is_not_believed(service: Service) -> None:
    """Where nothing was ever served, nothing is believed: the database may be the wrong one."""
    answer = await (await service(Permission.TARGETS_READ)).get(URL)
    assert answer.status_code == 503
    assert "nothing was ever served" in answer.text


async def test_an_allowance_in_advance(
    client: AsyncClient, service: Service, sessions: Sessions
) -> None:
    """So many devices may go as an operator allows beforehand, and not one more."""
    await fill(client, 40)
    prometheus = await service(Permission.TARGETS_READ)
    await prometheus.get(URL)
    await client.post(f"{STATE}/confirm", json={"least": 20, "minutes": 60})
    await lose(sessions, 20)
    assert len((await prometheus.get(URL)).json()) == 20
    await lose(sessions, 30)
    assert (await prometheus.get(URL)).status_code == 503


async def test_who_may_confirm(log_in: Login) -> None:
    """An operator who may remove devices may not say that it was meant."""
    operator = await log_in(Role.OPERATOR)
    assert (await operator.post(f"{STATE}/confirm", json={})).status_code == 403
    assert (await operator.get(STATE)).status_code == 403


NAMES = [f"d{i}" for i in range(100)]


@pytest.mark.parametrize(
    ("served", "left", "withheld"),
    [
        (3, 2, False),
        (5, 0, False),
        (6, 0, True),
        (25, 20, False),
        (100, 80, False),
        (100, 79, True),
    ],
)
def test_a_handful_is_no_nuisance(served: int, left: int, *, withheld: bool) -> None:
    """Up to five devices may go from any inventory, and a fifth from a larger one."""
    before = Served(devices=NAMES[:served], taken_at=now())
    assert gate.judge(before, NAMES[:left], now()).withheld is withheld


def test_losses_add_up() -> None:
    """What goes bit by bit is held against what was there an hour ago, and older losses are not."""
    served = Served(devices=list(NAMES), taken_at=now())
    gate._take(served, NAMES[:85], now(), 1)
    assert gate.judge(served, NAMES[:75], now()).withheld
    served.taken_at = now() - gate.MEMORY
    gate._take(served, NAMES[:85], now(), 2)
    assert not gate.judge(served, NAMES[:75], now()).withheld


def test_an_allowance_ends() -> None:
    """After its minutes an allowance is none."""
    served = Served(devices=list(NAMES), taken_at=now(), least=1, allowed_until=now())
    assert gate.judge(served, NAMES[:1], now() - timedelta(minutes=1)).withheld is False
    assert gate.judge(served, NAMES[:1], now() + timedelta(minutes=1)).withheld is True


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_nothing_vanishes_unseen(before: set[str], after: set[str]) -> None:
    """Whatever the lists are, what passes lost no more than a fifth or a handful."""
    served = Served(devices=sorted(before), taken_at=now())
    verdict = gate.judge(served, after, now())
    assert set(verdict.lost) == before - after
    assert verdict.withheld is (len(before - after) > max(5, len(before) / 5))
