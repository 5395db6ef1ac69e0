"""Statements about alerts."""

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col, select

from controlplane.alerts.models import Alert, AlertStatus
from controlplane.alerts.schemas import AlertQuery

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


def alerts(query: AlertQuery) -> Select[tuple[Alert]]:
    """Select the alerts that pass the filters."""
    statement = select(Alert)
    for column, value in (
        (Alert.status, query.status),
        (Alert.severity, query.severity),
        (Alert.device, query.device),
        (Alert.alertname, query.alertname),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    return statement


def record() -> Insert:
    """Insert alerts; of one that is there, only the first resolution changes anything.

    So a webhook may come twice, late, or in the wrong order.
    """
    new = insert(Alert)
    return new.on_conflict_do_update(
        index_elements=[col(Alert.fingerprint), col(Alert.starts_at)],
        set_={
            "status": new.excluded.status,
            "ends_at": new.excluded.ends_at,
            "annotations": new.excluded.annotations,
            "received_at": new.excluded.received_at,
        },
        where=(col(Alert.status) == AlertStatus.FIRING)
        & (new.excluded.status == AlertStatus.RESOLVED),
    )
