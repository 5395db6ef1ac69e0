"""Which thresholds are in force: of all that were set, those of the narrowest scope.

default < all < role < site (the nearest one) < group (the heaviest one) < device. A scope gives
both thresholds of a metric or none: whatever counts for a device, its warning is below its
critical.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from controlplane.errors import Invalid, Problem
from controlplane.metrics.models import Metric, Scope


class Entry(NamedTuple):
    """Thresholds that were set: for what, and which. Without an id they are the default."""

    id: UUID | None
    scope: Scope | None
    target: str | UUID | None
    metric: Metric
    warning: float
    critical: float
    weight: int = 0


class Place(NamedTuple):
    """What of a device decides which thresholds count, but for those of its own."""

    role: str | None
    site: UUID | None
    groups: frozenset[UUID]


InForce = Mapping[Metric, Entry]

# Warning and critical. Interfaces: 1 lost packet in 1,000 is felt by TCP, 1 in 100 by everyone;
# of a few echoes one is lost soon. Jitter of 30 ms is what the buffers of telephones take.
_DEFAULTS = {
    Metric.CPU_UTILIZATION: (0.8, 0.95),
    Metric.MEMORY_UTILIZATION: (0.85, 0.95),
    Metric.INTERFACE_UTILIZATION: (0.8, 0.95),
    Metric.INTERFACE_ERRORS: (0.001, 0.01),
    Metric.INTERFACE_DISCARDS: (0.001, 0.01),
    Metric.TEMPERATURE: (65.0, 80.0),
    Metric.PACKET_LOSS: (0.05, 0.2),
    Metric.RESPONSE_TIME: (0.1, 0.5),
    Metric.JITTER: (0.03, 0.1),
}
DEFAULTS: InForce = MappingProxyType(
    {metric: Entry(None, None, None, metric, *pair) for metric, pair in _DEFAULTS.items()}
)


@dataclass(frozen=True)
class Unit:
    """What a metric is counted in; a threshold is above `low` and at most `high`."""

    name: str
    low: float
    high: float


RATIO = Unit("ratio", 0, 1)
CELSIUS = Unit("celsius", -100, 300)
SECONDS = Unit("seconds", 0, 60)
UNITS: Mapping[Metric, Unit] = MappingProxyType(
    {
        **dict.fromkeys(Metric, RATIO),
        Metric.TEMPERATURE: CELSIUS,
        Metric.RESPONSE_TIME: SECONDS,
        Metric.JITTER: SECONDS,
    }
)


class Thresholds:
    """All that were set; asked for a device, they give those that count."""

    def __init__(self, entries: Iterable[Entry], parents: Mapping[UUID, UUID | None]) -> None:
        """Take what was set, and of each site the one that it is a part of."""
        self._parents = parents
        self._set: defaultdict[tuple[Scope | None, str | UUID | None], dict[Metric, Entry]]
        self._set = defaultdict(dict)
        for entry in entries:
            self._set[entry.scope, entry.target][entry.metric] = entry
        self._known: dict[Place, InForce] = {}

    def of(self, device: UUID, place: Place) -> InForce:
        """Give the thresholds in force for a device; what counts at a place is worked out once."""
        common = self._known.get(place)
        if common is None:
            common = self._known[place] = self._at(place)
        own = self._set.get((Scope.DEVICE, device))
        return {**common, **own} if own else common

    def _at(self, place: Place) -> InForce:
        found = dict(DEFAULTS)
        for scope, target in (
            (Scope.ALL, None),
            (Scope.ROLE, place.role),
            *((Scope.SITE, site) for site in reversed([*self._upward(place.site)])),
        ):
            found |= self._set.get((scope, target), {})
        for entry in sorted(self._of_groups(place.groups), key=_precedence):
            found[entry.metric] = entry
        return found

    def _of_groups(self, groups: Iterable[UUID]) -> Iterator[Entry]:
        for group in groups:
            yield from self._set.get((Scope.GROUP, group), {}).values()

    def _upward(self, site: UUID | None) -> Iterator[UUID]:
        while site is not None:
            yield site
            site = self._parents.get(site)  # one added since is at the top


def _precedence(entry: Entry) -> tuple[int, float, float, str]:
    """Let the heaviest come last, of equal ones the strictest; the id settles what is the same."""
    return entry.weight, -entry.warning, -entry.critical, str(entry.id)


def check(metric: Metric, warning: float, critical: float) -> None:
    """Raise Invalid unless the thresholds of a metric make sense, alone and together."""
    unit = UNITS[metric]
    for field, value in (("warning", warning), ("critical", critical)):
        if not unit.low < value <= unit.high:
            detail = (
                f"{metric.value} must be above {unit.low:g} and at most {unit.high:g},"
                f" not {value:g}"
            )
            raise Invalid(detail, Problem(f"/{field}", "out_of_range", detail))
    if warning >= critical:
        detail = f"{metric.value}: warning {warning:g} must be below critical {critical:g}"
        raise Invalid(detail, Problem("/warning", "order", detail))
