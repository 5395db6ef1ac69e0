"""What is told of an alert, put into its rows: a new outage, the same one, its end, or nothing.

A webhook may come twice, late, or in the wrong order: that changes nothing. Only a poll speaks of
this moment, so only a poll can end an alert by not naming it, or reopen one that was thought over.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from controlplane.alerts import episodes
from controlplane.alerts.episodes import Episode
from controlplane.alerts.models import Alert, AlertStatus, Step
from controlplane.alerts.schemas import WebhookAlert
from controlplane.clients.alertmanager import ActiveAlert
from controlplane.database import now

# How much later a poll must be than what it contradicts: replicas of Alertmanager need a moment
# to tell each other, and clocks of our own differ.
DOUBT = timedelta(seconds=10)


@dataclass(frozen=True)
class Told:
    """What was told of an alert; `ends_at` is None while it fires.

    `device` is what the device is called now, as far as it is known: then it has a `device_id`.
    """

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    device: str = ""
    device_id: UUID | None = None


@dataclass(frozen=True)
class Change:
    """A step that an alert has just made."""

    alert: Alert
    step: Step
    new: bool = False
    detail: dict[str, Any] = field(default_factory=dict)


Apply = Callable[[Sequence[Alert], Told], list[Change]]


def from_webhook(alert: WebhookAlert) -> Told:
    """Give what a webhook tells of an alert."""
    start = episodes.exact(alert.startsAt)
    end = None
    if alert.status is AlertStatus.RESOLVED:
        end = max(start, episodes.exact(alert.endsAt or start))
    return Told(alert.fingerprint, alert.labels, alert.annotations, start, end)


def from_poll(alert: ActiveAlert) -> Told:
    """Give what Alertmanager's list tells of an alert."""
    return Told(
        alert.fingerprint,
        _storable(alert.labels.items()),
        _storable(alert.annotations.items()),
        episodes.exact(alert.starts_at),
    )


def holds(row: Alert, told: Told) -> bool:
    """Say whether the row has heard of this start."""
    return told.starts_at in episodes.read(row.tellings)


def tell(known: Sequence[Alert], told: Told) -> list[Change]:
    """Apply what is told to the rows of its fingerprint; give the steps that follow from it."""
    if any(_ours(row, told) for row in known):
        return []
    changes = [
        change
        for row in known
        if row.firing and _of_another(row, told)
        for change in end(row, told.starts_at)
    ]
    known = [row for row in known if not _of_another(row, told)]
    changes += [change for row in known if _ended_unseen(row, told) for change in _missed(row)]
    tellings = {start: end for row in known for start, end in episodes.read(row.tellings).items()}
    return changes + _shape(known, episodes.add(tellings, told.starts_at, told.ends_at), told)


def see(known: Sequence[Alert], told: Told, asked_at: datetime) -> list[Change]:
    """Apply what Alertmanager says at this moment: it fires, whatever was thought before."""
    changes = tell(known, told)
    rows = (*known, *(change.alert for change in changes))
    for row in rows:
        row.missing_since = None
    if not any(row.firing for row in rows):
        changes += _reopen(known, told, asked_at)
    return changes


def end(alert: Alert, at: datetime) -> list[Change]:
    """End an alert that fires; what was told of it without an end gets this one."""
    tellings = episodes.read(alert.tellings)
    at = max(at, *tellings)
    closed = {start: at if known is None else known for start, known in tellings.items()}
    return _fit(alert, Episode(tuple(sorted(closed)), at), episodes.write(closed))


def suppress(alert: Alert, silenced_by: Iterable[str], inhibited_by: Iterable[str]) -> list[Change]:
    """Note what keeps people from being told of an alert that fires, or that nothing does."""
    was = bool(alert.silenced_by or alert.inhibited_by)
    silences, causes = sorted(silenced_by), sorted(inhibited_by)
    if (silences, causes) == (alert.silenced_by, alert.inhibited_by):
        return []
    alert.silenced_by, alert.inhibited_by = silences, causes
    alert.settle()
    if bool(silences or causes) == was:
        return []
    detail = {"silenced_by": silences, "inhibited_by": causes}
    return [Change(alert, Step.RESUMED if was else Step.SUPPRESSED, detail={} if was else detail)]


def _ours(row: Alert, told: Told) -> bool:
    """Say whether the row was made by hand: then we are who says when it begins and ends."""
    return bool(row.made_by) and (row.firing or holds(row, told))


def _of_another(row: Alert, told: Told) -> bool:
    """Say whether the row is of the device that had the name before the one that is told of."""
    known = row.device_id is not None and told.device_id is not None
    return known and row.device_id != told.device_id and not holds(row, told)


def _ended_unseen(row: Alert, told: Told) -> bool:
    """Say whether Alertmanager had forgotten this alert before the one began that is told."""
    return row.firing and row.missing_since is not None and told.starts_at > row.missing_since


def _missed(row: Alert) -> list[Change]:
    return end(row, row.missing_since) if row.missing_since else []


def _shape(known: Sequence[Alert], tellings: episodes.Tellings, told: Told) -> list[Change]:
    """Make the rows those of the outages that follow from all that was told."""
    found = episodes.episodes(tellings)
    holding = [
        [row for row in known if episodes.read(row.tellings).keys() & set(episode.starts)]
        for episode in found
    ]
    if any(len(rows) > 1 for rows in holding):
        return []  # it would make one of two outages that people have seen end
    changes: list[Change] = []
    taken: set[Any] = set()
    for episode, rows in zip(found, holding, strict=True):
        row = next((row for row in rows if row.id not in taken), None)
        kept = episodes.write({start: tellings[start] for start in episode.starts})
        if row is None:
            row = _new(told, episode, kept)
            changes.append(Change(row, Step.FIRED, new=True))
            changes += [Change(row, Step.RESOLVED)] if episode.end else []
        else:
            if told.ends_at is not None and told.starts_at in episode.starts and row.firing:
                row.annotations = told.annotations
            changes += _fit(row, episode, kept)
        taken.add(row.id)
    return changes


def _fit(row: Alert, episode: Episode, tellings: dict[str, str | None]) -> list[Change]:
    """Make a row that of an outage; a step only where it ends or fires again."""
    if episodes.read(row.tellings) == episodes.read(tellings):
        return []
    was_firing = row.firing
    row.tellings = tellings
    if (row.starts_at, row.ends_at) == (episode.starts[0], episode.end):
        return []
    row.starts_at, row.ends_at = episode.starts[0], episode.end
    row.status = AlertStatus.FIRING if episode.end is None else AlertStatus.RESOLVED
    row.received_at = now()
    if row.firing == was_firing:
        return []
    row.missing_since, row.silenced_by, row.inhibited_by = None, [], []
    row.settle()
    return [Change(row, Step.REOPENED if row.firing else Step.RESOLVED)]


def _reopen(known: Sequence[Alert], told: Told, asked_at: datetime) -> list[Change]:
    """Have the outage go on that was thought over, unless that was learned only just now."""
    last = max(known, key=lambda row: row.starts_at, default=None)
    if last is None or last.firing or asked_at - last.received_at < DOUBT:
        return []
    starts = tuple(sorted(episodes.read(last.tellings)))
    if told.starts_at not in starts:
        return []
    return _fit(last, Episode(starts, None), episodes.write(dict.fromkeys(starts)))


def _new(told: Told, episode: Episode, tellings: dict[str, str | None]) -> Alert:
    row = Alert(
        id=uuid4(),
        fingerprint=told.fingerprint,
        status=AlertStatus.FIRING if episode.end is None else AlertStatus.RESOLVED,
        alertname=told.labels.get("alertname", ""),
        severity=told.labels.get("severity", ""),
        device=told.device or told.labels.get("device", ""),
        device_id=told.device_id,
        site=told.labels.get("site", ""),
        labels=told.labels,
        annotations=told.annotations,
        starts_at=episode.starts[0],
        ends_at=episode.end,
        received_at=now(),
        tellings=tellings,
        # Given, not left to their factories: pydantic looks into those anew for every row.
        silenced_by=[],
        inhibited_by=[],
    )
    row.settle()
    return row


def _storable(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    clean = "\N{REPLACEMENT CHARACTER}"  # PostgreSQL stores no NUL
    return {k.replace("\x00", clean): v.replace("\x00", clean) for k, v in pairs}
