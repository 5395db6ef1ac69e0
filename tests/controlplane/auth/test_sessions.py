"""Sessions: how they live, and all the ways they end."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import update
from sqlmodel import select

from controlplane.audit.models import AuditEntry
from controlplane.auth.models import LoginSession
from controlplane.database import now
from controlplane.users.models import User
from tests.controlplane.auth.conftest import SignIn, bearer
from tests.controlplane.conftest import PASSWORD, Sessions

ME = "/api/v1/auth/me"
REFRESH = "/api/v1/auth/refresh"


async def known(client: AsyncClient, login: dict[str, Any]) -> bool:
    """Say whether the access token of a login is good."""
    response = await client.get(ME, headers=bearer(login["access_token"]))
    assert response.status_code in {200, 401}
    return response.status_code == 200


async def refreshed(client: AsyncClient, token: str) -> dict[str, Any]:
    response = await client.post(REFRESH, json={"refresh_token": token})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def age(sessions: Sessions, **values: Any) -> None:
    """Turn the clock of every session."""
    async with sessions.begin() as session:
        await session.execute(update(LoginSession).values(**values))


class TestRefresh:
    async def test_each_token_buys_the_next(self, anonymous: AsyncClient, sign_in: SignIn) -> None:
        """A refresh gives an access token of the same session and another refresh token."""
        first = await sign_in()
        second = await refreshed(anonymous, first["refresh_token"])
        third = await refreshed(anonymous, second["refresh_token"])
        assert len({a["refresh_token"] for a in (first, second, third)}) == 3
        assert await known(anonymous, third)
        listed = await anonymous.get("/api/v1/auth/sessions", headers=bearer(third["access_token"]))
        assert len(listed.json()) == 1

    async def test_a_copied_token_ends_the_session(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions
    ) -> None:
        """A token that was exchanged and comes back ends what both hold, and is noted."""
        first = await sign_in()
        second = await refreshed(anonymous, first["refresh_token"])
        await age(sessions, rotated_at=now() - timedelta(minutes=1))
        response = await anonymous.post(REFRESH, json={"refresh_token": first["refresh_token"]})
        assert response.status_code == 401
        assert not await known(anonymous, second)
        response = await anonymous.post(REFRESH, json={"refresh_token": second["refresh_token"]})
        assert response.status_code == 401
        async with sessions() as session:
            alert = select(AuditEntry).where(AuditEntry.action == "security.alert")
            assert (await session.scalars(alert)).one().after == {
                "ended": "a refresh token was used twice"
            }

    async def test_an_older_token_ends_the_session_at_once(
        self, anonymous: AsyncClient, sign_in: SignIn
    ) -> None:
        """The grace is for the token just before; one from before that is a copy."""
        first = await sign_in()
        second = await refreshed(anonymous, first["refresh_token"])
        third = await refreshed(anonymous, second["refresh_token"])
        response = await anonymous.post(REFRESH, json={"refresh_token": first["refresh_token"]})
        assert response.status_code == 401
        assert not await known(anonymous, third)

    async def test_refreshing_twice_at_once_gives_one_token(
        self, anonymous: AsyncClient, elsewhere: AsyncClient, sign_in: SignIn
    ) -> None:
        """Of two refreshes at the same moment, on two replicas, one is told to use the other's."""
        first = await sign_in()
        body = {"refresh_token": first["refresh_token"]}
        answers = await asyncio.gather(
            anonymous.post(REFRESH, json=body), elsewhere.post(REFRESH, json=body)
        )
        assert sorted(a.status_code for a in answers) == [200, 409]
        winner = next(a.json() for a in answers if a.status_code == 200)
        assert await known(anonymous, winner)
        assert await known(elsewhere, await refreshed(elsewhere, winner["refresh_token"]))

    @pytest.mark.parametrize("part", [0, 1, 2])
    async def test_a_guess_ends_nothing(
        self, anonymous: AsyncClient, sign_in: SignIn, part: int
    ) -> None:
        """Whoever knows the id of a session, and not its secrets, cannot end it."""
        login = await sign_in()
        parts = login["refresh_token"].split(".")
        parts[part] = parts[part][:-4] + ("0000" if parts[part][-4:] != "0000" else "1111")
        guesses = [".".join(parts)] if part < 2 else [f"{parts[0]}.{'x' * 43}.{parts[2]}"]
        for guess in (*guesses, "", "chr_", "chr_.x.y", "é", login["access_token"]):
            response = await anonymous.post(REFRESH, json={"refresh_token": guess[:256]})
            assert response.status_code == 401
        assert await known(anonymous, login)

    async def test_a_disabled_person_is_out(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions, ann: User
    ) -> None:
        """Disabling stops the refresh token, too."""
        login = await sign_in()
        async with sessions.begin() as session:
            (await session.get_one(User, ann.id)).active = False
        body = {"refresh_token": login["refresh_token"]}
        assert (await anonymous.post(REFRESH, json=body)).status_code == 401


class TestTime:
    @pytest.mark.parametrize("limit", ["idle_expires_at", "expires_at"])
    async def test_a_session_grows_old(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions, limit: str
    ) -> None:
        """A session nobody used for long, or of long ago, is over for both of its tokens."""
        login = await sign_in()
        await age(sessions, **{limit: now() - timedelta(seconds=1)})
        assert not await known(anonymous, login)
        body = {"refresh_token": login["refresh_token"]}
        assert (await anonymous.post(REFRESH, json=body)).status_code == 401

    async def test_use_keeps_it_alive(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions
    ) -> None:
        """A request moves the idle limit, at most once a minute, and never the absolute one."""
        login = await sign_in()
        soon, end = now() + timedelta(seconds=30), now() + timedelta(seconds=60)
        async with sessions.begin() as session:
            values = {"idle_expires_at": soon, "expires_at": end}
            old = values | {"last_used_at": now() - timedelta(minutes=2)}
            await session.execute(update(LoginSession).values(**old))
        assert await known(anonymous, login)
        async with sessions() as session:
            row = (await session.scalars(select(LoginSession))).one()
        assert row.idle_expires_at > soon
        assert row.expires_at == end
        before = row.last_used_at
        assert await known(anonymous, login)
        async with sessions() as session:
            assert (await session.scalars(select(LoginSession))).one().last_used_at == before


class TestEnding:
    async def test_logging_out_ends_the_tokens(
        self, anonymous: AsyncClient, elsewhere: AsyncClient, sign_in: SignIn
    ) -> None:
        """After a logout both tokens are worth nothing, on the other replica too."""
        login, other = await sign_in(), await sign_in()
        assert await known(elsewhere, login)
        out = await anonymous.post("/api/v1/auth/logout", headers=bearer(login["access_token"]))
        assert out.status_code == 204
        assert not await known(anonymous, login)
        assert not await known(elsewhere, login)
        body = {"refresh_token": login["refresh_token"]}
        assert (await elsewhere.post(REFRESH, json=body)).status_code == 401
        assert await known(anonymous, other)

    async def test_one_of_many_is_ended(
        self, anonymous: AsyncClient, elsewhere: AsyncClient, sign_in: SignIn
    ) -> None:
        """A person sees their logins, ends one, and the other replica knows."""
        login, lost = await sign_in(), await sign_in()
        headers = bearer(login["access_token"])
        listed = (await anonymous.get("/api/v1/auth/sessions", headers=headers)).json()
        assert [s["current"] for s in listed] == [False, True]
        assert "hash" not in str(listed)
        path = f"/api/v1/auth/sessions/{listed[0]['id']}"
        assert (await anonymous.delete(path, headers=headers)).status_code == 204
        assert not await known(elsewhere, lost)
        assert await known(elsewhere, login)
        assert (await anonymous.delete(path, headers=headers)).status_code == 404

    async def test_all_are_ended(self, anonymous: AsyncClient, sign_in: SignIn) -> None:
        """Ending all logins ends the one that asked, too."""
        logins = [await sign_in() for _ in range(3)]
        headers = bearer(logins[0]["access_token"])
        response = await anonymous.delete("/api/v1/auth/sessions", headers=headers)
        assert response.status_code == 204
        assert [await known(anonymous, login) for login in logins] == [False, False, False]

    async def test_nobody_ends_a_strangers(
        self, anonymous: AsyncClient, client: AsyncClient, sign_in: SignIn
    ) -> None:
        """Even an admin's own list does not reach a session of somebody else."""
        login = await sign_in()
        headers = bearer(login["access_token"])
        listed = (await anonymous.get("/api/v1/auth/sessions", headers=headers)).json()
        response = await client.delete(f"/api/v1/auth/sessions/{listed[0]['id']}")
        assert response.status_code == 404
        assert await known(anonymous, login)

    async def test_a_new_password_ends_the_others(
        self, anonymous: AsyncClient, elsewhere: AsyncClient, sign_in: SignIn
    ) -> None:
        """Changing the password keeps the session that did it, and ends the rest everywhere."""
        login, other = await sign_in(), await sign_in()
        new = "a violin under eleven umbrellas"
        response = await anonymous.post(
            "/api/v1/auth/password/change",
            json={"current_password": PASSWORD, "new_password": new},
            headers=bearer(login["access_token"]),
        )
        assert response.status_code == 204, response.text
        assert await known(elsewhere, login)
        assert not await known(elsewhere, other)
        await sign_in(password=new)


async def test_a_lookup_is_one_statement(
    anonymous: AsyncClient, sign_in: SignIn, statements: list[str]
) -> None:
    """Knowing a person costs a request one statement: session, person and second factor in one."""
    login = await sign_in()
    await known(anonymous, login)  # the signing key is in memory from here on
    statements.clear()
    response = await anonymous.get("/api/v1/sites", headers=bearer(login["access_token"]))
    assert response.status_code == 200
    assert [s for s in statements if "sessions" in s or "users" in s] == statements[:1]
    assert "JOIN users" in statements[0]
