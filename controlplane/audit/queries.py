"""Statements about the audit log."""

from types import MappingProxyType

from sqlalchemy import Select
from sqlmodel import col, select

from controlplane import lookups
from controlplane.audit.models import AuditEntry
from controlplane.audit.schemas import AuditFilter

ORDERING = MappingProxyType({"seq": col(AuditEntry.seq), "at": col(AuditEntry.at)})
SUBJECTS = MappingProxyType(
    {
        "action": col(AuditEntry.action),
        "outcome": col(AuditEntry.outcome),
        "actor": col(AuditEntry.actor_name),
        "actor_kind": col(AuditEntry.actor_kind),
        "address": col(AuditEntry.address),
        "request_id": col(AuditEntry.request_id),
        "object_type": col(AuditEntry.object_type),
        "object_name": col(AuditEntry.object_name),
        "at": col(AuditEntry.at),
    }
)
SEARCHED = ("actor", "object_type", "object_name", "address", "request_id")


def entries(wanted: AuditFilter) -> Select[tuple[AuditEntry]]:
    """Select the entries that pass the filters."""
    found = lookups.search(wanted.q, *(SUBJECTS[name] for name in SEARCHED))
    statement = select(AuditEntry).where(found, *lookups.conditions(wanted, SUBJECTS))
    if wanted.since is not None:
        statement = statement.where(col(AuditEntry.at) >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(col(AuditEntry.at) < wanted.until)
    return statement


def newest() -> Select[tuple[AuditEntry]]:
    """Select the last entry."""
    return select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)
