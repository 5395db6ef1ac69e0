"""Roles and grants over HTTP: nobody hands out more than they hold."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from controlplane.audit.models import Action, AuditEntry
from controlplane.auth.permissions import ADMIN, FOR_SERVICES, ROLES, Permission, Role
from tests.controlplane.conftest import Login, Sessions

ROLES_URL = "/api/v1/roles"
GUARD = {"name": "guard", "description": "Night shift", "permissions": ["alerts:read"]}


@pytest.fixture
async def chief(log_in: Login) -> AsyncClient:
    """Give a super admin."""
    return await log_in(Role.SUPER_ADMIN, name="chief")


class TestBuiltIn:
    def test_no_role_of_people_does_what_services_do(self) -> None:
        """Not even a super admin reads secrets through the endpoints of services."""
        for permissions in ROLES.values():
            assert not permissions & FOR_SERVICES

    def test_each_role_holds_what_the_lesser_hold(self) -> None:
        """A viewer is the least; an admin holds what an operator holds, a super admin all."""
        viewer, operator = ROLES[Role.VIEWER], ROLES[Role.OPERATOR]
        assert viewer < operator < ADMIN < ROLES[Role.SUPER_ADMIN]
        assert viewer < ROLES[Role.ANALYST]

    async def test_they_are_listed_and_stay(self, chief: AsyncClient) -> None:
        """Built-in roles are shown with their permissions, and cannot be changed or removed."""
        roles = (await chief.get(ROLES_URL)).json()
        assert [role["name"] for role in roles] == list(Role)
        viewer = (await chief.get(f"{ROLES_URL}/viewer")).json()
        assert viewer["built_in"] is True
        assert "devices:read" in viewer["permissions"]
        assert (await chief.patch(f"{ROLES_URL}/viewer", json={})).status_code == 409
        assert (await chief.delete(f"{ROLES_URL}/viewer")).status_code == 409
        again = await chief.post(ROLES_URL, json={**GUARD, "name": "viewer"})
        assert again.status_code == 409


class TestCustom:
    async def test_the_life_of_a_role(self, chief: AsyncClient, log_in: Login) -> None:
        """A role is made, given, changed with effect at once, taken back and removed."""
        created = await chief.post(ROLES_URL, json={**GUARD, "mfa_required": False})
        assert created.status_code == 201, created.text
        assert created.json() == {**GUARD, "built_in": False, "mfa_required": False, "version": 1}
        guard = await log_in("guard", name="gus")
        assert (await guard.get("/api/v1/alerts")).status_code == 200
        assert (await guard.get("/api/v1/devices")).status_code == 403
        more = {"permissions": ["alerts:read", "devices:read"]}
        changed = await chief.patch(f"{ROLES_URL}/guard", json=more)
        assert changed.json()["permissions"] == more["permissions"]
        assert changed.json()["description"] == "Night shift"
        assert (await guard.get("/api/v1/devices")).status_code == 200
        held = await chief.delete(f"{ROLES_URL}/guard")
        assert held.status_code == 409
        assert "gus" in held.json()["detail"]
        (grant,) = (await chief.get("/api/v1/users/gus/grants")).json()
        taken = await chief.delete(f"/api/v1/users/gus/grants/{grant['id']}")
        assert taken.status_code == 204
        assert (await guard.get("/api/v1/alerts")).status_code == 403
        assert (await chief.delete(f"{ROLES_URL}/guard")).status_code == 204
        assert (await chief.get(f"{ROLES_URL}/guard")).status_code == 404

    async def test_two_change_a_role_at_once(self, chief: AsyncClient) -> None:
        """Of two who read the same version one writes; the other gets the ETag there is by now."""
        seen = {"If-Match": (await chief.post(ROLES_URL, json=GUARD)).headers["ETag"]}
        url = f"{ROLES_URL}/guard"
        answers = await asyncio.gather(
            *(chief.patch(url, json={"description": d}, headers=seen) for d in ("day", "night"))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        read = await chief.get(url)
        assert lost.headers["ETag"] == won.headers["ETag"] == read.headers["ETag"] == '"2"'
        assert read.json() == won.json()
        assert (await chief.delete(url, headers=seen)).status_code == 412
        now = {"If-Match": lost.headers["ETag"]}
        assert (await chief.delete(url, headers=now)).status_code == 204

    @pytest.mark.parametrize("permission", sorted(FOR_SERVICES))
    async def test_what_services_do_is_no_part_of_a_role(
        self, chief: AsyncClient, permission: Permission
    ) -> None:
        """No role can be made that reads the snapshot with its secrets."""
        response = await chief.post(ROLES_URL, json={**GUARD, "permissions": [permission]})
        assert response.status_code == 422

    async def test_an_author_gives_no_more_than_they_hold(
        self, chief: AsyncClient, log_in: Login
    ) -> None:
        """A role beyond its author is neither made, nor made of one that they can change."""
        lesser = {"name": "author", "permissions": ["roles:read", "roles:write", "alerts:read"]}
        assert (await chief.post(ROLES_URL, json=lesser)).status_code == 201
        author = await log_in("author", name="anna")
        beyond = {"name": "beyond", "permissions": ["users:write"]}
        assert (await author.post(ROLES_URL, json=beyond)).status_code == 403
        assert (await author.post(ROLES_URL, json=GUARD)).status_code == 201
        grown = await author.patch(f"{ROLES_URL}/author", json={"permissions": ["audit:read"]})
        assert grown.status_code == 403


class TestGrants:
    @pytest.mark.parametrize(
        ("grant", "status"),
        [
            ({"role": "viewer"}, 409),  # held already
            ({"role": "operator"}, 201),
            ({"role": "operator", "scope": "tag", "tag": "lab"}, 201),
            ({"role": "nothing"}, 422),
            ({"role": "viewer", "scope": "site", "site": "nowhere"}, 422),
            ({"role": "viewer", "scope": "site"}, 422),
            ({"role": "viewer", "tag": "lab"}, 422),
            ({"role": "viewer", "scope": "group"}, 422),
        ],
    )
    async def test_giving(
        self, chief: AsyncClient, log_in: Login, grant: dict[str, Any], status: int
    ) -> None:
        """A grant names a role that is there and one scope that is there."""
        await log_in(Role.VIEWER, name="vera")
        response = await chief.post("/api/v1/users/vera/grants", json=grant)
        assert response.status_code == status, response.text

    async def test_nobody_rises_by_their_own_hand(self, client: AsyncClient, log_in: Login) -> None:
        """An admin makes nobody a super admin, not even themselves, and unmakes none."""
        await log_in(Role.SUPER_ADMIN, name="chief")
        await log_in(Role.VIEWER, name="vera")
        for name in ("admin", "vera"):
            url = f"/api/v1/users/{name}/grants"
            assert (await client.post(url, json={"role": "super_admin"})).status_code == 403
            assert (await client.post(url, json={"role": "operator"})).status_code == 201
        (grant,) = (await client.get("/api/v1/users/chief/grants")).json()
        url = f"/api/v1/users/chief/grants/{grant['id']}"
        assert (await client.delete(url)).status_code == 403

    async def test_nobody_and_nothing(self, chief: AsyncClient) -> None:
        """Somebody who is not there has no grants, and a grant that is not there is not taken."""
        assert (await chief.get("/api/v1/users/nobody/grants")).status_code == 404
        url = f"/api/v1/users/chief/grants/{uuid4()}"
        assert (await chief.delete(url)).status_code == 404

    async def test_two_take_a_grant_at_once(self, chief: AsyncClient, log_in: Login) -> None:
        """A grant is taken back as the version it is, and once: the second finds it gone."""
        await log_in(Role.VIEWER, name="vera")
        url = "/api/v1/users/vera/grants"
        given = await chief.post(url, json={"role": "operator"})
        one = f"{url}/{given.json()['id']}"
        shown = await chief.get(one)
        assert shown.json() == given.json()
        seen = {"If-Match": shown.headers["ETag"]}
        assert seen["If-Match"] == given.headers["ETag"] == '"1"'
        other = await chief.delete(one, headers={"If-Match": '"2"'})
        assert (other.status_code, other.headers["ETag"]) == (412, '"1"')
        answers = await asyncio.gather(*(chief.delete(one, headers=seen) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [204, 404]
        assert (await chief.get(one)).status_code == 404

    async def test_the_log_tells(
        self, chief: AsyncClient, log_in: Login, sessions: Sessions
    ) -> None:
        """Who gave whom which role where, and took it back, is recorded."""
        await log_in(Role.VIEWER, name="vera")
        url = "/api/v1/users/vera/grants"
        given = await chief.post(url, json={"role": "operator", "scope": "tag", "tag": "lab"})
        await chief.delete(f"{url}/{given.json()['id']}")
        async with sessions() as session:
            entries = list(await session.scalars(select(AuditEntry).order_by("seq")))
        assert [entry.action for entry in entries] == [Action.ROLE_ASSIGNED, Action.ROLE_REVOKED]
        assert {entry.actor_name for entry in entries} == {"chief"}
        assert {entry.object_name for entry in entries} == {"vera"}
        assert entries[0].after == entries[1].before
        assert entries[0].after == {"role": "operator", "scope": "tag", "tag": "lab"}
