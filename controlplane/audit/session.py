"""Sessions that seal what they did: the entries of a transaction are chained in its last moment.

Chaining takes turns under a lock of the database. Taken just before the commit, with everything
else written, it is held for a few milliseconds and can be part of no deadlock; ten thousand
entries of an import take it once. A transaction that is rolled back leaves no entry.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretBytes
from sqlalchemy import event, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, SessionTransaction
from sqlmodel import col

from controlplane.audit import chain
from controlplane.audit.chain import Head
from controlplane.audit.models import AuditEntry
from controlplane.database import READING

LOCK = text("SELECT pg_advisory_xact_lock(1128811844)")  # "CHMD"

NEWEST = select(AuditEntry.seq, AuditEntry.mac).order_by(col(AuditEntry.seq).desc()).limit(1)  # type: ignore[call-overload]


class AuditedSession(Session):
    """A session that writes the audit log; `key` chains its entries."""

    def __init__(self, *args: Any, audit_key: SecretBytes, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._key = audit_key.get_secret_value()
        self._pending: list[tuple[SessionTransaction, Mapping[str, Any]]] = []

    def keep(self, entry: Mapping[str, Any]) -> None:
        """Remember an entry until the commit; a savepoint rolled back takes it along."""
        _refuse_reading(self)
        transaction = self.get_nested_transaction() or self.get_transaction() or self.begin()
        self._pending.append((transaction, entry))

    def seal(self) -> None:
        """Chain and insert what is remembered."""
        if not self._pending:
            return
        self.flush()  # all other locks are taken before ours
        self.execute(LOCK)
        newest = self.execute(NEWEST).one_or_none()
        head = Head(*newest) if newest else Head()
        entries = [entry for _, entry in self._pending]
        self._pending.clear()
        self.execute(insert(AuditEntry), list(chain.append(self._key, head, entries)))

    def forget(self, ended: SessionTransaction) -> None:
        """Drop what belongs to a transaction that is rolled back."""
        self._pending = [item for item in self._pending if not _within(item[0], ended)]


def _within(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None and inner is not outer:
        inner = inner.parent
    return inner is outer


@event.listens_for(AuditedSession, "before_flush")
def _refuse_reading(session: Session, *_: object) -> None:
    """Keep what has no transaction from writing objects, or the log."""
    if session.info.get(READING):
        raise RuntimeError("a request that may change nothing writes, without a transaction")


@event.listens_for(AuditedSession, "before_commit")
def _seal(session: AuditedSession) -> None:
    if not session.in_nested_transaction():
        session.seal()


@event.listens_for(AuditedSession, "after_soft_rollback")
def _forget(session: AuditedSession, ended: SessionTransaction) -> None:
    session.forget(ended)


def sessions(engine: AsyncEngine, key: bytes) -> async_sessionmaker[AsyncSession]:
    """Make the factory of sessions; objects stay readable after the commit."""
    return async_sessionmaker(
        engine,
        expire_on_commit=False,
        sync_session_class=AuditedSession,
        audit_key=SecretBytes(key),
    )
