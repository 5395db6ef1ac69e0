"""Passwords: which are good, what hashing them costs, and how to get a new one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx import AsyncClient
from sqlmodel import select

from controlplane.audit.models import Action, AuditEntry, Kind
from controlplane.auth import accounts, policy
from controlplane.auth.accounts import Account, Change
from controlplane.auth.actor import shell
from controlplane.auth.models import OneTimeSecret
from controlplane.auth.passwords import MEMORY_KIB, THREADS, Passwords
from controlplane.auth.permissions import Role
from controlplane.clients.mail import Mail
from controlplane.database import now
from controlplane.errors import Busy, Invalid, Unavailable
from controlplane.users.models import User
from tests.controlplane.auth.conftest import SignIn, bearer
from tests.controlplane.auth.postbox import Postbox, postbox
from tests.controlplane.conftest import PASSWORD, Sessions

NEW = "a violin under eleven umbrellas"
CHANGE = "/api/v1/auth/password/change"
RESET = "/api/v1/auth/password/reset"


class TestPolicy:
    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("short", "too_short"),
            ("x" * 257, "too_long"),
            ("password1234", "guessable"),
            ("qwertyuiop12", "guessable"),
            ("aaaaaaaaaaaaaaaaaaaa", "guessable"),
            ("P@ssw0rdP@ssw0rd", "guessable"),
            ("catalyst-monitor", "guessable"),
            ("annabel.example1", "guessable"),
        ],
    )
    def test_bad_passwords_are_refused(self, password: str, code: str) -> None:
        """Too short, known, patterned, or made of one's own name and ours: refused, not echoed."""
        with pytest.raises(Invalid) as refusal:
            policy.check(password, ("annabel", "annabel@example.net"))
        assert refusal.value.problems[0].code == code
        assert password not in str(refusal.value)

    @pytest.mark.parametrize(
        "password", [PASSWORD, NEW, "öäü ßßß 日本語 пароль", "kT9#vLq2!xWz", "w" * 20 + NEW * 7]
    )
    def test_long_ones_need_no_theatre(self, password: str) -> None:
        """Words, any script, up to 256 characters: nobody asks for a digit and a sign."""
        policy.check(password, ("ann",))


class TestHashing:
    async def test_a_hash_is_argon2id_of_its_own(self) -> None:
        """Hashes have the parameters of ASVS 5.0 and a salt of their own."""
        passwords = Passwords()
        first, second = await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)
        assert first.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t=3,p=1$")
        assert first != second
        assert (await passwords.verify(first, PASSWORD)).right
        assert not (await passwords.verify(first, PASSWORD + " ")).right
        passwords.close()

    async def test_a_flood_is_told_to_come_back(self) -> None:
        """Beyond the queue the answer is 503 at once; whoever waits is served, and room returns."""
        passwords = Passwords(memory_kib=1024, queue=3)
        room = THREADS + 3
        waiting = [asyncio.ensure_future(passwords.hash(PASSWORD)) for _ in range(room)]
        await asyncio.sleep(0)
        with pytest.raises(Busy) as refusal:
            await passwords.hash(PASSWORD)
        assert refusal.value.retry_after
        assert len(set(await asyncio.gather(*waiting))) == room
        assert await passwords.hash(PASSWORD)
        passwords.close()

    async def test_a_busy_login_says_when(
        self,
        anonymous: AsyncClient,
        ann: User,
        equip: Callable[..., None],
        statements: list[str],
    ) -> None:
        """On the wire it is 503 with Retry-After, before the database is asked anything."""
        full = Passwords(memory_kib=64, queue=-THREADS)
        equip(passwords=full)
        body = {"name": ann.name, "password": PASSWORD}
        response = await anonymous.post("/api/v1/auth/login", json=body)
        assert response.status_code == 503
        assert not [s for s in statements if "users" in s or "login_attempts" in s]
        assert int(response.headers["Retry-After"]) > 0
        full.close()

    async def test_unknown_people_cost_the_same(
        self, app: FastAPI, anonymous: AsyncClient, ann: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Wrong password, unknown name, disabled, invited: one verification with the same costs."""
        verified: list[str] = []
        hasher = app.state.identity.passwords._hasher
        real = PasswordHasher.verify

        def verify(self: PasswordHasher, stored: str, password: str) -> bool:
            verified.append(stored.rpartition("$")[0].rpartition("$")[0])
            return bool(real(self, stored, password))

        monkeypatch.setattr(PasswordHasher, "verify", verify)
        identity = app.state.identity
        async with identity.sessions.begin() as session:
            await accounts.invite(session, shell(), Account("eve", "", Role.VIEWER))
            off = Account("off", NEW, Role.VIEWER)
            await accounts.add(session, shell(), identity.passwords, off)
            await accounts.disable(session, shell(), "off")
        for name in (ann.name, "nobody", "eve", "off"):
            body = {"name": name, "password": "wrong"}
            assert (await anonymous.post("/api/v1/auth/login", json=body)).status_code == 401
        assert len(verified) == 4
        assert len(set(verified)) == 1
        assert hasher is identity.passwords._hasher

    async def test_an_old_hash_is_renewed_at_login(
        self, app: FastAPI, sign_in: SignIn, ann: User, sessions: Sessions
    ) -> None:
        """A right password gets the parameters of today, without anybody noticing."""
        old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
        async with sessions.begin() as session:
            (await session.get_one(User, ann.id)).password_hash = old
        await sign_in()
        async with sessions() as session:
            stored = (await session.get_one(User, ann.id)).password_hash
        assert stored != old
        verdict = await app.state.identity.passwords.verify(stored, PASSWORD)
        assert (verdict.right, verdict.outdated) == (True, False)


class TestChange:
    async def test_the_current_one_is_needed(self, anonymous: AsyncClient, sign_in: SignIn) -> None:
        """Whoever finds a screen unlocked cannot take the account over."""
        headers = bearer((await sign_in())["access_token"])
        body = {"current_password": "wrong", "new_password": NEW}
        response = await anonymous.post(CHANGE, json=body, headers=headers)
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == "wrong_proof"
        await sign_in()

    @pytest.mark.parametrize("new", ["tiny", PASSWORD, "ann.Ann.ANN.ann"])
    async def test_a_bad_one_changes_nothing(
        self, anonymous: AsyncClient, sign_in: SignIn, new: str
    ) -> None:
        """A new password that is no good, or the old one again, is refused by field."""
        headers = bearer((await sign_in())["access_token"])
        body = {"current_password": PASSWORD, "new_password": new}
        response = await anonymous.post(CHANGE, json=body, headers=headers)
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/password"
        assert new not in response.text
        await sign_in()

    async def test_five_earlier_ones_do_not_come_back(
        self, app: FastAPI, ann: User, sessions: Sessions
    ) -> None:
        """The last five passwords are refused, the one before them is free again."""
        passwords = app.state.identity.passwords
        used = [PASSWORD, *(f"{NEW} {word}" for word in ("one", "two", "three", "four", "five"))]

        async def choose(password: str) -> None:
            async with sessions.begin() as session:
                user = await session.get_one(User, ann.id)
                change = Change(password, "a test")
                await accounts.replace_password(session, passwords, user, change)

        for password in used[1:]:
            await choose(password)
        for password in used[1:]:
            with pytest.raises(Invalid, match="in use before"):
                await choose(password)
        await choose(PASSWORD)


class TestReset:
    @pytest.fixture
    async def box(self, equip: Callable[..., None]) -> AsyncIterator[Postbox]:
        """Give the mail server that the application uses."""
        async with postbox() as box:
            equip(mail=Mail("127.0.0.1", box.port, "none", "chm@example.net"))
            yield box

    @pytest.mark.parametrize("named", ["ann", "ANN@example.net"])
    async def test_a_mail_brings_a_link(
        self, anonymous: AsyncClient, box: Postbox, sign_in: SignIn, named: str
    ) -> None:
        """The link works once, its token is no part of what servers log, and every login ends."""
        login = await sign_in()
        asked = await anonymous.post(RESET, json={"name": named})
        assert asked.status_code == 202
        (message,) = box.messages
        assert message["To"] == "ann@example.net"
        assert message["From"] == "chm@example.net"
        link = next(w for w in message.get_content().split() if w.startswith("http://chm.test/"))
        path, _, token = link.partition("#")
        assert path == "http://chm.test/account/reset"
        confirmed = f"{RESET}/confirm"
        body = {"token": token, "new_password": NEW}
        assert (await anonymous.post(confirmed, json=body)).status_code == 204
        me = await anonymous.get("/api/v1/auth/me", headers=bearer(login["access_token"]))
        assert me.status_code == 401
        await sign_in(password=NEW)
        again = await anonymous.post(confirmed, json={**body, "new_password": f"{NEW} again"})
        assert again.status_code == 422
        assert again.json()["errors"][0]["code"] == "expired"

    async def test_nobody_learns_who_exists(
        self, anonymous: AsyncClient, box: Postbox, ann: User
    ) -> None:
        """For a name that is nobody's the answer is the same, and no mail is sent."""
        answers = [
            await anonymous.post(RESET, json={"name": name}) for name in (ann.name, "nobody")
        ]
        first, second = ((a.status_code, a.text, _plain(a.headers)) for a in answers)
        assert first == second
        assert len(box.messages) == 1

    async def test_who_asks_leaves_a_trace(
        self, anonymous: AsyncClient, box: Postbox, ann: User, sessions: Sessions
    ) -> None:
        """The audit log has for whom a link was asked and from where; by whom, nobody knows."""
        await anonymous.post(RESET, json={"name": "ann"})
        assert box.messages
        async with sessions() as session:
            asked = AuditEntry.action == Action.PASSWORD_RESET
            entry = (await session.scalars(select(AuditEntry).where(asked))).one()
        assert (entry.actor_kind, entry.object_name) == (Kind.ANONYMOUS, ann.name)
        assert entry.address == "127.0.0.1"

    async def test_a_bad_password_leaves_the_link_good(
        self, anonymous: AsyncClient, box: Postbox, sign_in: SignIn
    ) -> None:
        """Whoever is told that the password is too short tries again with the same link."""
        await anonymous.post(RESET, json={"name": "ann"})
        token = box.messages[0].get_content().partition("#")[2].split()[0]
        confirm = f"{RESET}/confirm"
        body = {"token": token, "new_password": "short"}
        assert (await anonymous.post(confirm, json=body)).status_code == 422
        body["new_password"] = NEW
        assert (await anonymous.post(confirm, json=body)).status_code == 204
        await sign_in(password=NEW)

    async def test_a_link_grows_old(
        self, anonymous: AsyncClient, box: Postbox, ann: User, sessions: Sessions
    ) -> None:
        """After an hour a link is worth nothing."""
        await anonymous.post(RESET, json={"name": ann.name})
        token = box.messages[0].get_content().partition("#")[2].split()[0]
        async with sessions.begin() as session:
            (await session.scalars(select(OneTimeSecret))).one().expires_at = now()
        body = {"token": token, "new_password": NEW}
        assert (await anonymous.post(f"{RESET}/confirm", json=body)).status_code == 422

    async def test_a_reset_is_no_invitation(
        self, anonymous: AsyncClient, box: Postbox, ann: User
    ) -> None:
        """A token is good for its own purpose only."""
        await anonymous.post(RESET, json={"name": ann.name})
        token = box.messages[0].get_content().partition("#")[2].split()[0]
        body = {"token": token, "new_password": NEW}
        response = await anonymous.post("/api/v1/auth/invitation/accept", json=body)
        assert response.status_code == 422

    async def test_a_mail_that_fails_is_in_the_log(
        self, anonymous: AsyncClient, box: Postbox, ann: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nobody waits for the mail: what the server refuses is in the log, without the link."""
        box.refusing = True
        with caplog.at_level(logging.ERROR):
            response = await anonymous.post(RESET, json={"name": ann.name})
        assert response.status_code == 202
        assert "was not sent" in caplog.text
        assert "#" not in caplog.text

    async def test_no_header_is_smuggled_in(self, box: Postbox) -> None:
        """A line break in an address or subject is no header of its own."""
        mail = Mail("127.0.0.1", box.port, "none", "chm@example.net")
        for to, subject in (("a@b.c\r\nBcc: x@y.z", "s"), ("a@b.c", "s\nBcc: x@y.z")):
            with pytest.raises(ValueError, match=r"linefeed|newline"):
                await mail.send(to, subject, "text")
        assert not box.messages

    async def test_without_a_server_it_is_unavailable(self) -> None:
        """A mail server that is not there is an error that says so."""
        mail = Mail("127.0.0.1", 1, "none", "chm@example.net")
        with pytest.raises(Unavailable, match="mail server"):
            await mail.send("ann@example.net", "subject", "text")


UNLIKE = {"x-request-id", "ratelimit"}  # of any two answers


def _plain(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in UNLIKE}
