"""What a rule would have done: its expression over the last days, and the alerts made of it."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from string import Template

import rules
from controlplane.clients.prometheus import Prometheus
from controlplane.database import now
from controlplane.errors import Invalid, Problem
from controlplane.jobs.progress import Progress
from controlplane.provisioning.alerting_rules.schemas import Costly, DeviceOutcome, PreviewRead
from controlplane.provisioning.alerting_rules.simulation import Firing, firings

Labels = frozenset[tuple[str, str]]

STEPS = 1000  # of one query; Prometheus gives 11,000 at most, and holds them all in memory
QUERY_SECONDS = 25.0
MOST_SERIES = 5000  # of a preview; a rule is to find few
MOST_POINTS = 20_000_000  # of a preview, of 8 bytes
DAY, HOUR, MINUTE = 86_400, 3_600, 60
LISTED = 100  # devices of an answer
OVER = Template("count(\n$expr\n) > $most")
FEW = Template("(\n$expr\n)\nand on ()\n(count(\n$expr\n) <= $most)")
OLDEST = "min(prometheus_tsdb_lowest_timestamp_seconds)"


@dataclass
class Outcome:
    """What fired for one device, or under no device: how often and how long (seconds)."""

    firings: list[Firing] = field(default_factory=list)

    def seconds(self, until: float) -> float:
        """Add up how long it fired; what still fires counts until now."""
        return sum((f.end or until) - f.start for f in self.firings)

    @property
    def starts(self) -> list[float]:
        """When it began to fire, in order."""
        return sorted(firing.start for firing in self.firings)


@dataclass(frozen=True)
class Past:
    """The evaluations that a rule would have had, and at which each series was there.

    It is at none where there were more series than a rule may have, and nothing fires: `over`.
    """

    times: tuple[float, ...]
    series: Mapping[Labels, Sequence[float]]
    over: frozenset[float] = frozenset()


async def look_back(
    prometheus: Prometheus,
    alert: rules.Alert,
    span: timedelta,
    interval: float,
    progress: Progress | None = None,
) -> Past:
    """Evaluate an alert's expression as a rule would have been, as far back as samples reach.

    At evaluations with too many series Prometheus is asked for none of them, only how many.
    """
    progress = progress or Progress()
    end = now().timestamp() // interval * interval
    start = max(end - span.total_seconds(), await _oldest(prometheus))
    count = max(int((end - start) // interval), 0)
    times = tuple(end - interval * back for back in range(count, -1, -1))
    series: dict[Labels, array[float]] = {}
    over: set[float] = set()
    chunks = list(_chunks(times))
    progress.total = len(chunks)
    for first, last in chunks:
        when = (_moment(first), _moment(last), interval, QUERY_SECONDS)
        many = {
            at
            for one in await prometheus.query_range(_filled(OVER, alert), *when)
            for at, _ in one.points
        }
        over |= many
        asked = _filled(FEW, alert) if many else alert.expr
        for one in await prometheus.query_range(asked, *when):
            there = series.setdefault(_labels(one.labels), array("d"))
            there.extend(at for at, _ in one.points)
        _refuse_many(series)
        progress.advance()
    return Past(times, series, frozenset(over))


def _filled(template: Template, alert: rules.Alert) -> str:
    return template.substitute(expr=alert.expr, most=rules.MOST_SERIES)


def _refuse_many(series: Mapping[Labels, Sequence[float]]) -> None:
    points = sum(map(len, series.values()))
    if len(series) <= MOST_SERIES and points <= MOST_POINTS:
        return
    what = f"{MOST_SERIES:,} series" if len(series) > MOST_SERIES else f"{MOST_POINTS:,} points"
    detail = f"this gives more than {what}: narrow it, or look less far back"
    raise Invalid(detail, Problem("/expr", "series", detail))


def outcomes(past: Past, alert: rules.Alert) -> dict[str, Outcome]:
    """Give what would have fired, by device; the empty name is of series without one."""
    found: dict[str, Outcome] = {}
    for labels, there in past.series.items():
        fired = list(firings(there, past.times, alert.hold, alert.keep))
        if fired:
            device = dict(labels).get("device", "")
            found.setdefault(device, Outcome()).firings.extend(fired)
    return found


async def _oldest(prometheus: Prometheus) -> float:
    """Say since when Prometheus has samples, where it says so; else 0."""
    found = await prometheus.query(OLDEST)
    return found[0].value if found else 0.0


def _chunks(times: Sequence[float]) -> Iterable[tuple[float, float]]:
    bounds = [*range(0, len(times), STEPS), len(times)]
    return ((times[first], times[after - 1]) for first, after in pairwise(bounds))


def _labels(labels: Mapping[str, str]) -> Labels:
    return frozenset((name, value) for name, value in labels.items() if name != "__name__")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def told(
    past: Past, found: Mapping[str, Outcome], checked: Costly, days: int, interval: float
) -> PreviewRead:
    """Tell people what would have fired, of what they may know."""
    start, end = past.times[0], past.times[-1]
    starts = sorted(at for outcome in found.values() for at in outcome.starts)
    named = [device for device in found if device]
    listed = sorted(found.items(), key=lambda item: (-len(item[1].firings), item[0]))[:LISTED]
    return PreviewRead(
        **checked.model_dump(),
        words=words(len(starts), days, len(named)) + _reach(end - start, days),
        start=_moment(start),
        end=_moment(end),
        interval_seconds=interval,
        evaluations=len(past.times),
        over_limit=len(past.over),
        fired=len(starts),
        firing_seconds=sum(outcome.seconds(end) for outcome in found.values()),
        first=_moment(starts[0]) if starts else None,
        last=_moment(starts[-1]) if starts else None,
        device_count=len(named),
        devices=[_device(name, outcome, end) for name, outcome in listed],
    )


def words(fired: int, days: int, devices: int) -> str:
    """Say an outcome in a sentence.

    >>> words(3, 7, 1)
    'would have fired 3 times in 7 days, for 1 device'
    """
    times = {0: "never", 1: "once"}.get(fired, f"{fired:,} times")
    whom = f", for {devices:,} device{'s' if devices != 1 else ''}" if devices else ""
    return f"would have fired {times} in {days} day{'s' if days != 1 else ''}{whom}"


def _reach(seconds: float, days: int) -> str:
    """Say how far samples reach where that is less than was asked for: a new stack knows little."""
    if seconds >= days * DAY - HOUR:
        return ""
    size, unit = next(
        ((size, unit) for size, unit in ((DAY, "day"), (HOUR, "hour")) if seconds >= size),
        (MINUTE, "minute"),
    )
    count = int(seconds // size)
    return f"; but there are samples of the last {count:,} {unit}{'s' if count != 1 else ''} alone"


def _device(name: str, outcome: Outcome, until: float) -> DeviceOutcome:
    return DeviceOutcome(
        device=name or None,
        fired=len(outcome.firings),
        firing_seconds=outcome.seconds(until),
        first=_moment(outcome.starts[0]),
        last=_moment(outcome.starts[-1]),
    )
