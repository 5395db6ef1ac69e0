"""How patient a session is, and what it has sent and got."""

from dataclasses import dataclass, field
from typing import Self

COUNTED = (
    *("packets", "retries", "replies", "values", "refusals", "unexpected", "waits"),
    *("replayed", "decoded"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient and how greedy to be; times in seconds, `deadline` on the loop's clock.

    Up to `known_repetitions` values are asked for where it is known that they fit into a datagram;
    0 is never more than `max_repetitions`.
    """

    deadline: float
    timeout: float = 5.0
    retries: int = 3
    max_repetitions: int = 25
    allow_nonincreasing: bool = False
    known_repetitions: int = 0


@dataclass(slots=True)
class Traffic:
    """What a session sent and got; `refusals` counts answers that were errors of the agent.

    `repetitions` is how many values the agent can send at once, where that is less than it was
    asked for; 0 is no limit. `incomplete` says that the agent refused a part of what it was asked
    for, `broken` what and where, if it is something that the agent has. `replayed` are pages that
    were read by their layout, `decoded` those that could not be.
    """

    packets: int = 0
    retries: int = 0
    replies: int = 0
    values: int = 0
    refusals: int = 0
    repetitions: int = 0
    unexpected: int = 0
    replayed: int = 0
    decoded: int = 0
    incomplete: bool = False
    broken: str = ""
    waits: list[float] = field(default_factory=list, repr=False)
    """The seconds from each request to its answer."""

    def add(self, other: Self) -> None:
        """Add what another session, or a part of this one, did."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.note(other)

    def note(self, other: Self) -> None:
        """Take over what the agent refused elsewhere."""
        self.incomplete = self.incomplete or other.incomplete
        self.broken = self.broken or other.broken
