"""What begins again and again: traps tell of it a few times, and then leave it to the rules."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# As the rules have it (rules/flapping.py): six changes within a window, until there was none for a
# third of that. Three beginnings with their ends are six changes.
BEGINNINGS = 3
CALM_SHARE = 3
MOST = 10_000


@dataclass(slots=True)
class Flaps:
    """When each thing began lately; of too many, what was calm for longest is forgotten."""

    begun: dict[Hashable, list[datetime]] = field(default_factory=dict)

    def began(self, key: Hashable, since: datetime) -> bool:
        """Say whether something began since a moment."""
        return any(moment >= since for moment in self.begun.get(key, ()))

    def begins(self, key: Hashable, at: datetime, window: timedelta) -> bool:
        """Note that something begins; say whether it does so all the time, as the window has it."""
        known = self.begun.pop(key, [])
        lately = [moment for moment in known if at - moment < window]
        if not lately or at - lately[-1] >= window / CALM_SHARE:
            lately = []
        if len(self.begun) >= MOST:
            del self.begun[next(iter(self.begun))]
        self.begun[key] = [*lately, at][-BEGINNINGS - 1 :]
        return len(lately) >= BEGINNINGS
