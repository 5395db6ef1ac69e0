"""Statements about alerts, their steps and their incidents."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_
from sqlmodel import col, select

from controlplane import lookups
from controlplane.alerts.models import SEARCHED, Alert, AlertStatus, AlertStep, Incident
from controlplane.alerts.schemas import AlertQuery, IncidentQuery
from controlplane.auth import restrictor
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.lookups import Lowered

ORDERING = {
    "starts_at": col(Alert.starts_at),
    "ends_at": col(Alert.ends_at),
    "received_at": col(Alert.received_at),
    "acknowledged_at": col(Alert.acknowledged_at),
    "alertname": col(Alert.alertname),
    "severity": col(Alert.severity),
    "device": col(Alert.device),
    "site": col(Alert.site),
    "status": col(Alert.status),
    "state": col(Alert.state),
    "assignee": col(Alert.assignee),
    "id": col(Alert.id),
}
INCIDENT_ORDERING = {
    "opened_at": col(Incident.opened_at),
    "closed_at": col(Incident.closed_at),
    "id": col(Incident.id),
}
SUBJECTS = {
    **{name: ORDERING[name] for name in ("status", "state", "severity", "device", "site")},
    **{name: ORDERING[name] for name in ("alertname", "assignee")},
    **{name: ORDERING[name] for name in ("starts_at", "ends_at", "received_at")},
    "team": func.coalesce(col(Alert.labels)["team"].astext, ""),
    "fingerprint": col(Alert.fingerprint),
    "incident": col(Alert.incident_id),
}
Counted = Row[tuple[UUID, int]]


def visible(actor: Actor, permission: Permission = Permission.ALERTS_READ) -> ColumnElement[bool]:
    """Give the condition on alerts about devices on which the actor holds the permission.

    What is about no device, or about one that is no more, is for those who hold it everywhere.
    """
    return restrictor.on_devices(actor, permission, col(Alert.device_id))


def alerts(actor: Actor, query: AlertQuery) -> Select[tuple[Alert]]:
    """Select the alerts that the actor may hear of and that pass the filters."""
    found = lookups.search(query.q, Lowered(SEARCHED, trigrams=True))
    asked = (*lookups.conditions(query, SUBJECTS), *_about_people(query), *_within(query))
    return select(Alert).where(visible(actor), found, *asked)


def _about_people(query: AlertQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.acknowledged is not None:
        acknowledged = col(Alert.acknowledged_at).is_not(None)
        conditions.append(acknowledged if query.acknowledged else ~acknowledged)
    if query.root is not None:
        causes = col(Alert.id).in_(select(Incident.cause_id))
        root = or_(col(Alert.incident_id).is_(None), causes)
        conditions.append(root if query.root else ~root)
    return conditions


def _within(query: AlertQuery) -> list[ColumnElement[bool]]:
    """Give the conditions on time: what fired at any moment between the two."""
    conditions: list[ColumnElement[bool]] = []
    if query.since is not None:
        conditions.append(or_(col(Alert.ends_at).is_(None), col(Alert.ends_at) >= query.since))
    if query.until is not None:
        conditions.append(col(Alert.starts_at) < query.until)
    return conditions


def alert(actor: Actor, permission: Permission, ids: Collection[UUID]) -> Select[tuple[Alert]]:
    """Select the alerts of these ids on which the actor holds the permission."""
    return select(Alert).where(col(Alert.id).in_(ids), visible(actor, permission))


def firing() -> Select[tuple[Alert]]:
    """Select every alert that fires, whoever asks: what runs by itself looks at all of them."""
    return select(Alert).where(col(Alert.status) == AlertStatus.FIRING)


def firing_as(fingerprint: str) -> Select[tuple[Alert]]:
    """Select the alert of this fingerprint that fires."""
    return firing().where(col(Alert.fingerprint) == fingerprint)


def recent(fingerprints: Collection[str], since: datetime) -> Select[tuple[Alert]]:
    """Select the alerts of these fingerprints that fire, or fired at `since` or later."""
    return select(Alert).where(
        col(Alert.fingerprint).in_(fingerprints),
        or_(col(Alert.ends_at).is_(None), col(Alert.ends_at) >= since),
    )


def made_by_hand(over_since: datetime) -> Select[tuple[Alert]]:
    """Select the alerts made by hand that fire, or were over at this moment or later."""
    return select(Alert).where(
        col(Alert.made_by) != "",
        or_(col(Alert.status) == AlertStatus.FIRING, col(Alert.ends_at) >= over_since),
    )


def acknowledged() -> Select[tuple[Alert]]:
    """Select the alerts that fire and that somebody has."""
    return firing().where(col(Alert.acknowledged_at).is_not(None))


def over_while_acknowledged(since: datetime) -> Select[tuple[Alert]]:
    """Select the alerts of rules that were over at `since` or later and that somebody had."""
    return select(Alert).where(
        col(Alert.status) == AlertStatus.RESOLVED,
        col(Alert.ends_at) >= since,
        col(Alert.acknowledged_at).is_not(None),
        col(Alert.made_by) == "",
    )


def expired(moment: datetime) -> Select[tuple[Alert]]:
    """Select the alerts that fire and whose acknowledgement is over."""
    return acknowledged().where(col(Alert.ack_expires_at) <= moment)


def overdue(moment: datetime) -> Select[tuple[Alert]]:
    """Select the alerts made by hand that fire past the end they were given."""
    return firing().where(col(Alert.made_by) != "", col(Alert.until) <= moment)


def steps(alert_id: UUID) -> Select[tuple[AlertStep]]:
    """Select the steps of an alert, the first one first."""
    return select(AlertStep).where(AlertStep.alert_id == alert_id).order_by(col(AlertStep.id))


def incidents(actor: Actor, query: IncidentQuery) -> Select[tuple[Incident]]:
    """Select the incidents that hold an alert the actor may hear of."""
    heard = select(Alert.incident_id).where(col(Alert.incident_id).is_not(None), visible(actor))
    asked = lookups.conditions(query, INCIDENT_ORDERING)
    statement = select(Incident).where(col(Incident.id).in_(heard), *asked)
    if query.open is not None:
        is_open = col(Incident.closed_at).is_(None)
        statement = statement.where(is_open if query.open else ~is_open)
    return statement


def incident(actor: Actor, incident_id: UUID) -> Select[tuple[Incident]]:
    """Select the incident of this id, where the actor may hear of one of its alerts."""
    return incidents(actor, IncidentQuery()).where(col(Incident.id) == incident_id)


def of_causes(causes: Collection[UUID]) -> Select[tuple[Incident]]:
    """Select the incidents whose causes these alerts are."""
    return select(Incident).where(col(Incident.cause_id).in_(causes))


def incidents_of(ids: Collection[UUID]) -> Select[tuple[Incident]]:
    """Select the incidents of these ids."""
    return select(Incident).where(col(Incident.id).in_(ids))


def symptoms(actor: Actor, ids: Collection[UUID]) -> Select[tuple[UUID, int]]:
    """Count the symptoms of each of these incidents that the actor may hear of."""
    return (
        select(col(Incident.id), func.count())
        .join(Alert, col(Alert.incident_id) == Incident.id)
        .where(col(Incident.id).in_(ids), col(Alert.id) != Incident.cause_id, visible(actor))
        .group_by(col(Incident.id))
    )


def unsettled() -> Select[tuple[Incident, datetime | None, int]]:
    """Give incidents that are open or fire again: with the last end, and how many still fire."""
    fires = col(Alert.status) == AlertStatus.FIRING
    again = select(Alert.incident_id).where(fires, col(Alert.incident_id).is_not(None))
    return (
        select(Incident, func.max(Alert.ends_at), func.count().filter(fires))
        .outerjoin(Alert, col(Alert.incident_id) == Incident.id)
        .where(or_(col(Incident.closed_at).is_(None), col(Incident.id).in_(again)))
        .group_by(col(Incident.id))
    )
