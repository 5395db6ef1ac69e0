"""Change shipped alerts; the next rule set has them so."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import rules
from controlplane import events, preconditions
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.errors import NotFound
from controlplane.provisioning.shipped_alerts import queries, shipped
from controlplane.provisioning.shipped_alerts.models import AlertChange
from controlplane.provisioning.shipped_alerts.schemas import AlertRuleRead, AlertRuleUpdate, Times
from controlplane.provisioning.shipped_alerts.shipped import Shipped

NOUN = "alert rule"  # as the audit log has it


async def changes(session: AsyncSession) -> Mapping[str, rules.Change]:
    """Give what operators changed, as rules have it, by the name of the alert."""
    return {
        change.alert: rules.Change(
            change.for_seconds, change.keep_firing_for_seconds, enabled=change.enabled
        )
        for change in await session.scalars(queries.changes())
    }


async def read(
    session: AsyncSession, intent: rules.Intent, names: Collection[str]
) -> list[AlertRuleRead]:
    """Give the alerts of these names as they are in force; an unknown one is left out."""
    known = shipped.by_name(intent)
    found = await session.scalars(queries.changes(names))
    changed = {change.alert: change for change in found}
    return [
        _read(known[name], changed.get(name) or AlertChange(alert=name), intent)
        for name in names
        if name in known
    ]


async def get(session: AsyncSession, intent: rules.Intent, name: str) -> AlertRuleRead:
    """Give the alert of this name, or raise NotFound."""
    for alert in await read(session, intent, [name]):
        return alert
    raise NotFound(f"no alert {name!r} is shipped")


async def update(  # noqa: PLR0917 - who changes what, and which version of it they saw
    session: AsyncSession,
    actor: Actor,
    intent: rules.Intent,
    name: str,
    data: AlertRuleUpdate,
    if_match: str | None = None,
) -> AlertRuleRead:
    """Change the given fields of an alert, unless it is no longer the version the actor saw."""
    await events.changed(session)
    before = await get(session, intent, name)
    preconditions.check(before.version, if_match)
    change = await session.get(AlertChange, name) or AlertChange(alert=name)
    kept = _kept(change)
    change.sqlmodel_update(data.model_dump(exclude_unset=True))
    if _kept(change) == kept:
        return before
    change.version += 1
    change.updated_at = now()
    session.add(change)
    await session.flush()
    await audit.record(
        session,
        Action.UPDATE,
        who=actor.who,
        object_type=NOUN,
        object_name=name,
        before=kept,
        after=_kept(change),
    )
    return await get(session, intent, name)


def _kept(change: AlertChange) -> dict[str, Any]:
    return change.model_dump(include=set(AlertRuleUpdate.model_fields))


def _read(alert: Shipped, change: AlertChange, intent: rules.Intent) -> AlertRuleRead:
    hold, keep = change.for_seconds, change.keep_firing_for_seconds
    return AlertRuleRead(
        name=alert.name,
        severities=list(alert.severities),
        alertclass=alert.alertclass,
        summary=alert.summary,
        description=alert.description,
        runbook_url=intent.runbook(alert.name),
        enabled=change.enabled,
        for_seconds=alert.hold if hold is None else hold,
        keep_firing_for_seconds=alert.keep if keep is None else keep,
        shipped=Times(for_seconds=alert.hold, keep_firing_for_seconds=alert.keep),
        version=change.version,
        updated_at=change.updated_at if change.version > 1 else None,
    )
