"""Statements about alerts."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, or_
from sqlmodel import col, select

from controlplane.alerts.models import Alert
from controlplane.alerts.schemas import AlertQuery
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission

ORDERING = {
    "starts_at": col(Alert.starts_at),
    "ends_at": col(Alert.ends_at),
    "received_at": col(Alert.received_at),
    "alertname": col(Alert.alertname),
    "severity": col(Alert.severity),
    "device": col(Alert.device),
    "status": col(Alert.status),
    "id": col(Alert.id),
}


def alerts(actor: Actor, query: AlertQuery) -> Select[tuple[Alert]]:
    """Select the alerts that pass the filters and are about devices that the actor may hear of.

    What is about no device, or about one that is no more, is for those who hear of everything.
    """
    reached = restrictor.on_device_names(actor, Permission.ALERTS_READ, col(Alert.device))
    statement = select(Alert).where(reached)
    for column, value in (
        (Alert.status, query.status),
        (Alert.severity, query.severity),
        (Alert.device, query.device),
        (Alert.alertname, query.alertname),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    return statement


def recent(fingerprints: Collection[str], since: datetime) -> Select[tuple[Alert]]:
    """Select the alerts of these fingerprints that fire, or fired at `since` or later."""
    return select(Alert).where(
        col(Alert.fingerprint).in_(fingerprints),
        or_(col(Alert.ends_at).is_(None), col(Alert.ends_at) >= since),
    )
