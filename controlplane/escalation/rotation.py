"""Who is on call: people who take turns on the wall clock of a zone, in layers; pure, no I/O.

A turn is handed over at one moment: the time of day on the wall, taken once where the clock goes
back and an hour later where it skips it (as in controlplane.maintenance.recurrence). So at any
time exactly one person of a layer has the turn, also in the nights of the change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """When a layer counts: on these weekdays (0 is Monday) from `start` until `end` of the day."""

    weekdays: frozenset[int]
    start: time
    end: time

    def hold(self, wall: datetime) -> bool:
        """Say whether a time on the wall is one of these; an end of 00:00 is the day's."""
        before_end = wall.time() < self.end or self.end == time()
        return wall.weekday() in self.weekdays and self.start <= wall.time() and before_end


@dataclass(frozen=True)
class Layer:
    """People who take turns of `days` each from `first_day` on, handed over at a time of day."""

    people: tuple[str, ...]
    first_day: date
    days: int
    handover: time
    hours: Hours | None = None

    def who(self, moment: datetime, zone: ZoneInfo) -> str | None:
        """Give whose turn it is; None where the layer does not count, or not yet."""
        if self.hours is not None and not self.hours.hold(moment.astimezone(zone)):
            return None
        passed = (self._day(moment, zone) - self.first_day).days
        if passed < 0:
            return None
        return self.people[passed // self.days % len(self.people)]

    def changes(self, after: datetime, before: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Give every moment between the two at which somebody else may have the turn."""
        times = {self.handover}
        if self.hours is not None:
            times |= {self.hours.start, self.hours.end, time()}
        day = after.astimezone(zone).date() - DAY
        while day <= before.astimezone(zone).date() + DAY:
            for at in times:
                yield from _moments(day, at, zone)
            day += DAY

    def _day(self, moment: datetime, zone: ZoneInfo) -> date:
        """Give the day whose hand-over was the last one."""
        today = moment.astimezone(zone).date()
        days = (today + DAY, today, today - DAY)
        return next(d for d in days if _moment(d, self.handover, zone) <= moment)


@dataclass(frozen=True)
class Override:
    """Somebody who stands in from `start` until `end`."""

    person: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Turn:
    """A time in which one person is on call, or nobody is."""

    start: datetime
    end: datetime
    person: str | None


@dataclass(frozen=True)
class Rota:
    """A schedule: of what says who is on call, overrides come first, then the last layer."""

    time_zone: str
    layers: tuple[Layer, ...]
    overrides: tuple[Override, ...] = ()

    def who(self, moment: datetime) -> str | None:
        """Give who is on call at a moment; None where nobody is."""
        for override in reversed(self.overrides):
            if override.start <= moment < override.end:
                return override.person
        zone = ZoneInfo(self.time_zone)
        turns = (layer.who(moment, zone) for layer in reversed(self.layers))
        return next((person for person in turns if person is not None), None)

    def turns(self, after: datetime, before: datetime) -> list[Turn]:
        """Give who is on call from `after` until `before`, without gap or overlap."""
        edges = sorted({after, before, *(e for e in self._edges(after, before))})
        found: list[Turn] = []
        for start, end in pairwise(edges):
            person = self.who(start)
            if found and found[-1].person == person:
                found[-1] = Turn(found[-1].start, end, person)
            else:
                found.append(Turn(start, end, person))
        return found

    def _edges(self, after: datetime, before: datetime) -> Iterator[datetime]:
        zone = ZoneInfo(self.time_zone)
        edges = [e for layer in self.layers for e in layer.changes(after, before, zone)]
        edges += [e for override in self.overrides for e in (override.start, override.end)]
        return (edge for edge in edges if after < edge < before)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _moments(day: date, at: time, zone: ZoneInfo) -> Sequence[datetime]:
    """Give both moments of a time of day that comes twice: hours count in each."""
    wall = datetime.combine(day, at, zone)
    jump = _jump(day, zone)
    return [wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)] + jump


def _jump(day: date, zone: ZoneInfo) -> list[datetime]:
    """Give the moment of a day at which the clock is put forward or back, to the minute."""
    start, end = (_moment(d, time(), zone) for d in (day, day + DAY))
    if start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        return []
    before = start.astimezone(zone).utcoffset()
    low, high = 0, int((end - start).total_seconds() // 60)
    while high - low > 1:
        middle = (low + high) // 2
        moment = start + timedelta(minutes=middle)
        if moment.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return [start + timedelta(minutes=high)]
