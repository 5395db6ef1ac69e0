"""Statements about rule set revisions."""

from types import MappingProxyType

from sqlalchemy import Select
from sqlmodel import col, select

from controlplane.provisioning.models import RuleRevision

ORDERING = MappingProxyType(
    {"id": col(RuleRevision.id), "created_at": col(RuleRevision.created_at)}
)


def revisions() -> Select[tuple[RuleRevision]]:
    """Select every attempt to put a rule set in force."""
    return select(RuleRevision)


def newest() -> Select[tuple[RuleRevision]]:
    """Select the last attempt."""
    return revisions().order_by(col(RuleRevision.id).desc()).limit(1)
