"""The second factor: codes that work once, and what it takes to set it up or leave it."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import update
from sqlmodel import select

from controlplane.audit.models import Action, AuditEntry
from controlplane.auth import accounts, mfa, queries
from controlplane.auth.actor import shell
from controlplane.auth.models import LoginSession, RecoveryCode, Totp
from controlplane.database import now
from controlplane.users.models import User
from tests.controlplane.auth.conftest import SignIn, bearer
from tests.controlplane.conftest import PASSWORD, Sessions


class Telephone:
    """A generator of codes whose clock the test moves on, a step at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.step = 60_000_000
        self.secret = ""
        self.move(0)

    def move(self, steps: int) -> None:
        """Turn the server's clock on."""
        self.step += steps
        self._patch.setattr(mfa, "current_step", lambda: self.step)

    def code(self, drift: int = 0) -> str:
        """Give the code the telephone shows, its clock being off by some steps."""
        return pyotp.TOTP(self.secret).generate_otp(self.step + drift)


@pytest.fixture
async def telephone(
    anonymous: AsyncClient, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> Telephone:
    """Give ann's telephone, set up and confirmed in the step before."""
    telephone = Telephone(monkeypatch)
    headers = bearer((await sign_in())["access_token"])
    setup = await anonymous.post("/api/v1/auth/mfa/totp", headers=headers)
    assert setup.status_code == 201, setup.text
    telephone.secret = setup.json()["secret"]
    confirmed = await anonymous.post(
        "/api/v1/auth/mfa/totp/confirm", json={"code": telephone.code()}, headers=headers
    )
    assert confirmed.status_code == 200, confirmed.text
    telephone.move(1)
    return telephone


async def answer(client: AsyncClient, challenge: str, code: str) -> Any:
    return await client.post("/api/v1/auth/mfa/login", json={"challenge": challenge, "code": code})


async def test_a_password_is_not_enough(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone
) -> None:
    """With a second factor a password buys a challenge, and challenge and code a login."""
    first = await sign_in()
    assert first["access_token"] is first["refresh_token"] is None
    refused = await anonymous.get("/api/v1/auth/me", headers=bearer(first["challenge"]))
    assert refused.status_code == 401
    response = await answer(anonymous, first["challenge"], telephone.code())
    assert response.status_code == 200, response.text
    me = await anonymous.get("/api/v1/auth/me", headers=bearer(response.json()["access_token"]))
    assert me.json()["second_factor"] is True


async def test_a_code_works_once(
    anonymous: AsyncClient, elsewhere: AsyncClient, sign_in: SignIn, telephone: Telephone
) -> None:
    """Of two logins with the same code, at the same moment on two replicas, one gets in."""
    first, second = await sign_in(), await sign_in()
    code = telephone.code()
    answers = await asyncio.gather(
        answer(anonymous, first["challenge"], code), answer(elsewhere, second["challenge"], code)
    )
    assert sorted(a.status_code for a in answers) == [200, 401]


@pytest.mark.parametrize(("drift", "status"), [(-2, 401), (-1, 401), (0, 200), (1, 200), (2, 401)])
async def test_clocks_may_differ_by_a_step(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone, drift: int, status: int
) -> None:
    """A telephone may be a step off, but the step before is used up by the set-up of this test."""
    challenge = (await sign_in())["challenge"]
    response = await answer(anonymous, challenge, telephone.code(drift))
    assert response.status_code == status


async def test_the_step_before_counts_where_it_is_unused(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone
) -> None:
    """A telephone that is half a minute late is no problem."""
    telephone.move(1)
    challenge = (await sign_in())["challenge"]
    assert (await answer(anonymous, challenge, telephone.code(-1))).status_code == 200


async def test_an_earlier_code_is_dead_after_a_later_one(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone
) -> None:
    """Once a code was accepted, none of its step or of a step before is."""
    telephone.move(1)
    first, second = (await sign_in())["challenge"], (await sign_in())["challenge"]
    assert (await answer(anonymous, first, telephone.code())).status_code == 200
    assert (await answer(anonymous, second, telephone.code(-1))).status_code == 401


async def test_a_challenge_is_good_for_five_codes(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone
) -> None:
    """After five wrong codes the right one does not help: the password has to be given again."""
    challenge = (await sign_in())["challenge"]
    for _ in range(5):
        assert (await answer(anonymous, challenge, "000000")).status_code == 401
    assert (await answer(anonymous, challenge, telephone.code())).status_code == 401


async def test_guessing_codes_is_slowed_down(
    anonymous: AsyncClient, ann: User, telephone: Telephone
) -> None:
    """Asking for one challenge after the other runs into the brake of logins."""
    assert telephone
    statuses = []
    for _ in range(12):
        body = {"name": ann.name, "password": PASSWORD}
        statuses.append((await anonymous.post("/api/v1/auth/login", json=body)).status_code)
    assert set(statuses) == {200, 429}


async def test_a_challenge_is_used_up(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone
) -> None:
    """A challenge that brought a login brings no second one."""
    challenge = (await sign_in())["challenge"]
    assert (await answer(anonymous, challenge, telephone.code())).status_code == 200
    telephone.move(1)
    assert (await answer(anonymous, challenge, telephone.code())).status_code == 401


@pytest.mark.parametrize("code", ["", "1", "00000\n", "\uff11" * 6, "x" * 64])
async def test_what_is_no_code_is_refused(
    anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone, code: str
) -> None:
    """Rubbish is a wrong code, no fault."""
    assert telephone
    challenge = (await sign_in())["challenge"]
    assert (await answer(anonymous, challenge, code)).status_code == 401


class TestRecovery:
    async def test_a_recovery_code_works_once(
        self, anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone, sessions: Sessions
    ) -> None:
        """A code from paper gets in once, however it is typed, and its hash is all that is kept."""
        challenge = (await sign_in())["challenge"]
        login = (await answer(anonymous, challenge, telephone.code())).json()
        headers = bearer(login["access_token"])
        renewed = await anonymous.post("/api/v1/auth/mfa/recovery-codes", headers=headers)
        codes = renewed.json()["recovery_codes"]
        assert len(set(codes)) == 10
        assert all(re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code) for code in codes)
        async with sessions() as session:
            kept = repr((await session.scalars(select(RecoveryCode))).all())
        assert not any(code.replace("-", "") in kept for code in codes)
        typed = codes[0].lower().replace("-", " ")
        first, second = (await sign_in())["challenge"], (await sign_in())["challenge"]
        assert (await answer(anonymous, first, typed)).status_code == 200
        assert (await answer(anonymous, second, codes[0])).status_code == 401
        left = await anonymous.get("/api/v1/auth/mfa", headers=headers)
        assert left.json() == {"enabled": True, "recovery_codes_left": 9}


class TestChanges:
    async def test_setting_up_shows_a_picture_once(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions
    ) -> None:
        """The secret comes as text, address and QR code; the database holds it sealed."""
        headers = bearer((await sign_in())["access_token"])
        setup = (await anonymous.post("/api/v1/auth/mfa/totp", headers=headers)).json()
        assert setup["uri"].startswith("otpauth://totp/Catalyst%20Health%20Monitor:ann?secret=")
        assert setup["qr_svg"].startswith("<svg")
        async with sessions() as session:
            totp = (await session.scalars(select(Totp))).one()
        assert setup["secret"].encode() not in totp.secret
        assert (await sign_in())["challenge"] is None  # not confirmed, so nothing is asked

    async def test_a_wrong_first_code_enables_nothing(
        self, anonymous: AsyncClient, sign_in: SignIn
    ) -> None:
        """Nobody locks themselves out with a telephone that shows the wrong codes."""
        headers = bearer((await sign_in())["access_token"])
        await anonymous.post("/api/v1/auth/mfa/totp", headers=headers)
        path = "/api/v1/auth/mfa/totp/confirm"
        response = await anonymous.post(path, json={"code": "no-code"}, headers=headers)
        assert response.status_code == 422
        assert (await sign_in())["challenge"] is None

    async def test_an_old_login_has_to_prove_itself(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions
    ) -> None:
        """Five minutes after the password, changing what guards the account asks for it again."""
        headers = bearer((await sign_in())["access_token"])
        async with sessions.begin() as session:
            old = now() - timedelta(minutes=6)
            await session.execute(update(LoginSession).values(authenticated_at=old))
        path = "/api/v1/auth/mfa/totp"
        response = await anonymous.post(path, headers=headers)
        assert response.status_code == 403
        assert response.json()["errors"][0]["code"] == "reauthenticate"
        proof = "/api/v1/auth/reauthenticate"
        wrong = await anonymous.post(proof, json={"password": "wrong"}, headers=headers)
        assert wrong.status_code == 422
        assert (await anonymous.post(path, headers=headers)).status_code == 403
        right = await anonymous.post(proof, json={"password": PASSWORD}, headers=headers)
        assert right.status_code == 204
        assert (await anonymous.post(path, headers=headers)).status_code == 201

    async def test_proofs_are_counted(self, anonymous: AsyncClient, sign_in: SignIn) -> None:
        """Whoever stole a session guesses the password no faster than anybody else."""
        headers = bearer((await sign_in())["access_token"])
        proof = "/api/v1/auth/reauthenticate"
        statuses = [
            (await anonymous.post(proof, json={"password": "wrong"}, headers=headers)).status_code
            for _ in range(12)
        ]
        assert set(statuses) == {422, 429}

    async def test_a_password_alone_removes_no_second_factor(
        self, anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone, sessions: Sessions
    ) -> None:
        """Whoever stole a session and knows the password still needs the telephone."""
        challenge = (await sign_in())["challenge"]
        login = (await answer(anonymous, challenge, telephone.code())).json()
        headers = bearer(login["access_token"])
        async with sessions.begin() as session:
            old = now() - timedelta(minutes=6)
            await session.execute(update(LoginSession).values(authenticated_at=old))
        proof, path = "/api/v1/auth/reauthenticate", "/api/v1/auth/mfa/totp"
        refused = await anonymous.post(proof, json={"password": PASSWORD}, headers=headers)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "needed")
        assert (await anonymous.delete(path, headers=headers)).status_code == 403
        telephone.move(1)
        code = {"code": telephone.code()}
        assert (await anonymous.post(proof, json=code, headers=headers)).status_code == 204
        assert (await anonymous.delete(path, headers=headers)).status_code == 204

    async def test_proofs_take_turns_without_waiting(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions
    ) -> None:
        """Many proofs at once hold no connections: one is looked at, the others come again."""
        login = await sign_in()
        headers = bearer(login["access_token"])
        async with sessions.begin() as session:
            user = await session.scalar(select(User))
            assert user
            assert await session.scalar(queries.try_lock_proof(user.id))
            refused = await anonymous.post(
                "/api/v1/auth/reauthenticate", json={"password": PASSWORD}, headers=headers
            )
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")

    async def test_a_wrong_proof_is_in_the_audit_log(
        self, anonymous: AsyncClient, sign_in: SignIn, sessions: Sessions
    ) -> None:
        """Guessing a password with somebody's session leaves the name of that session's person."""
        headers = bearer((await sign_in())["access_token"])
        await anonymous.post(
            "/api/v1/auth/reauthenticate", json={"password": "wrong"}, headers=headers
        )
        async with sessions() as session:
            failed = AuditEntry.action == Action.LOGIN_FAILURE
            entry = (await session.scalars(select(AuditEntry).where(failed))).one()
        assert (entry.actor_name, entry.after) == ("ann", {"wrong": "password"})

    async def test_disabling_ends_the_other_sessions(
        self, anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone
    ) -> None:
        """Without a second factor a password is enough again, and other logins have ended."""
        challenge = (await sign_in())["challenge"]
        login = (await answer(anonymous, challenge, telephone.code())).json()
        telephone.move(1)
        challenge = (await sign_in())["challenge"]
        other = (await answer(anonymous, challenge, telephone.code())).json()
        path = "/api/v1/auth/mfa/totp"
        response = await anonymous.delete(path, headers=bearer(login["access_token"]))
        assert response.status_code == 204
        me = await anonymous.get("/api/v1/auth/me", headers=bearer(other["access_token"]))
        assert me.status_code == 401
        assert (await sign_in())["challenge"] is None

    async def test_a_new_password_ends_challenges(
        self, app: FastAPI, anonymous: AsyncClient, sign_in: SignIn, telephone: Telephone, ann: User
    ) -> None:
        """A challenge that the old password bought is worth nothing after the change."""
        challenge = (await sign_in())["challenge"]
        identity = app.state.identity
        async with identity.sessions.begin() as session:
            await accounts.set_password(
                session, shell(), identity.passwords, ann.name, "a violin under eleven umbrellas"
            )
        assert (await answer(anonymous, challenge, telephone.code())).status_code == 401
