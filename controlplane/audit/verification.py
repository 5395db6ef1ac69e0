"""Verify the audit log: walk the chain from its start and name the first entry that is broken."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from controlplane.audit import chain
from controlplane.audit.chain import Head
from controlplane.audit.models import AuditEntry

STEP = 1000  # entries held in memory at a time


@dataclass(frozen=True)
class Broken:
    """The first entry that is not as it was written, and what is wrong with it."""

    seq: int
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What a walk along the chain found: how many entries are good, up to which, and the break."""

    entries: int
    head: Head
    broken: Broken | None


async def verify(session: AsyncSession, key: bytes, anchors: Mapping[int, str]) -> Verdict:
    """Walk the whole log; `anchors` are codes of entries that were noted outside the database."""
    head = Head()
    statement = select(AuditEntry).order_by(col(AuditEntry.seq))
    entries = await session.stream_scalars(statement.execution_options(yield_per=STEP))
    async for entry in entries:
        broken = _examine(key, head, entry, anchors)
        if broken:
            return Verdict(head.seq, head, broken)
        head = Head(entry.seq, entry.mac)
    lost = [seq for seq in anchors if seq > head.seq]
    if lost:
        reason = f"missing: the log ends before it, but entry {max(lost)} was anchored"
        return Verdict(head.seq, head, Broken(head.seq + 1, reason))
    return Verdict(head.seq, head, None)


def _examine(
    key: bytes, head: Head, entry: AuditEntry, anchors: Mapping[int, str]
) -> Broken | None:
    if entry.seq != head.seq + 1:
        return Broken(head.seq + 1, "missing")
    if entry.mac != chain.mac(key, head.mac, entry.model_dump()):
        return Broken(entry.seq, "changed, or not where it was written")
    if anchors.get(entry.seq, entry.mac) != entry.mac:
        return Broken(entry.seq, "another entry was anchored here: the log was written anew")
    return None


async def can_rewrite(session: AsyncSession) -> bool:
    """Say whether the database's role of this session could change or delete entries."""
    privileges = text(
        "SELECT has_table_privilege('audit_entries', 'UPDATE, DELETE, TRUNCATE, TRIGGER')"
        " OR pg_has_role(relowner, 'USAGE')"
        " FROM pg_class WHERE oid = 'audit_entries'::regclass"
    )
    return bool(await session.scalar(privileges))
