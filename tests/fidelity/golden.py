"""Golden files: excerpts of walks of real devices, and the `chm_*` samples they must become.

`python -m tests.fidelity.golden` writes the samples anew, to be read by eye as a difference.
"""

import asyncio
from pathlib import Path

from exporter.profiles.loader import Configuration
from tests.fidelity.observation import page, playing, shipped

FOLDER = Path(__file__).parent / "golden"
# How a scrape went is no fact of the device.
MEASURED = ("chm_collector",)


def recordings() -> list[Path]:
    """Return every excerpt there is."""
    return sorted(FOLDER.glob("*.snmprec"))


async def samples_of(recording: Path, configuration: Configuration) -> str:
    """Return the `chm_*` samples of a recording in the order of the page, without comments."""
    async with playing([recording]) as targets:
        text = await page(next(iter(targets.values())), configuration)
    kept = [
        line
        for line in text.splitlines()
        if line.startswith("chm_") and not line.startswith(MEASURED)
    ]
    return "\n".join(kept) + "\n"


def main() -> None:
    """Write the samples of every excerpt."""
    configuration = shipped()
    for path in recordings():
        path.with_suffix(".prom").write_text(asyncio.run(samples_of(path, configuration)))


if __name__ == "__main__":
    main()
