"""What the evaluations of a rule set took, as Prometheus tells it, and how people read that."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

BOUND = 1 / 3  # of an interval
SLOWEST = 10


@dataclass
class Measured:
    """Seconds of each evaluation, by group and by rule."""

    devices: int
    intervals: Mapping[str, float]  # seconds, of the groups that have one
    groups: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rules: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # what a rule failed with
    of_rules: float = 0.0  # seconds of CPU that a second of an evaluation took
    _seen: dict[str, str] = field(default_factory=dict)  # the last evaluation of each group

    def note(self, tree: Mapping[str, Any]) -> None:
        """Note what is new in an answer of `/api/v1/rules`; the first of a group does not count."""
        for group in tree["data"]["groups"]:
            name, at = group["name"], group["lastEvaluation"]
            if at.startswith("0001") or self._seen.get(name) == at:
                continue
            first, self._seen[name] = name not in self._seen, at
            for place, rule in enumerate(group["rules"]):
                if rule["health"] != "ok":
                    self.failed[f"{name}: {rule['name']}"] = rule.get("lastError", "")
                self.names[name, place] = rule["name"]
                if not first:
                    self.rules[name, place].append(rule["evaluationTime"])
            if not first:
                self.groups[name].append(group["evaluationTime"])

    def seen(self, times: int) -> bool:
        """Return whether each group was evaluated so often, after the first time."""
        return all(
            name in self._seen and len(self.groups[name]) >= times for name in self.intervals
        )

    def taken(self) -> float:
        """Return the seconds of all evaluations so far."""
        return sum(map(sum, self.groups.values()))

    @property
    def shares(self) -> Mapping[str, float]:
        """What each group takes of a core, by the clock."""
        return {
            name: median(self.groups[name]) / interval for name, interval in self.intervals.items()
        }

    @property
    def share(self) -> float:
        """What all take of a core, by the clock."""
        return sum(self.shares.values())

    @property
    def cpu(self) -> float:
        """The same without the time for which they waited for the core, or for each other."""
        return self.share * self.of_rules

    def lines(self) -> Iterator[str]:
        """Yield a line for each group, the sum, the slowest rules, and what failed."""
        count = {name: sum(of == name for of, _ in self.names) for name in self.intervals}
        yield f"{'group':24}{'rules':>6}{'every':>8}{'last':>9}{'median':>9}{'of a third':>12}"
        for name, share in self.shares.items():
            taken = self.groups[name]
            yield (
                f"{name:24}{count[name]:6}{self.intervals[name]:6.0f} s{taken[-1]:7.2f} s"
                f"{median(taken):7.2f} s{share / BOUND:12.1%}"
            )
        whole = f"{self.share:.1%} of a core, {self.share / BOUND:.0%} of a third"
        yield f"{'all':24}{sum(count.values()):6}{whole:>38}"
        yield f"the slowest {SLOWEST} rules:"
        slowest = sorted(self.rules, key=lambda rule: -median(self.rules[rule]))
        for rule in slowest[:SLOWEST]:
            name = f"{rule[0]}: {self.names[rule]} (rule {rule[1] + 1})"
            yield f"{median(self.rules[rule]):9.2f} s  {name}"
        for name, error in self.failed.items():
            yield f"FAILED {name}: {error}"


def verdict(few: Measured, many: Measured, devices: int) -> tuple[list[str], bool]:
    """Return what it would be with so many devices, as lines, and whether that is within the bound.

    What was measured with the most devices is extrapolated.
    """
    shares = {"by the clock": many.share, "of CPU": many.cpu}
    whole = {of: share * devices / many.devices / BOUND for of, share in shares.items()}
    scaling = (
        f"{many.devices / few.devices:g} times the devices cost {many.cpu / few.cpu:.1f} times"
    )
    extrapolated = "" if many.devices == devices else ", extrapolated"
    head = f"{scaling} the CPU; with {devices} all rules take of a third of their intervals"
    lines = [f"{head}{extrapolated}:", *(f"{share:9.0%} {of}" for of, share in whole.items())]
    return lines, max(whole.values()) <= 1
