"""Which readings the exporter says to be beyond limits of their own."""

from collections.abc import Mapping

import pytest

from exporter.metrics import family
from exporter.probe import limits

SEVERE: Mapping[str, float] = {"low_critical": -14, "high_critical": 2}


def crossed(unit: str, reading: float, bounds: Mapping[str, float]) -> set[str]:
    heat = unit == "celsius"
    value = family("chm_temperature_celsius" if heat else f"chm_sensor_{unit}")
    value.add(reading, {"sensor": 'Te1/1 "Rx"'})
    value.add(0, {"sensor": "another"})
    limit = family("chm_temperature_limit_celsius" if heat else f"chm_sensor_limit_{unit}")
    for name, bound in bounds.items():
        limit.add(bound, {"sensor": 'Te1/1 "Rx"', "limit": name})
    (beyond,) = limits.families([value, limit])
    assert set(beyond.numbers) <= {reading}
    return set(beyond.blocks)


def told(unit: str, *names: str) -> set[str]:
    return {f'{{limit="{name}",sensor="Te1/1 \\"Rx\\"",unit="{unit}"}}' for name in names}


@pytest.mark.parametrize(
    ("unit", "reading", "name"),
    [
        ("dbm", -17, "low_critical"),
        ("dbm", 4, "high_critical"),
        ("volts", -17, "low_critical"),
        ("amperes", 4, "high_critical"),
        ("watts", 4, "high_critical"),
        ("celsius", -17, "low_critical"),
        ("celsius", 4, "high_critical"),
    ],
)
def test_a_reading_beyond_a_limit_is_said(unit: str, reading: float, name: str) -> None:
    """Too weak or too strong, by the sensor's own limit."""
    assert crossed(unit, reading, SEVERE) == told(unit, name)


@pytest.mark.parametrize(
    ("unit", "reading"), [("dbm", -5), ("dbm", -40), ("dbm", 2), ("amperes", 0), ("watts", -1)]
)
def test_other_readings_are_not(unit: str, reading: float) -> None:
    """A port without a fibre has no light, a laser that is off no current: that is no fault."""
    assert crossed(unit, reading, {**SEVERE, "low_warning": -14}) == set()


def test_every_limit_is_one() -> None:
    """Who is beyond the critical limit is beyond the warning, too."""
    bounds = {"high_warning": 90, "high_critical": 105}
    assert crossed("celsius", 95, bounds) == told("celsius", "high_warning")
    assert crossed("celsius", 106, bounds) == told("celsius", *bounds)


def test_heat_without_a_limit() -> None:
    """A high limit of 0 degrees was never set."""
    assert crossed("celsius", 40, {"high_critical": 0}) == set()
