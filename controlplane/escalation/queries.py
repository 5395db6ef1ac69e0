"""Statements about schedules, policies and escalations."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select, update
from sqlalchemy.sql.dml import Update
from sqlmodel import col

from controlplane import lookups
from controlplane.alerts import queries as alert_queries
from controlplane.alerts.models import Alert, AlertStatus
from controlplane.auth.actor import Actor
from controlplane.escalation.models import (
    Contact,
    Escalation,
    Override,
    Policy,
    Schedule,
    Telling,
)
from controlplane.escalation.schemas import EscalationQuery, PolicyQuery, ScheduleQuery
from controlplane.notifications.models import Channel
from controlplane.users.models import User

SCHEDULE_ORDERING = {"name": col(Schedule.name), "created_at": col(Schedule.created_at)}
POLICY_ORDERING = {"name": col(Policy.name), "position": col(Policy.position)}
ORDERING = {"created_at": col(Escalation.created_at), "id": col(Escalation.id)}
SUBJECTS = {
    "alert": col(Escalation.alert_id),
    "policy": col(Escalation.policy),
    "created_at": col(Escalation.created_at),
    "closed_at": col(Escalation.closed_at),
}
TELLS_NOBODY = "none"  # the severity of what is only recorded


def schedules(query: ScheduleQuery) -> Select[tuple[Schedule]]:
    """Select the schedules that pass the filters."""
    return select(Schedule).where(*lookups.conditions(query, SCHEDULE_ORDERING))


def schedule(name: str) -> Select[tuple[Schedule]]:
    """Select the schedule of this name."""
    return select(Schedule).where(col(Schedule.name) == name)


def locked_schedule(name: str) -> Select[tuple[Schedule]]:
    """Select the schedule of this name to change it: ours until the commit."""
    return schedule(name).with_for_update().execution_options(populate_existing=True)


def overrides(schedule: UUID) -> Select[tuple[Override]]:
    """Select those who stand in on a schedule, the newest last: it counts."""
    return (
        select(Override)
        .where(col(Override.schedule_id) == schedule)
        .order_by(col(Override.created_at), col(Override.id))
    )


def contacts() -> Select[tuple[Contact]]:
    """Select the channel of each person."""
    return select(Contact).order_by(col(Contact.person))


def channels(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that a channel has which people made; none goes before we end."""
    named = select(col(Channel.name)).where(col(Channel.name).in_(names))
    return named.with_for_update(read=True, key_share=True)


def people(names: Collection[str]) -> Select[tuple[str]]:
    """Select those of the names that somebody has."""
    return select(col(User.name)).where(col(User.name).in_(names))


def policies(query: PolicyQuery) -> Select[tuple[Policy]]:
    """Select the policies that pass the filters."""
    return select(Policy).where(*lookups.conditions(query, POLICY_ORDERING))


def in_order() -> Select[tuple[Policy]]:
    """Select every policy in the order in which they are asked."""
    return select(Policy).order_by(col(Policy.position), col(Policy.name))


def policy(name: str) -> Select[tuple[Policy]]:
    """Select the policy of this name."""
    return select(Policy).where(col(Policy.name) == name)


def locked_policy(name: str) -> Select[tuple[Policy]]:
    """Select the policy of this name to change it: ours until the commit."""
    return policy(name).with_for_update().execution_options(populate_existing=True)


def new() -> Select[tuple[Alert]]:
    """Select the alerts that fire, tell people, and are not on their way through a policy."""
    known = select(col(Escalation.alert_id))
    return select(Alert).where(
        col(Alert.status) == AlertStatus.FIRING,
        col(Alert.severity) != TELLS_NOBODY,
        col(Alert.id).not_in(known),
    )


def under_way() -> Select[tuple[Escalation, Alert]]:
    """Select what is not closed, with its alert; and what was closed when its alert fires again."""
    return (
        select(Escalation, Alert)
        .join(Alert, col(Alert.id) == col(Escalation.alert_id))
        .where(or_(col(Escalation.closed_at).is_(None), col(Alert.status) == AlertStatus.FIRING))
    )


def tellings(escalations: Collection[UUID]) -> Select[tuple[Telling]]:
    """Select who was told of these escalations, in order."""
    return (
        select(Telling)
        .where(col(Telling.escalation_id).in_(escalations))
        .order_by(col(Telling.position), col(Telling.channel), col(Telling.person))
    )


def told_positions() -> Select[tuple[UUID, int]]:
    """Select the steps that were told of what is under way, each once."""
    ids = under_way().with_only_columns(col(Escalation.id))
    return (
        select(col(Telling.escalation_id), col(Telling.position))
        .where(col(Telling.escalation_id).in_(ids))
        .distinct()
    )


def told() -> Select[tuple[Telling, Escalation, Alert]]:
    """Select what Alertmanager should hold or holds: of open escalations, and what is live."""
    return (
        select(Telling, Escalation, Alert)
        .join(Escalation, col(Escalation.id) == col(Telling.escalation_id))
        .join(Alert, col(Alert.id) == col(Escalation.alert_id))
        .where(or_(col(Telling.live), col(Escalation.counting_since).is_not(None)))
    )


def mark(tellings: Collection[UUID], *, live: bool) -> Update:
    """Note whether Alertmanager holds these."""
    return update(Telling).where(col(Telling.id).in_(tellings)).values(live=live)


def tell_again(escalation: UUID, moment: datetime) -> Update:
    """Begin anew what was told of an escalation."""
    return update(Telling).where(col(Telling.escalation_id) == escalation).values(told_at=moment)


def escalations(actor: Actor, query: EscalationQuery) -> Select[tuple[Escalation]]:
    """Select the escalations of alerts that the actor may hear of."""
    statement = (
        select(Escalation)
        .join(Alert, col(Alert.id) == col(Escalation.alert_id))
        .where(alert_queries.visible(actor), *lookups.conditions(query, SUBJECTS))
    )
    if query.open is not None:
        is_open = col(Escalation.closed_at).is_(None)
        statement = statement.where(is_open if query.open else ~is_open)
    return statement
