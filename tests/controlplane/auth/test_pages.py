"""The pages that links lead to, and what is cleared away at night."""

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlmodel import select

from controlplane.auth import onetime, tasks
from controlplane.auth.endpoints import router
from controlplane.auth.models import LoginSession, OneTimeSecret, Purpose
from controlplane.database import now
from controlplane.users.models import User
from tests.controlplane.auth.conftest import SignIn
from tests.controlplane.conftest import Sessions


@pytest.mark.parametrize("purpose", [Purpose.INVITATION, Purpose.RESET])
async def test_links_lead_to_a_page(anonymous: AsyncClient, purpose: Purpose) -> None:
    """The page of a link is there, and so is all that it loads; nothing in it runs inline."""
    ticket = onetime.Ticket(User(name="ann"), purpose, "id.secret")
    address = ticket.link("http://chm.test")
    page = await anonymous.get(address.partition("#")[0])
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    assert not re.search(r"<script>|<style>| on\w+=| style=", page.text)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert (await anonymous.get(f"/account/{path}")).status_code == 200


async def test_the_script_knows_the_endpoints(anonymous: AsyncClient, app: FastAPI) -> None:
    """What the script sends passwords to are endpoints of ours."""
    script = (await anonymous.get("/account/static/account.js")).text
    named = re.findall(r': "([a-z]+/[a-z/]+)"', script.partition("ENDPOINTS")[2].partition(";")[0])
    paths = app.openapi()["paths"]
    assert len(named) == 2
    assert all(f"{router.prefix}/{path}" in paths for path in named)


async def test_there_is_no_other_page(anonymous: AsyncClient) -> None:
    """Names that are none of ours are no files of ours either."""
    for path in ("/account/admin", "/account/static/__init__.py", "/account/static/..%2fmodels.py"):
        assert (await anonymous.get(path)).status_code in {404, 422}


async def test_old_logins_are_forgotten(sign_in: SignIn, ann: User, sessions: Sessions) -> None:
    """After a month nothing is left of a login; what lives or ended lately stays."""
    for _ in range(3):
        await sign_in()
    async with sessions.begin() as session:
        old, lately, _ = (await session.scalars(select(LoginSession))).all()
        old.expires_at = now() - timedelta(days=31)
        lately.revoked_at = now() - timedelta(days=1)
        kept = {lately.id, _.id}
        await onetime.make(session, ann, Purpose.RESET)
        link = (await session.scalars(select(OneTimeSecret))).one()
        link.expires_at = now() - timedelta(seconds=1)
    async with sessions.begin() as session:
        await tasks.forget(session)
    async with sessions() as session:
        assert {login.id for login in await session.scalars(select(LoginSession))} == kept
        assert not (await session.scalars(select(OneTimeSecret))).all()
