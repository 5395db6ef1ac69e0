"""Expectations that are left out or restated, each with its reason: `exceptions.yml`."""

import fnmatch
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from tests.fidelity.expectation import Expected

FILE = Path(__file__).parent / "exceptions.yml"


@dataclass(frozen=True)
class Entry:
    """Why expectations that fit these patterns do not hold as they are; an empty one fits all.

    With `instead` the same is expected at an OID that begins so, with `times` in another unit;
    with neither it is left out.
    """

    reason: str
    recording: str = "*"
    kind: str = "*"
    sort: str = "*"
    descr: str = "*"
    oid: str = ""
    instead: str = ""
    times: float = 0

    def fits(self, recording: str, expected: Expected) -> bool:
        """Return whether it speaks of an expectation; `oid` is the beginning of one."""
        return (
            fnmatch.fnmatchcase(recording, self.recording)
            and fnmatch.fnmatchcase(expected.kind, self.kind)
            and fnmatch.fnmatchcase(expected.sort, self.sort)
            and fnmatch.fnmatchcase(expected.descr, self.descr)
            and f"{expected.oid}.".startswith(f"{self.oid}." if self.oid else "")
        )

    def restated(self, expected: Expected) -> Expected | None:
        """Return what is expected in place of it, or None where it is left out."""
        if self.instead:
            return replace(expected, oid=self.instead + expected.oid.removeprefix(self.oid))
        if self.times:
            return replace(
                expected, used=expected.used * self.times, total=expected.total * self.times
            )
        return None


def load(path: Path = FILE) -> tuple[Entry, ...]:
    """Read the exceptions."""
    return tuple(Entry(**entry) for entry in yaml.safe_load(path.read_text()))
