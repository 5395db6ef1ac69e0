"""Statements about kept answers."""

from datetime import datetime

from sqlalchemy import Delete, Select, delete, func
from sqlmodel import col, select

from controlplane.retries.models import KeptAnswer


def claim(number: int) -> Select[tuple[bool]]:
    """Take the lock of this number until the end of the transaction; false where another has it."""
    return select(func.pg_try_advisory_xact_lock(number))


def kept(key: str, since: datetime) -> Select[tuple[KeptAnswer]]:
    """Select what was answered under this key since then."""
    return select(KeptAnswer).where(KeptAnswer.key == key, col(KeptAnswer.created_at) >= since)


def held(actor: str) -> Select[tuple[int, int, datetime | None]]:
    """Count the answers kept for an actor and their bytes, and give the oldest moment."""
    bytes_ = func.coalesce(func.sum(KeptAnswer.size), 0)
    return select(func.count(), bytes_, func.min(KeptAnswer.created_at)).where(
        KeptAnswer.actor == actor
    )


def outlived(key: str, until: datetime) -> Delete:
    """Remove what was answered under this key before then."""
    return delete(KeptAnswer).where(col(KeptAnswer.key) == key, col(KeptAnswer.created_at) < until)


def old(until: datetime) -> Delete:
    """Remove what was answered before then."""
    return delete(KeptAnswer).where(col(KeptAnswer.created_at) < until)
