"""`python -m tests.fidelity.excerpt RECORDING NAME`: cut a walk down to a golden file.

Kept is what the profile looks at, a few rows of each kind, without names, addresses and serial
numbers. The samples of the cut go to `NAME.prom`, to be read by eye before they are committed.
"""

import asyncio
import bz2
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from exporter.probe import Explanation
from tests.fidelity import golden
from tests.fidelity.observation import explanation, playing, shipped

ROWS = 3  # of each kind that are kept, with and without a sample
# Interfaces are tested elsewhere; the others tell addresses and names of a network.
PRIVATE = re.compile(r"if_mib|lldp|cdp|bgp|ospf")
SYSTEM = ("1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", "1.3.6.1.2.1.1.3.0")
SERIAL = b"SERIAL01"


def main(recording: Path, name: str) -> None:
    """Write the excerpt of a recording and its samples."""
    lines = dict(_lines(recording))
    told = asyncio.run(_explained(recording))
    kept = dict.fromkeys(wanted(told))
    facts = {fact.name: fact for fact in told.facts}
    hidden = facts["serial"].text.encode()
    cut = [_hidden(lines[oid], hidden) for oid in sorted(kept, key=_arcs) if oid in lines]
    path = golden.FOLDER / f"{name}.snmprec"
    path.write_bytes(b"\n".join(cut) + b"\n")
    path.with_suffix(".prom").write_text(asyncio.run(golden.samples_of(path, shipped())))


def wanted(told: Explanation) -> Iterator[str]:
    """Yield the OIDs to keep: of every health entry some rows that became samples, and some not."""
    yield from SYSTEM
    yield from (fact.oid for fact in told.facts if fact.oid)
    for collector in told.collectors:
        if PRIVATE.search(collector.name):
            continue
        for entry in collector.entries:
            told_rows = [row for row in entry.rows if row.series]
            reasons = {row.reason: row for row in entry.rows if not row.series}
            for row in (*told_rows[:ROWS], *list(reasons.values())[:ROWS]):
                yield from (source.oid for source in row.sources)


async def _explained(recording: Path) -> Explanation:
    async with playing([recording]) as targets:
        return await explanation(next(iter(targets.values())), shipped())


def _lines(recording: Path) -> Iterable[tuple[str, bytes]]:
    data = recording.read_bytes()
    for line in (bz2.decompress(data) if recording.suffix == ".bz2" else data).splitlines():
        oid, _, _ = line.partition(b"|")
        yield oid.decode().removeprefix("."), line


def _hidden(line: bytes, serial: bytes) -> bytes:
    """Return a line without the serial number, be it as text or in hexadecimal."""
    if not serial:
        return line
    for form in (serial, serial.hex().encode()):
        line = line.replace(form, SERIAL if form == serial else SERIAL.hex().encode())
    return line


def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
