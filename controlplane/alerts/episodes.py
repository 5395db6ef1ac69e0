"""When an alert fired, from what was told of it in any order: sets of starts and ends, no I/O.

Alertmanager names an outage by its start. But a start is only as old as the memory of who tells:
after a restart of Prometheus the outage that goes on is told with a new one. So what was told is
kept as it is, start by start, and the outages follow from all of it: whatever the order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Tellings = Mapping[datetime, datetime | None]


@dataclass(frozen=True)
class Episode:
    """One outage: every start that was told of it, the first one first, and its end if known."""

    starts: tuple[datetime, ...]
    end: datetime | None


def exact(moment: datetime) -> datetime:
    """Give a moment as Alertmanager's API tells it: its webhook knows nanoseconds, it does not."""
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def add(
    tellings: Tellings, start: datetime, end: datetime | None
) -> dict[datetime, datetime | None]:
    """Add what is told: an end is never taken back, and of two the earlier one counts."""
    known = tellings.get(start)
    ends = [max(e, start) for e in (known, end) if e is not None]
    return {**tellings, start: min(ends) if ends else None}


def episodes(tellings: Tellings) -> tuple[Episode, ...]:
    """Give the outages in order: what starts within another, or before it is over, is the same."""
    found: list[Episode] = []
    for start, end in sorted(tellings.items(), key=lambda item: item[0]):
        last = found[-1] if found else None
        if last is None or (last.end is not None and start >= last.end):
            found.append(Episode((start,), end))
        else:
            ends = [e for e in (last.end, end) if e is not None]
            found[-1] = Episode((*last.starts, start), max(ends) if ends else None)
    return tuple(found)


def read(stored: Mapping[str, str | None]) -> dict[datetime, datetime | None]:
    """Read tellings as a row holds them."""
    return {
        datetime.fromisoformat(start): None if end is None else datetime.fromisoformat(end)
        for start, end in stored.items()
    }


def write(tellings: Tellings) -> dict[str, str | None]:
    """Write tellings as a row holds them."""
    return {
        start.isoformat(): None if end is None else end.isoformat()
        for start, end in tellings.items()
    }
