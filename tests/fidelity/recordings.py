"""The recordings to compare, and the comparison of each."""

import os
from collections.abc import Iterable
from pathlib import Path

from tests.fidelity import exceptions, expectation
from tests.fidelity.comparison import Device, compare
from tests.fidelity.observation import explanation, playing, samples, shipped

VARIABLE = "CHM_RECORDINGS"  # folders, with colons between


def given() -> list[Path]:
    """Return every recording of the folders in the environment that has expectations beside it."""
    folders = [Path(name) for name in os.environ.get(VARIABLE, "").split(":") if name]
    found = [path for folder in folders for path in sorted(folder.glob("*.snmprec"))]
    return [path for path in found if _expected(path).is_file()]


async def compared(paths: Iterable[Path]) -> list[Device]:
    """Play recordings, one after the other, and compare."""
    known, configuration = exceptions.load(), shipped()
    devices = []
    for path in paths:
        async with playing([path]) as targets:
            ((name, target),) = targets.items()
            told = list(samples(await explanation(target, configuration)))
        devices.append(compare(name, expectation.read(_expected(path)), told, known))
    return devices


def _expected(path: Path) -> Path:
    return path.with_name(f"{path.name.removesuffix('.snmprec')}.expected.json")
