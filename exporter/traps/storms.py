"""How many there may be: so many a second of each source, and so many of all together."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

BURST_SECONDS = 10.0  # of the rate that may come at once
SOURCES = 10_000  # that are remembered; the least recent goes first


@dataclass(slots=True)
class Bucket:
    """What is left of a rate, and since when."""

    left: float
    since: float


@dataclass(slots=True)
class Storms:
    """Buckets by source; a rate is traps a second, ten seconds of it at once, and at least one."""

    rate: float
    clock: Callable[[], float] = time.monotonic
    most: int = SOURCES
    _buckets: OrderedDict[Hashable, Bucket] = field(default_factory=OrderedDict, init=False)

    def take(self, source: Hashable) -> bool:
        """Return whether one more of this source is taken."""
        now, full = self.clock(), max(self.rate * BURST_SECONDS, 1.0)
        bucket = self._buckets.pop(source, None) or Bucket(full, now)
        bucket.left = min(full, bucket.left + (now - bucket.since) * self.rate)
        bucket.since = now
        self._buckets[source] = bucket
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
        taken = bucket.left >= 1
        bucket.left -= taken
        return taken
