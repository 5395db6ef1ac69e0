"""Each expectation against the samples made of the same OID: present, missing, contradicted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.fidelity.exceptions import Entry
from tests.fidelity.expectation import Expected, Kind
from tests.fidelity.observation import Told

Verdict = Literal["present", "missing", "contradicted", "excepted"]

# The families of each class, and how far a reading may be off by rounding; CPU in percent.
SENSORS: dict[str, tuple[tuple[str, ...], float]] = {
    "cpu": (("chm_cpu_utilization_ratio",), 1.0),
    "temperature": (("chm_temperature_celsius",), 0.051),
    "voltage": (("chm_sensor_volts",), 0.0051),
    "current": (("chm_sensor_amperes",), 0.0000051),
    "power": (("chm_sensor_watts", "chm_poe_used_watts", "chm_poe_budget_watts"), 0.051),
    "dbm": (("chm_sensor_dbm",), 0.0051),
    "fanspeed": (("chm_fan_speed_rpm",), 0.51),
    "percent": (("chm_fan_speed_ratio",), 0.0051),
}
STATES = (
    "chm_fan_up",
    "chm_power_supply_up",
    "chm_module_up",
    "chm_stack_member_up",
    "chm_stack_port_up",
    "chm_stack_ring_up",
    "chm_sensor_ok",
    "chm_alarm_active",
)
DEGRADED = "chm_component_degraded"
# What severities allow the samples of a state to say: good, or bad.
WELL, ILL, OPEN = {"ok"}, {"critical"}, {"warning", "unknown"}
POINT = 1.0  # of a percentage, by which two ways to round may differ
MEMORY_OFF = 0.01  # of a size in bytes


@dataclass(frozen=True)
class Result:
    """How an expectation fared, and why."""

    expected: Expected
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Device:
    """Every result of one recording."""

    name: str
    results: tuple[Result, ...]
    told: int

    def count(self, verdict: Verdict, kind: Kind | None = None) -> int:
        """Return how many results have a verdict."""
        return sum(
            result.verdict == verdict and kind in {None, result.expected.kind}
            for result in self.results
        )

    @property
    def counted(self) -> int:
        """How many expectations are not excepted."""
        return len(self.results) - self.count("excepted")


def compare(
    name: str, expectations: Iterable[Expected], told: Sequence[Told], exceptions: Iterable[Entry]
) -> Device:
    """Return how each expectation of a device fared."""
    results = []
    known = tuple(exceptions)
    for expected in expectations:
        entry = next((entry for entry in known if entry.fits(name, expected)), None)
        meant = entry.restated(expected) if entry else expected
        if entry and meant is None:
            results.append(Result(expected, "excepted", entry.reason))
        else:
            results.append(Result(expected, *_verdict(meant or expected, told)))
    return Device(name, tuple(results), len(told))


def totals(devices: Iterable[Device]) -> tuple[int, int, int]:
    """Return how many expectations count, are present, and are contradicted."""
    counted = present = contradicted = 0
    for device in devices:
        counted += device.counted
        present += device.count("present")
        contradicted += device.count("contradicted")
    return counted, present, contradicted


def _verdict(expected: Expected, told: Sequence[Told]) -> tuple[Verdict, str]:
    same = [sample for sample in told if expected.oid in sample.oids]
    if expected.kind == "memory":
        return _memory(expected, told)
    if expected.kind == "state":
        return _state(expected, same)
    families, off = SENSORS[expected.sort]
    scale = 100 if expected.kind == "cpu" else 1
    found = [sample for sample in same if sample.family in families]
    if any(abs(sample.value * scale - expected.value) <= off for sample in found):
        return "present", ""
    if found:
        return "contradicted", _listed(found)
    return "missing", _listed(same)


def _state(expected: Expected, same: Sequence[Told]) -> tuple[Verdict, str]:
    found = [sample for sample in same if sample.family in {*STATES, DEGRADED}]
    if not found:
        # What is not there or not known has no sample.
        return ("present", "") if expected.severity == "unknown" else ("missing", "")
    bad = any(_ill(sample) for sample in found)
    agrees = expected.severity in OPEN or bad == (expected.severity in ILL)
    return ("present", "") if agrees else ("contradicted", _listed(found))


def _ill(sample: Told) -> bool:
    good = 0 if sample.family in {"chm_alarm_active", DEGRADED} else 1
    return sample.value != good


def _memory(expected: Expected, told: Sequence[Told]) -> tuple[Verdict, str]:
    """Compare with every pool, since memory has no OID; a pool of the same name must agree."""
    pools: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in told:
        if sample.family.startswith("chm_memory_"):
            pools.setdefault(sample.labels, {})[sample.family] = sample.value
    if any(_agrees(expected, pool) for pool in pools.values()):
        return "present", ""
    named = [pool for labels, pool in pools.items() if expected.descr in dict(labels).values()]
    detail = f"used {expected.used:.0f} of {expected.total:.0f}, told {named}"
    return "contradicted" if named else "missing", detail


def _agrees(expected: Expected, pool: Mapping[str, float]) -> bool:
    used, size = pool.get("chm_memory_used_bytes"), pool.get("chm_memory_size_bytes")
    if used is None or size is None:
        ratio = pool.get("chm_memory_utilization_ratio", math.nan)
        return abs(100 * ratio - expected.value) <= POINT
    if not math.isclose(size, expected.total, rel_tol=MEMORY_OFF):
        return False
    return abs(100 * used / size - expected.value) <= POINT


def _listed(samples: Iterable[Told]) -> str:
    return "; ".join(map(str, samples))
