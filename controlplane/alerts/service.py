"""Record what Alertmanager tells, and give alerts as somebody may see them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import history, queries
from controlplane.alerts.history import Change, Told
from controlplane.alerts.models import Alert, AlertStep
from controlplane.alerts.schemas import WebhookAlert
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor, system
from controlplane.auth.permissions import Permission
from controlplane.clients.alertmanager import ActiveAlert
from controlplane.database import now
from controlplane.devices import names
from controlplane.devices.names import Holder
from controlplane.errors import Forbidden, NotFound

NOUN = "alert"  # as the audit log has it
READ = Permission.ALERTS_READ

Rows = dict[str, list[Alert]]


@dataclass(frozen=True)
class Sight:
    """What Alertmanager answered at a moment, and whether what it does not name is over.

    `own_silences` are those by which we hold acknowledgements: they suppress nothing else.
    """

    asked_at: datetime
    alerts: tuple[ActiveAlert, ...]
    own_silences: frozenset[str]
    complete: bool


async def take_turn(session: AsyncSession) -> None:
    """Wait until nobody else changes alerts; it lasts until the end of the transaction."""
    await session.execute(names.ALERTS_TURN)


async def ingest(session: AsyncSession, alerts: Sequence[WebhookAlert]) -> None:
    """Record the alerts of a webhook; one told before changes nothing."""
    if not alerts:
        return
    await take_turn(session)
    tellings = await _placed(session, map(history.from_webhook, alerts))
    tellings.sort(key=lambda told: (told.fingerprint, told.starts_at))
    known = await _known(session, tellings)
    changes = [step for told in tellings for step in _grown(known, told, history.tell)]
    await record(session, changes)


async def observe(session: AsyncSession, sight: Sight, confirm: timedelta) -> None:
    """Record what Alertmanager answered: what fires, what is muted, and what is over unseen.

    An alert is over when Alertmanager did not name it in two answers `confirm` apart.
    """
    await take_turn(session)
    firing = {row.fingerprint: row for row in await session.scalars(queries.firing())}
    told = {alert.fingerprint: history.from_poll(alert) for alert in sight.alerts}
    strange = [t for t in told.values() if not _same(firing.get(t.fingerprint), t)]
    strange = await _placed(session, strange)
    told |= {telling.fingerprint: telling for telling in strange}
    known: Rows = defaultdict(list, {name: [row] for name, row in firing.items()})
    known.update(await _known(session, strange))
    changes: list[Change] = []
    for telling in told.values():
        changes += _grown(known, telling, lambda rows, one: history.see(rows, one, sight.asked_at))
    for alert in sight.alerts:
        silences = [s for s in alert.silenced_by if s not in sight.own_silences]
        for row in known[alert.fingerprint]:
            if row.firing:
                changes += history.suppress(row, silences, alert.inhibited_by)
    if sight.complete:
        missing = [row for row in firing.values() if row.fingerprint not in told]
        changes += _miss(missing, sight.asked_at, confirm)
    await record(session, changes)


async def record(
    session: AsyncSession, changes: Sequence[Change], actor: Actor | None = None, comment: str = ""
) -> None:
    """Keep steps that alerts have made, and the alerts that are new."""
    await session.flush()  # what is over first: a fingerprint fires once at a time
    session.add_all(change.alert for change in changes if change.new)
    await session.flush()
    who, at = (actor or system("alerts")).who, now()
    steps = [
        {
            "alert_id": change.alert.id,
            "at": at,
            "step": change.step,
            "actor_kind": who.kind,
            "actor_name": who.name,
            "comment": comment,
            "detail": change.detail,
        }
        for change in changes
    ]
    if steps:
        await session.execute(insert(AlertStep), steps)


async def get_all(
    session: AsyncSession, actor: Actor, permission: Permission, ids: Collection[UUID]
) -> list[Alert]:
    """Give the alerts of these ids in their order, or refuse where one is not the actor's.

    NotFound where the actor may not even hear of it, else Forbidden.
    """
    rows = {row.id: row for row in await session.scalars(queries.alert(actor, permission, ids))}
    missing = [one for one in dict.fromkeys(ids) if one not in rows]
    if missing:
        heard = await session.scalar(queries.alert(actor, READ, missing[:1]))
        if heard is not None:
            raise Forbidden(f"you may see the alert {missing[0]}, but lack {permission} there")
        raise NotFound(f"there is no alert {missing[0]}")
    return [rows[one] for one in dict.fromkeys(ids)]


async def get(
    session: AsyncSession, actor: Actor, alert_id: UUID, permission: Permission = READ
) -> Alert:
    """Give an alert, or refuse as `get_all` does."""
    return (await get_all(session, actor, permission, [alert_id]))[0]


async def log(
    session: AsyncSession,
    actor: Actor,
    alert: Alert,
    before: dict[str, object] | None,
    after: dict[str, object],
) -> None:
    """Tell the audit log what an actor did to an alert."""
    await audit.record(
        session,
        Action.CREATE if before is None else Action.UPDATE,
        who=actor.who,
        object_type=NOUN,
        object_id=alert.id,
        object_name=f"{alert.alertname} {alert.device}".strip(),
        before=before,
        after=after,
    )


async def _placed(session: AsyncSession, tellings: Iterable[Told]) -> list[Told]:
    """Give tellings with the device of each: the one that had the name when it began."""
    tellings = list(tellings)
    named = {told.labels.get("device", "") for told in tellings}
    holders = await names.holders(session, named)
    return [
        _of(holders.at(told.labels.get("device", ""), told.starts_at), told) for told in tellings
    ]


def _of(holder: Holder | None, told: Told) -> Told:
    return replace(told, device=holder.name, device_id=holder.id) if holder else told


async def _known(session: AsyncSession, tellings: Sequence[Told]) -> Rows:
    """Give the rows that these tellings may be about, by fingerprint."""
    known: Rows = defaultdict(list)
    if tellings:
        oldest = min(told.starts_at for told in tellings)
        fingerprints = {told.fingerprint for told in tellings}
        for row in await session.scalars(queries.recent(fingerprints, oldest)):
            known[row.fingerprint].append(row)
    return known


def _grown(known: Rows, told: Told, apply: history.Apply) -> list[Change]:
    """Apply a telling to the rows of its fingerprint, and remember rows that are new."""
    rows = known[told.fingerprint]
    changes = apply(rows, told)
    rows += [change.alert for change in changes if change.new]
    return changes


def _same(row: Alert | None, told: Told) -> bool:
    return row is not None and row.missing_since is None and history.holds(row, told)


def _miss(rows: Sequence[Alert], asked_at: datetime, confirm: timedelta) -> list[Change]:
    """End what is missing for the second time; what we learned of meanwhile is not missing."""
    changes: list[Change] = []
    for row in rows:
        if row.made_by or row.received_at >= asked_at:
            continue
        if row.missing_since is None:
            row.missing_since = asked_at
        elif asked_at - row.missing_since >= confirm:
            changes += history.end(row, row.missing_since)
    return changes
