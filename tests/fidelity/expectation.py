"""What an independent poller computed of a recording: `NAME.expected.json`.

It lists CPU in percent, memory in bytes, sensors in volts, amperes, watts, dBm, rpm and Celsius,
and states as the device tells them with a severity; all but memory with the OID they stand at.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["cpu", "memory", "sensor", "state"]
KINDS: tuple[Kind, ...] = ("cpu", "memory", "sensor", "state")


@dataclass(frozen=True)
class Expected:
    """One thing that the device told; `sort` is the class that the poller gave it.

    `value` is the percentage of a CPU or of memory, a reading, or the raw number of a state.
    """

    kind: Kind
    sort: str
    descr: str
    oid: str
    value: float
    severity: str = ""
    used: float = 0
    total: float = 0

    def __str__(self) -> str:
        """Return it in a line."""
        value = f"{self.value:g} {self.severity}".strip()
        return f"{self.kind} {self.sort} {self.descr!r} = {value} at {self.oid or 'no OID'}"


def read(path: Path) -> list[Expected]:
    """Return everything that is expected of a recording."""
    return list(_all(json.loads(path.read_text())))


def _all(content: dict[str, Any]) -> Iterator[Expected]:
    for row in content["cpu_percent"]:
        yield Expected("cpu", "cpu", row["descr"], _oid(row), row["value"])
    for row in content["memory"]:
        yield Expected(
            "memory",
            row["class"],
            row["descr"],
            "",
            100 * row["used"] / row["total"],
            used=row["used"],
            total=row["total"],
        )
    for row in content["sensors"]:
        yield Expected("sensor", row["class"], row["descr"], _oid(row), row["value"])
    for row in content["states"]:
        yield Expected("state", "state", row["descr"], _oid(row), row["raw"], row["severity"])


def _oid(row: dict[str, Any]) -> str:
    return str(row["oid"]).removeprefix(".")
