"""Which windows and burn rates fit an objective: where they can fire, and not at one lost poll.

After chapter 5 of the SRE Workbook (https://sre.google/workbook/alerting-on-slos/), with the
windows and budgets of https://sloth.dev.
"""

from dataclasses import dataclass

from rules.rule import Severity

HOUR = 3600.0
PERIOD = 30 * 24 * HOUR  # for which a budget is
# At so many evaluations a poll that was lost can be seen: until the next one has come in, which may
# take a moment longer than the interval.
SEEN = 2


@dataclass(frozen=True)
class Pair:
    """A long window in which this share of the period's budget is gone, and who is told of it."""

    severity: Severity
    budget: float
    long: float
    words: str

    @property
    def short(self) -> float:
        """The window that must be as bad, so that the alert ends soon after it is over."""
        return self.long / 12

    @property
    def factor(self) -> float:
        """How many times faster than allowed that is."""
        return self.budget * PERIOD / self.long

    def fault(self, objective: float, step: float) -> str:
        """Say why the pair does not fit an objective looked at every `step` seconds, or ''."""
        most = self.factor * (1 - objective)
        if most >= 1:
            return "it could never fire: more than all of the time would have to be bad"
        if self.long * most < SEEN * step:
            return "one lost poll of a site with one device would fire it"
        return ""


PAIRS = (
    Pair("critical", 0.02, HOUR, "1h"),
    Pair("critical", 0.05, 6 * HOUR, "6h"),
    Pair("warning", 0.1, 24 * HOUR, "1d"),
    Pair("warning", 0.1, 72 * HOUR, "3d"),
)


def pairs(objective: float, step: float) -> tuple[Pair, ...]:
    """Give the pairs that an objective can have; ValueError with every reason where it is none."""
    faults = {pair.words: pair.fault(objective, step) for pair in PAIRS}
    if all(faults.values()):
        reasons = "; ".join(f"{words}: {fault}" for words, fault in faults.items())
        raise ValueError(f"no alert fits an objective of {objective:g}: {reasons}")
    return tuple(pair for pair in PAIRS if not faults[pair.words])
