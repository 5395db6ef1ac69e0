"""Which sensors read what is beyond limits of their own, as `chm_sensor_beyond_limit`.

Most sensors have four limits, and hardly ever is one crossed: so rules read no others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from exporter.metrics import Family, Number, family

SEVERITIES = ("critical", "warning")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sensor: its families, and what a reading must be above to be too low.

    A high limit that is not above `least` was never set.
    """

    unit: str
    value: str
    limit: str
    floor: float = -inf
    least: float = -inf


# A port without a fibre has no light (some -40 dBm), and a laser that is off takes no current.
KINDS = (
    Kind("celsius", "chm_temperature_celsius", "chm_temperature_limit_celsius", least=0),
    Kind("volts", "chm_sensor_volts", "chm_sensor_limit_volts"),
    Kind("amperes", "chm_sensor_amperes", "chm_sensor_limit_amperes", floor=0),
    Kind("watts", "chm_sensor_watts", "chm_sensor_limit_watts", floor=0),
    Kind("dbm", "chm_sensor_dbm", "chm_sensor_limit_dbm", floor=-30),
)


def families(found: Iterable[Family]) -> list[Family]:
    """Return the readings beyond a limit, by sensor, unit and limit."""
    columns: dict[str, dict[str, Number]] = {}
    for made in found:
        columns.setdefault(made.name, {}).update(zip(made.blocks, made.numbers, strict=True))
    beyond = family("chm_sensor_beyond_limit")
    for kind in KINDS:
        readings, limits = columns.get(kind.value, {}), columns.get(kind.limit, {})
        for block, reading in readings.items() if limits else ():
            for limit in _crossed(kind, block, reading, limits):
                beyond.blocks.append(f'{{limit="{limit}",{block[1:-1]},unit="{kind.unit}"}}')
                beyond.numbers.append(reading)
    return [beyond]


def _crossed(
    kind: Kind, block: str, reading: Number, limits: Mapping[str, Number]
) -> Iterator[str]:
    """Yield the limits beyond which a reading is."""
    for severity in SEVERITIES:
        low, high = (
            limits.get(f'{{limit="{end}_{severity}",{block[1:]}') for end in ("low", "high")
        )
        if low is not None and kind.floor < reading < low:
            yield f"low_{severity}"
        if high is not None and kind.least < high < reading:
            yield f"high_{severity}"
