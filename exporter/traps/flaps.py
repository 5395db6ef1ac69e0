"""What begins again and again: traps tell of it a few times, and then leave it to the rules."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# As the rules have it (rules/flapping.py): six changes within half an hour, until there was none
# for a third of that. Three beginnings with their ends are six changes.
BEGINNINGS = 3
WITHIN = timedelta(minutes=30)
CALM = WITHIN / 3
MOST = 10_000


@dataclass(slots=True)
class Flaps:
    """When each thing began lately; of too many, what was calm for longest is forgotten."""

    begun: dict[Hashable, list[datetime]] = field(default_factory=dict)

    def begins(self, key: Hashable, at: datetime) -> bool:
        """Note that something begins; say whether it does so all the time."""
        known = self.begun.pop(key, [])
        lately = [moment for moment in known if at - moment < WITHIN]
        if not lately or at - lately[-1] >= CALM:
            lately = []
        if len(self.begun) >= MOST:
            del self.begun[next(iter(self.begun))]
        self.begun[key] = [*lately, at][-BEGINNINGS - 1 :]
        return len(lately) >= BEGINNINGS
