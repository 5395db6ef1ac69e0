"""One silence of Alertmanager per open time of a window: what there should be, what to change.

A silence of ours is known by who made it and by the mark at the end of its comment. Nothing else
is remembered, so it does not matter which of the two, Alertmanager or we, lost its memory.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from controlplane.clients.alertmanager import Matcher, Silence
from controlplane.maintenance.coverage import Planned

MAKER = "chm"
MARK = re.compile(r".*\[chm-maintenance:([0-9a-z:-]+)\]", re.DOTALL)
STANDING = "status"
HALF_HOUR = 1800
TOLERANCE = timedelta(seconds=1)  # Alertmanager keeps milliseconds


@dataclass(frozen=True)
class Changes:
    """Silences to make, or to change where they have an id, and the ids of those to end."""

    to_set: tuple[Silence, ...]
    to_expire: tuple[str, ...]


def wanted(
    planned: Iterable[Planned], in_status: Collection[str], moment: datetime
) -> dict[str, Silence]:
    """Give the silences there should be, each under its key."""
    found = {}
    for entry in planned:
        if entry.devices:
            key = f"{entry.window.id}:{int(entry.occurrence.start.timestamp())}"
            about = f"maintenance {entry.window.name}"
            start, end = entry.occurrence.start, entry.occurrence.end
            found[key] = _silence(key, about, entry.devices, (start, end))
    if in_status:
        about = "devices in the status maintenance"
        found[STANDING] = _silence(STANDING, about, in_status, _standing(moment))
    return found


def changes(wanted: Mapping[str, Silence], existing: Iterable[Silence]) -> Changes:
    """Give what must change so that our silences are those wanted; others are not looked at."""
    ours: defaultdict[str, list[Silence]] = defaultdict(list)
    for silence in existing:
        key = _key(silence)
        if key is not None and silence.state in {"active", "pending"}:
            ours[key].append(silence)
    to_set, to_expire = [], []
    for key, silence in wanted.items():
        found = _best_first(silence, ours.pop(key, []))
        to_expire += [double.id for double in found[1:]]
        if not found:
            to_set.append(silence)
        elif not _same(silence, found[0]):
            to_set.append(_changed(silence, found[0]))
    to_expire += [silence.id for silences in ours.values() for silence in silences]
    return Changes(tuple(to_set), tuple(to_expire))


def _silence(
    key: str, about: str, devices: Collection[str], times: tuple[datetime, datetime]
) -> Silence:
    names = sorted(devices)
    value, regex = names[0], False
    if len(names) > 1:
        value, regex = "|".join(re.escape(name) for name in names), True
    matcher = Matcher("device", value, regex)
    return Silence((matcher,), *times, MAKER, f"{about} [chm-maintenance:{key}]")


def _standing(moment: datetime) -> tuple[datetime, datetime]:
    """Give half an hour to an hour from now, by the clock: it is renewed twice an hour."""
    start = datetime.fromtimestamp(moment.timestamp() // HALF_HOUR * HALF_HOUR, UTC)
    return start, start + timedelta(seconds=2 * HALF_HOUR)


def _key(silence: Silence) -> str | None:
    mark = MARK.fullmatch(silence.comment)
    return mark[1] if mark and silence.created_by == MAKER else None


def _best_first(silence: Silence, found: Sequence[Silence]) -> list[Silence]:
    return sorted(found, key=lambda other: (not _same(silence, other), other.id))


def _same(silence: Silence, other: Silence) -> bool:
    begins = other.state == "active" or abs(other.starts_at - silence.starts_at) < TOLERANCE
    ends = abs(other.ends_at - silence.ends_at) < TOLERANCE
    return begins and ends and other.matchers == silence.matchers


def _changed(silence: Silence, kept: Silence) -> Silence:
    """Give the silence with the id of the one it follows; that one's start stays if it was."""
    start = kept.starts_at if kept.state == "active" else silence.starts_at
    return replace(silence, id=kept.id, starts_at=start)
