"""promtool: whether Prometheus would accept rule files, and if not, why."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from controlplane.errors import Invalid, Unavailable


class Rejected(Invalid):
    """promtool found a mistake; the detail is what it said, with file names without folders."""


async def check_rules(promtool: str, files: Sequence[Path], timeout: float) -> None:  # noqa: ASYNC109 - it kills what it started
    """Return if promtool accepts these rule files of one folder; `timeout` in seconds.

    Raises Rejected with its message, or Unavailable when it cannot be run or takes too long.
    """
    status, output = await _run([promtool, "check", "rules", *map(str, sorted(files))], timeout)
    if status:
        raise Rejected(_words(output, files[0].parent))


async def _run(command: list[str], timeout: float) -> tuple[int, str]:  # noqa: ASYNC109 - see check_rules
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        raise Unavailable(f"promtool cannot be run: {error}") from error
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout)
    except TimeoutError as error:
        raise Unavailable(f"promtool did not finish within {timeout:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace")


def _words(output: str, folder: Path) -> str:
    """Leave out what promtool says about files that are fine."""
    lines = [line.strip().replace(f"{folder}/", "") for line in output.splitlines()]
    chosen = [
        line
        for line in lines
        if line and not line.startswith(("Checking ", "SUCCESS:")) and line != "FAILED:"
    ]
    return "; ".join(chosen) or "promtool refused the rules and gave no reason"
