"""When an alert would have fired: what Prometheus makes of a condition over time.

As rules/alerting.go of Prometheus does at each evaluation: an alert is pending from the first one
at which its series is there, fires once it has been there for `for`, and goes on firing without it
for `keep_firing_for`. One evaluation without the series ends what is pending.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Firing:
    """From when to when an alert fired, in seconds since 1970; `end` None where it still does."""

    start: float
    end: float | None


def firings(
    present: Iterable[float], evaluations: Iterable[float], hold: float, keep: float
) -> Iterator[Firing]:
    """Give when a series fires that is there at some of the evaluations; all times in order."""
    there = frozenset(present)
    active: float | None = None  # since when the series is there
    fired: float | None = None
    missing: float | None = None  # since when it is not, while it goes on firing
    for now in evaluations:
        if now in there:
            missing = None
            active = now if active is None else active
            if fired is None and now - active >= hold:
                fired = now
            continue
        if fired is not None and keep:
            missing = now if missing is None else missing
            if now - missing < keep:
                continue
        if fired is not None:
            yield Firing(fired, now)
        active = fired = missing = None
    if fired is not None:
        yield Firing(fired, None)
