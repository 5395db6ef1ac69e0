"""What admins do about people, and that nobody does it to somebody who may do more."""

from collections.abc import Callable

import pyotp
import pytest
from httpx import AsyncClient
from sqlmodel import select

from controlplane.audit.models import Action, AuditEntry
from controlplane.auth.models import Totp
from controlplane.auth.permissions import Role
from controlplane.auth.roles.models import CustomRole
from controlplane.clients.mail import Mail
from controlplane.users.models import User
from tests.controlplane.auth.conftest import SignIn, bearer
from tests.controlplane.auth.postbox import postbox
from tests.controlplane.conftest import Login, Sessions

USERS = "/api/v1/users"
NEW = "a violin under eleven umbrellas"


async def test_an_invitation_is_shown_once(client: AsyncClient, anonymous: AsyncClient) -> None:
    """Without a mail server the admin gets the link; with it the person gets a password and in."""
    body = {"name": "eve", "email": "eve@example.net", "role": "operator"}
    made = await client.post(USERS, json=body)
    assert made.status_code == 201, made.text
    token = made.json()["link"].partition("#")[2]
    assert (await client.get(f"{USERS}/eve")).json()["invited"] is True
    login = {"name": "eve", "password": NEW}
    assert (await anonymous.post("/api/v1/auth/login", json=login)).status_code == 401
    accept = {"token": token, "new_password": NEW}
    done = await anonymous.post("/api/v1/auth/invitation/accept", json=accept)
    assert done.status_code == 204
    answer = (await anonymous.post("/api/v1/auth/login", json=login)).json()
    me = await anonymous.get("/api/v1/auth/me", headers=bearer(answer["access_token"]))
    assert "devices:write" in me.json()["permissions"]
    shown = (await client.get(f"{USERS}/eve")).json()
    assert (shown["invited"], shown["email"]) == (False, "eve@example.net")
    assert (await client.post(USERS, json=body)).status_code == 409


async def test_an_invitation_is_mailed(client: AsyncClient, equip: Callable[..., None]) -> None:
    """With a mail server the link goes to the person alone; where it fails, nobody is made."""
    async with postbox() as box:
        equip(mail=Mail("127.0.0.1", box.port, "none", "chm@example.net"))
        body = {"name": "eve", "email": "eve@example.net"}
        made = (await client.post(USERS, json=body)).json()
        assert made == {"name": "eve", "mailed_to": "eve@example.net", "link": None}
        assert "/account/invitation#" in box.messages[0].get_content()
        box.refusing = True
        body = {"name": "mallory", "email": "mallory@example.net"}
        assert (await client.post(USERS, json=body)).status_code == 503
    assert (await client.get(f"{USERS}/mallory")).status_code == 404


async def test_people_are_found(client: AsyncClient, ann: User) -> None:
    """Lists are filtered and searched; a `%` is a character like any other."""
    assert ann
    names = [u["name"] for u in (await client.get(USERS)).json()["results"]]
    assert names == ["admin", "ann"]
    found = (await client.get(USERS, params={"q": "EXAMPLE.NET"})).json()
    assert [u["name"] for u in found["results"]] == ["ann"]
    for params in ({"q": "%"}, {"active": "false"}):
        assert (await client.get(USERS, params=params)).json()["count"] == 0
    assert "hash" not in str(found)


async def test_who_is_kept_out_is_out(
    client: AsyncClient, anonymous: AsyncClient, sign_in: SignIn
) -> None:
    """Disabling ends logins at once; enabling brings back none of them."""
    headers = bearer((await sign_in())["access_token"])
    for active in (False, True):
        response = await client.patch(f"{USERS}/ann", json={"active": active})
        assert response.json()["active"] is active
        assert (await anonymous.get("/api/v1/auth/me", headers=headers)).status_code == 401
    await sign_in()


async def test_logins_are_ended(
    client: AsyncClient, anonymous: AsyncClient, sign_in: SignIn
) -> None:
    """An admin sees where somebody is logged in, and ends one login or all."""
    logins = [await sign_in() for _ in range(3)]
    path = f"{USERS}/ann/sessions"
    listed = (await client.get(path)).json()
    assert (await client.delete(f"{path}/{listed[0]['id']}")).status_code == 204
    assert (await client.delete(f"{path}/{listed[0]['id']}")).status_code == 404
    assert len((await client.get(path)).json()) == 2
    assert (await client.delete(path)).status_code == 204
    for login in logins:
        me = await anonymous.get("/api/v1/auth/me", headers=bearer(login["access_token"]))
        assert me.status_code == 401


async def test_a_lost_telephone(
    client: AsyncClient, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions, ann: User
) -> None:
    """An admin removes the second factor: it is written down, and every login ends."""
    headers = bearer((await sign_in())["access_token"])
    await anonymous.post("/api/v1/auth/mfa/totp", headers=headers)
    async with sessions.begin() as session:
        (await session.scalars(select(Totp))).one().confirmed_at = ann.created_at
    assert (await sign_in())["challenge"]
    path = f"{USERS}/ann/second-factor"
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 409
    assert (await anonymous.get("/api/v1/auth/me", headers=headers)).status_code == 401
    assert (await sign_in())["access_token"]
    async with sessions() as session:
        entry = select(AuditEntry).where(AuditEntry.action == Action.MFA_RESET)
        (entry,) = (await session.scalars(entry)).all()
    assert (entry.actor_name, entry.object_name) == ("admin", "ann")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"active": False}),
        ("POST", "/password-reset", None),
        ("DELETE", "/second-factor", None),
        ("DELETE", "/sessions", None),
    ],
)
async def test_nobody_becomes_their_better(
    log_in: Login, client: AsyncClient, method: str, path: str, body: object
) -> None:
    """An admin can neither shut out a super admin nor make a link that would let them be one."""
    await log_in(Role.SUPER_ADMIN, name="chief")
    response = await client.request(method, f"{USERS}/chief{path}", json=body)
    assert response.status_code == 403, response.text
    assert "link" not in response.text


async def test_a_role_can_require_a_second_factor(
    anonymous: AsyncClient, sign_in: SignIn, equip: Callable[..., None]
) -> None:
    """Who holds such a role and has no second factor can set one up, and nothing else."""
    headers = bearer((await sign_in())["access_token"])
    made = await anonymous.post(
        "/api/v1/auth/tokens", json={"name": "t", "scopes": ["devices:read"]}, headers=headers
    )
    token = bearer(made.json()["token"])
    equip(mfa_roles=("operator",))
    me = (await anonymous.get("/api/v1/auth/me", headers=headers)).json()
    assert (me["permissions"], me["second_factor_missing"]) == ([], True)
    for shown in (headers, token):
        assert (await anonymous.get("/api/v1/devices", headers=shown)).status_code == 403
    setup = (await anonymous.post("/api/v1/auth/mfa/totp", headers=headers)).json()
    code = pyotp.TOTP(setup["secret"]).now()
    confirm = "/api/v1/auth/mfa/totp/confirm"
    done = await anonymous.post(confirm, json={"code": code}, headers=headers)
    assert done.status_code == 200
    for shown in (headers, token):
        assert (await anonymous.get("/api/v1/devices", headers=shown)).status_code == 200
    leave = await anonymous.delete("/api/v1/auth/mfa/totp", headers=headers)
    assert leave.status_code == 403


async def test_names_that_look_alike_are_one(client: AsyncClient, ann: User) -> None:
    """Nobody becomes `Ann` beside `ann`, to be taken for her in grants and in the audit log."""
    assert ann.name == "ann"
    made = await client.post(USERS, json={"name": "ANN"})
    assert (made.status_code, made.json()["detail"]) == (409, "user 'ann' already exists")


class TestLinksOfOthers:
    @pytest.fixture
    async def helper(self, client: AsyncClient, log_in: Login, sessions: Sessions) -> AsyncClient:
        """Give somebody of a help desk, who may let people in and hold no more than the same."""
        async with sessions.begin() as session:
            session.add(CustomRole(name="helpdesk", permissions=["users:read", "users:write"]))
        helper = await log_in(Role.VIEWER, name="helper")
        given = await client.post(f"{USERS}/helper/grants", json={"role": "helpdesk"})
        assert given.status_code == 201, given.text
        return helper

    @pytest.mark.parametrize("raised", [True, False])
    async def test_a_link_is_worth_no_more_than_its_maker(
        self, client: AsyncClient, anonymous: AsyncClient, helper: AsyncClient, *, raised: bool
    ) -> None:
        """Who keeps the link of an invitation does not become what the invited is made later."""
        made = await helper.post(USERS, json={"name": "eve", "role": "helpdesk"})
        token = made.json()["link"].partition("#")[2]
        if raised:
            given = await client.post(f"{USERS}/eve/grants", json={"role": "admin"})
            assert given.status_code == 201
        accept = {"token": token, "new_password": NEW}
        answer = await anonymous.post("/api/v1/auth/invitation/accept", json=accept)
        assert answer.status_code == (422 if raised else 204)
        if raised:
            sent = (await client.post(f"{USERS}/eve/password-reset")).json()["link"]
            accept["token"] = sent.partition("#")[2]
            again = await anonymous.post("/api/v1/auth/invitation/accept", json=accept)
            assert again.status_code == 204

    async def test_a_maker_who_left(
        self, client: AsyncClient, anonymous: AsyncClient, helper: AsyncClient
    ) -> None:
        """Links of somebody who is kept out let nobody in."""
        made = await helper.post(USERS, json={"name": "eve", "role": "helpdesk"})
        await client.patch(f"{USERS}/helper", json={"active": False})
        accept = {"token": made.json()["link"].partition("#")[2], "new_password": NEW}
        answer = await anonymous.post("/api/v1/auth/invitation/accept", json=accept)
        assert answer.status_code == 422
