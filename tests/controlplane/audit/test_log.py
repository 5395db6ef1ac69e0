"""Writing the audit log and proving that nobody rewrote it, on a real database."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlmodel import col

from controlplane.audit import service as audit
from controlplane.audit import verification
from controlplane.audit.chain import Head
from controlplane.audit.models import Action, AuditEntry, Kind, Outcome, Who
from controlplane.audit.verification import Broken, Verdict
from controlplane.auth import keys
from controlplane.settings import Settings
from controlplane.users.models import User
from tests.controlplane.conftest import Sessions

WHO = Who(Kind.USER, str(uuid4()), "ada", "192.0.2.7", "request-1")

Verify = Callable[..., Awaitable[Verdict]]


async def entries(sessions: Sessions) -> list[AuditEntry]:
    async with sessions() as session:
        return list(await session.scalars(select(AuditEntry).order_by(col(AuditEntry.seq))))


@pytest.fixture
def verify(sessions: Sessions, settings: Settings) -> Verify:
    """Give a function that walks the log with the key of the installation."""

    async def verify(anchors: dict[int, str] | None = None) -> Verdict:
        async with sessions() as session:
            key = keys.load(settings.secrets / "audit.key")
            return await verification.verify(session, key, anchors or {})

    return verify


@pytest.fixture
async def log(sessions: Sessions) -> list[AuditEntry]:
    """Give a log of five entries."""
    for name in ("one", "two", "three", "four", "five"):
        async with sessions.begin() as session:
            await audit.record(session, Action.CREATE, who=WHO, object_name=name)
    return await entries(sessions)


class TestRecord:
    async def test_it_says_who_did_what_to_what_from_where(self, sessions: Sessions) -> None:
        """An entry holds the actor, the address, the request, the object and what differs."""
        identity = uuid4()
        async with sessions.begin() as session:
            await audit.record(
                session,
                Action.UPDATE,
                who=WHO,
                object_type="device",
                object_id=identity,
                object_name="core1",
                before={"role": "core", "port": 161, "tags": ["a"]},
                after={"role": "edge", "port": 161, "tags": ["a"]},
            )
        (entry,) = await entries(sessions)
        assert entry.at <= datetime.now(UTC)
        assert entry.model_dump(exclude={"at", "mac"}) == {
            "seq": 1,
            "action": Action.UPDATE,
            "outcome": Outcome.SUCCESS,
            "actor_kind": Kind.USER,
            "actor_id": WHO.id,
            "actor_name": "ada",
            "address": "192.0.2.7",
            "request_id": "request-1",
            "object_type": "device",
            "object_id": str(identity),
            "object_name": "core1",
            "before": {"role": "core"},
            "after": {"role": "edge"},
        }

    async def test_secrets_appear_as_changed_only(self, sessions: Sessions) -> None:
        """No secret reaches the log, whether it is marked as one or only called so."""
        async with sessions.begin() as session:
            await audit.record(
                session,
                Action.UPDATE,
                who=WHO,
                before={"community": "canary-1", "nested": {"password": "canary-2"}},
                after={"community": "canary-3", "key": SecretStr("canary-4"), "raw": b"canary-5"},
            )
        (entry,) = await entries(sessions)
        assert "canary" not in repr(entry)
        assert entry.after == {"community": "changed", "key": "changed", "raw": "changed"}

    async def test_what_is_rolled_back_leaves_no_entry(self, sessions: Sessions) -> None:
        """The entry and the change it tells of arrive together, or neither does."""
        async with sessions() as session:
            await audit.record(session, Action.CREATE, who=WHO)
            await session.rollback()
            await session.commit()
        assert await entries(sessions) == []

    async def test_a_savepoint_takes_its_entries_along(self, sessions: Sessions) -> None:
        """Of a savepoint that is rolled back nothing is told; what came before it stays."""
        async with sessions.begin() as session:
            await audit.record(session, Action.CREATE, who=WHO, object_name="kept")
            savepoint = await session.begin_nested()
            await audit.record(session, Action.CREATE, who=WHO, object_name="undone")
            await savepoint.rollback()
            async with session.begin_nested():
                await audit.record(session, Action.CREATE, who=WHO, object_name="released")
        assert [entry.object_name for entry in await entries(sessions)] == ["kept", "released"]

    async def test_writers_at_once_make_one_chain(self, sessions: Sessions, verify: Verify) -> None:
        """Twenty transactions at a time neither lose a number nor break the chain."""

        async def write(name: str) -> None:
            async with sessions.begin() as session:
                await audit.record(session, Action.CREATE, who=WHO, object_name=name)
                await audit.record(session, Action.DELETE, who=WHO, object_name=name)

        await asyncio.gather(*(write(str(number)) for number in range(20)))
        verdict = await verify()
        assert (verdict.entries, verdict.broken) == (40, None)

    async def test_many_entries_take_the_lock_once(
        self, app: FastAPI, sessions: Sessions, verify: Verify
    ) -> None:
        """A thousand entries of one transaction are a handful of statements, not thousands."""
        statements: list[str] = []
        engine = app.state.engine.sync_engine

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            async with sessions.begin() as session:
                for number in range(1000):
                    name = f"device-{number}"
                    await audit.record(session, Action.IMPORT, who=WHO, object_name=name)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert len([s for s in statements if "advisory" in s]) == 1
        assert len(statements) < 20
        assert (await verify()).entries == 1000

    async def test_a_session_without_a_key_is_refused(self, app: FastAPI) -> None:
        """A change that could not be recorded does not pass as if it were."""
        plain = async_sessionmaker(app.state.engine)
        async with plain() as session:
            with pytest.raises(TypeError, match="audit"):
                await audit.record(session, Action.CREATE, who=WHO)

    async def test_text_that_cannot_be_stored(self, sessions: Sessions, verify: Verify) -> None:
        """What terminals obey, and a name without end, are recorded and do no harm."""
        async with sessions.begin() as session:
            name = "a\x00\n\x1b\x9b\N{RIGHT-TO-LEFT OVERRIDE}\ud800b"
            await audit.record(session, Action.LOGIN_FAILURE, who=Who(Kind.ANONYMOUS, name=name))
            await audit.record(
                session, Action.LOGIN_FAILURE, who=Who(Kind.ANONYMOUS, name="x" * 9999)
            )
        first, second = await entries(sessions)
        assert first.actor_name == "a" + 6 * "\N{REPLACEMENT CHARACTER}" + "b"
        assert len(second.actor_name) == 255
        assert (await verify()).broken is None


class TestTheFences:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entries SET actor_name = 'nobody'",
            "DELETE FROM audit_entries",
            "TRUNCATE audit_entries",
            "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
            "DROP TABLE audit_entries",
        ],
    )
    async def test_the_application_cannot_rewrite(
        self, sessions: Sessions, log: list[AuditEntry], statement: str
    ) -> None:
        """The role that the application connects as is refused by the database."""
        session: AsyncSession
        async with sessions() as session:
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                await session.execute(text(statement))
        assert len(await entries(sessions)) == len(log)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_entries SET actor_name = 'nobody'",
            "DELETE FROM audit_entries WHERE seq = 5",
            "TRUNCATE audit_entries",
        ],
    )
    async def test_the_owner_meets_the_second_fence(
        self, owner: AsyncEngine, sessions: Sessions, log: list[AuditEntry], statement: str
    ) -> None:
        """Even the owner is stopped by a trigger, which has to be taken away on purpose."""
        with pytest.raises(DBAPIError, match="append-only"):
            async with owner.begin() as connection:
                await connection.execute(text(statement))
        assert len(await entries(sessions)) == len(log)

    async def test_a_role_that_could_is_told_of(
        self, owner: AsyncEngine, sessions: Sessions
    ) -> None:
        """It is known whether the role that is used could rewrite the log."""
        async with sessions() as session:
            assert not await verification.can_rewrite(session)
        async with AsyncSession(owner) as session:
            assert await verification.can_rewrite(session)


def missing(seq: int) -> Broken:
    return Broken(seq, "missing")


def changed(seq: int) -> Broken:
    return Broken(seq, "changed, or not where it was written")


SWAP = (
    "UPDATE audit_entries SET seq = -2 WHERE seq = 2",
    "UPDATE audit_entries SET seq = 2 WHERE seq = 3",
    "UPDATE audit_entries SET seq = 3 WHERE seq = -2",
)
REUSED = (
    "DELETE FROM audit_entries WHERE seq = 2",
    "UPDATE audit_entries SET seq = -seq WHERE seq > 2",
    "UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0",
)


class TestVerify:
    async def test_a_good_log(self, log: list[AuditEntry], verify: Verify) -> None:
        """An untouched log is good to its last entry."""
        verdict = await verify()
        assert verdict == Verdict(5, Head(5, log[-1].mac), None)

    async def test_an_empty_log(self, verify: Verify) -> None:
        """A log without entries is good."""
        assert (await verify()).broken is None

    @pytest.mark.parametrize(
        ("statements", "broken"),
        [
            (("UPDATE audit_entries SET actor_name = 'eve' WHERE seq = 3",), changed(3)),
            (("UPDATE audit_entries SET at = at + interval '1s' WHERE seq = 3",), changed(3)),
            (("UPDATE audit_entries SET after = '{\"a\": 1}' WHERE seq = 3",), changed(3)),
            (("UPDATE audit_entries SET mac = repeat('a', 64) WHERE seq = 4",), changed(4)),
            (("DELETE FROM audit_entries WHERE seq = 3",), missing(3)),
            (("DELETE FROM audit_entries WHERE seq = 1",), missing(1)),
            (SWAP, changed(2)),
            (REUSED, changed(2)),
        ],
    )
    @pytest.mark.usefixtures("log")
    async def test_the_first_broken_entry_is_named(
        self, owner: AsyncEngine, verify: Verify, statements: tuple[str, ...], broken: Broken
    ) -> None:
        """Whoever gets past the fences is found out, wherever they altered the log."""
        await rewrite(owner, *statements)
        assert (await verify()).broken == broken

    async def test_a_cut_tail_is_found_by_an_anchor(
        self, owner: AsyncEngine, log: list[AuditEntry], verify: Verify
    ) -> None:
        """Without its last entries the chain is whole; the code noted elsewhere knows better."""
        anchors = {5: log[-1].mac}
        await rewrite(owner, "DELETE FROM audit_entries WHERE seq > 3")
        assert (await verify()).broken is None
        assert (await verify(anchors)).broken == Broken(
            4, "missing: the log ends before it, but entry 5 was anchored"
        )

    async def test_a_tail_written_anew_is_found_by_an_anchor(
        self, owner: AsyncEngine, log: list[AuditEntry], sessions: Sessions, verify: Verify
    ) -> None:
        """An entry that took the place of one that was anchored is told from it."""
        anchors = {5: log[-1].mac}
        await rewrite(owner, "DELETE FROM audit_entries WHERE seq > 4")
        async with sessions.begin() as session:
            await audit.record(session, Action.CREATE, who=WHO, object_name="another five")
        assert (await verify()).broken is None
        broken = (await verify(anchors)).broken
        assert broken is not None
        assert broken.seq == 5
        assert "anchored" in broken.reason


async def rewrite(owner: AsyncEngine, *statements: str) -> None:
    """Do what only the owner of the database can, and only on purpose."""
    async with owner.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            await connection.execute(text(statement))


async def test_the_key_is_not_shown(sessions: Sessions, settings: Settings) -> None:
    """What prints the factory of sessions, as a traceback may, does not print the key."""
    assert repr(keys.load(settings.secrets / "audit.key")) not in repr(sessions)


async def test_the_log_is_flushed_with_the_change(sessions: Sessions) -> None:
    """What is still to be written when the transaction ends is written before the log is locked."""
    async with sessions.begin() as session:
        session.add(User(name="late", password_hash="x"))
        await audit.record(session, Action.CREATE, who=WHO, object_name="late")
    assert len(await entries(sessions)) == 1
