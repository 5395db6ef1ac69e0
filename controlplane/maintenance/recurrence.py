"""When a window is open: recurrence rules of RFC 5545 on the wall clock of a time zone.

As RFC 5545 has it (3.3.5 and 3.3.6): the start repeats at the same time on the wall, whatever the
offset of the day is, and the duration is exact. A start that the clock skips in spring is taken
with the offset before it, so it comes an hour later; of one that comes twice the first counts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

WEEKDAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
NUMBERS = r"-?[0-9]{1,3}(?:,-?[0-9]{1,3}){0,30}"
PARTS: Mapping[str, str] = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": "[1-9][0-9]{0,2}",
    "UNTIL": "[0-9]{8}T[0-9]{6}",
    "BYDAY": rf"(?:[+-]?[1-5])?{WEEKDAY}(?:,(?:[+-]?[1-5])?{WEEKDAY}){{0,30}}",
    "BYMONTHDAY": NUMBERS,
    "BYMONTH": NUMBERS,
    "BYSETPOS": NUMBERS,
    "WKST": WEEKDAY,
}
STAMP = "%Y%m%dT%H%M%S"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """The first start on the wall clock of a zone, how long it takes, and the rule if it repeats.

    On the days of `exceptions` nothing starts (EXDATE, 3.8.5.1).

    A rule has an end by UNTIL, on the same wall clock, and never by COUNT: so it can be asked
    about any time without counting from its beginning.
    """

    starts_at: datetime
    duration: timedelta
    time_zone: str
    rule: str = ""
    exceptions: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is not None:
            raise ValueError("the start is a time on the wall clock, without an offset")
        if self.rule and next(self._walls(self.starts_at), None) != self.starts_at:
            raise ValueError("the start must itself be one that the recurrence gives")

    def occurrences(self, after: datetime, before: datetime) -> Iterator["Occurrence"]:
        """Give what is open at some time from `after` until `before`, in order."""
        zone = ZoneInfo(self.time_zone)
        for wall in self._walls(_wall(before, zone) + DAY):
            start = wall.replace(tzinfo=zone).astimezone(UTC)
            end = start + self.duration
            if wall.date() in self.exceptions:
                continue
            if end > after and start < before:
                yield Occurrence(start, end)

    def _walls(self, last: datetime) -> Iterator[datetime]:
        """Give the starts on the wall clock, up to `last`."""
        if not self.rule:
            yield self.starts_at
            return
        parts = parse(self.rule)
        last = min(last, _until(parts) or last)
        bounded = {**parts, "UNTIL": last.strftime(STAMP)}
        yield from rrulestr(write(bounded), dtstart=self.starts_at)


@dataclass(frozen=True, order=True)
class Occurrence:
    """One time that a window is open, in UTC; the end is no longer part of it."""

    start: datetime
    end: datetime

    def at(self, moment: datetime) -> bool:
        """Say whether it is open at a moment."""
        return self.start <= moment < self.end


def parse(rule: str) -> dict[str, str]:
    """Read a rule such as `FREQ=WEEKLY;BYDAY=SU`, or raise ValueError with what is wrong."""
    parts: dict[str, str] = {}
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if name not in PARTS:
            raise ValueError(f"{name!r} is none of {', '.join(PARTS)}")
        if name in parts:
            raise ValueError(f"{name} stands there twice")
        if not re.fullmatch(PARTS[name], value):
            raise ValueError(f"{name} cannot be {value!r}")
        parts[name] = value
    if "FREQ" not in parts:
        raise ValueError("FREQ says how often; it is missing")
    _until(parts)
    rrulestr(write(parts), dtstart=datetime(2000, 1, 1))  # noqa: DTZ001 - a wall clock
    return parts


def write(parts: Mapping[str, str]) -> str:
    """Write the parts of a rule as RFC 5545 has it."""
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _until(parts: Mapping[str, str]) -> datetime | None:
    return datetime.strptime(parts["UNTIL"], STAMP) if "UNTIL" in parts else None  # noqa: DTZ007


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
