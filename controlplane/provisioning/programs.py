"""Programs that say whether what we wrote is right: promtool and amtool."""

import asyncio
from collections.abc import Sequence

from controlplane.errors import Unavailable


async def run(command: Sequence[str], timeout: float) -> tuple[int, str]:  # noqa: ASYNC109 - it kills what it started
    """Run a program; give its exit code and what it printed, or raise Unavailable.

    It is unavailable where it cannot be run, or takes more than `timeout` seconds.
    """
    name = command[0].rpartition("/")[2]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        raise Unavailable(f"{name} cannot be run: {error}") from error
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout)
    except TimeoutError as error:
        raise Unavailable(f"{name} did not finish within {timeout:g} seconds") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace")
