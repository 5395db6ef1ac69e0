"""Statements about the audit log."""

from types import MappingProxyType

from sqlalchemy import Select
from sqlmodel import col, select

from controlplane.audit.models import AuditEntry
from controlplane.audit.schemas import AuditFilter

ORDERING = MappingProxyType({"seq": col(AuditEntry.seq), "at": col(AuditEntry.at)})


def entries(wanted: AuditFilter) -> Select[tuple[AuditEntry]]:
    """Select the entries that pass the filters."""
    statement = select(AuditEntry)
    for column, value in (
        (AuditEntry.action, wanted.action),
        (AuditEntry.outcome, wanted.outcome),
        (AuditEntry.actor_kind, wanted.actor_kind),
        (AuditEntry.actor_name, wanted.actor),
        (AuditEntry.address, wanted.address),
        (AuditEntry.request_id, wanted.request_id),
        (AuditEntry.object_type, wanted.object_type),
        (AuditEntry.object_name, wanted.object_name),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    if wanted.since is not None:
        statement = statement.where(col(AuditEntry.at) >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(col(AuditEntry.at) < wanted.until)
    return statement


def newest() -> Select[tuple[AuditEntry]]:
    """Select the last entry."""
    return select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1)
