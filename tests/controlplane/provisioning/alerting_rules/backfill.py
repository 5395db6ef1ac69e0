"""A real Prometheus that has samples of the past, put there as blocks."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.controlplane.provisioning.server import Server, server
from tests.tools import tool

Past = Mapping[str, Sequence[tuple[float, float]]]
"""Of each series, written as PromQL has it, the pairs of time and value."""


def with_samples(folder: Path, past: Past) -> Server:
    """Return a Prometheus, not started, with these series."""
    lines = [
        f"{series} {value} {at:.3f}" for series, points in past.items() for at, value in points
    ]
    file = folder / "samples.om"
    file.write_text("\n".join([*lines, "# EOF"]) + "\n")
    made = server(folder)
    command = [tool("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run([*command, str(file), str(folder / "tsdb")], check=True, capture_output=True)
    return made
