"""promtool: whether Prometheus would accept rule files, and if not, why."""

from collections.abc import Sequence
from pathlib import Path

from controlplane.errors import Invalid
from controlplane.provisioning import programs


class Rejected(Invalid):
    """promtool found a mistake; the detail is what it said, with file names without folders."""


async def check_rules(promtool: str, files: Sequence[Path], timeout: float) -> None:  # noqa: ASYNC109 - it kills what it started
    """Return if promtool accepts these rule files of one folder; `timeout` in seconds.

    Raises Rejected with its message, or Unavailable when it cannot be run or takes too long.
    """
    status, output = await programs.run(
        [promtool, "check", "rules", *map(str, sorted(files))], timeout
    )
    if status:
        raise Rejected(_words(output, files[0].parent))


def _words(output: str, folder: Path) -> str:
    """Leave out what promtool says about files that are fine."""
    lines = [line.strip().replace(f"{folder}/", "") for line in output.splitlines()]
    chosen = [
        line
        for line in lines
        if line and not line.startswith(("Checking ", "SUCCESS:")) and line != "FAILED:"
    ]
    return "; ".join(chosen) or "promtool refused the rules and gave no reason"
