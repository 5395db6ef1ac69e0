"""Keep incidents: alerts that fire for one cause, and that cause."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import correlation, queries, service
from controlplane.alerts.correlation import UNREACHABLE
from controlplane.alerts.history import Change
from controlplane.alerts.models import Alert, Incident, Step
from controlplane.auth.actor import Actor, system
from controlplane.database import now
from controlplane.devices import queries as devices


async def correlate(session: AsyncSession) -> None:
    """Attach symptoms to the incident of their cause, and close what fires no longer.

    A symptom stays where it is as long as the cause there fires and is no symptom itself.
    """
    firing = list(await session.scalars(queries.firing()))
    parents = await _parents(session, firing)
    causes = correlation.causes(firing, parents)
    incidents = await _of_causes(session, {cause.id: cause for cause in causes.values()}.values())
    await session.flush()
    present = {alert.incident_id for alert in firing if alert.incident_id}
    current_ones = await session.scalars(queries.incidents_of(present))
    of_incident = {incident.id: incident for incident in current_ones}
    causing = {alert.id for alert in firing} - causes.keys()
    changes = []
    for alert in firing:
        cause = causes.get(alert.id)
        current = of_incident.get(alert.incident_id) if alert.incident_id else None
        if cause is None or (current is not None and current.cause_id in causing):
            continue
        incident = incidents[cause.id]
        cause.incident_id = alert.incident_id = incident.id
        detail = {"cause_id": str(cause.id), "cause": cause.alertname, "device": cause.device}
        changes.append(Change(alert, Step.CORRELATED, detail=detail))
    await service.record(session, changes)
    await _settle(session)


async def shown(
    session: AsyncSession, actor: Actor, ids: Collection[UUID]
) -> dict[UUID, tuple[Incident, Alert | None, int]]:
    """Give incidents with their cause, where the actor may hear of it, and count of symptoms."""
    incidents = list(await session.scalars(queries.incidents_of(ids)))
    causes = queries.alert(actor, service.READ, [incident.cause_id for incident in incidents])
    visible = {alert.id: alert for alert in await session.scalars(causes)}
    symptoms = dict((await session.execute(queries.symptoms(actor, ids))).tuples().all())
    return {i.id: (i, visible.get(i.cause_id), symptoms.get(i.id, 0)) for i in incidents}


async def _parents(session: AsyncSession, firing: Sequence[Alert]) -> correlation.Parents:
    """Give the parents of every device; nobody asks unless a device cannot be reached."""
    if not any(alert.alertname == UNREACHABLE for alert in firing):
        return {}
    names = {device: name for device, name, _ in await session.execute(devices.vendors())}
    parents: dict[str, list[str]] = defaultdict(list)
    actor = system("alerts")
    for device, parent in await session.execute(devices.parent_names(actor, None)):
        parents[names[device]].append(parent)
    return parents


async def _of_causes(session: AsyncSession, causes: Collection[Alert]) -> dict[UUID, Incident]:
    """Give the incident of each cause, made where there is none."""
    found = await session.scalars(queries.of_causes([cause.id for cause in causes]))
    incidents = {incident.cause_id: incident for incident in found}
    for cause in causes:
        if cause.id not in incidents:
            incidents[cause.id] = Incident(cause_id=cause.id, opened_at=cause.starts_at)
            session.add(incidents[cause.id])
    return incidents


async def _settle(session: AsyncSession) -> None:
    for incident, last_end, fires in await session.execute(queries.unsettled()):
        incident.closed_at = None if fires else last_end or now()
    await session.flush()
