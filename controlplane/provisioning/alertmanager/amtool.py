"""amtool: whether Alertmanager would accept a configuration, and if not, why."""

from pathlib import Path

from controlplane.clients.notifier import parse_version
from controlplane.errors import Invalid
from controlplane.notifications.kinds import Version
from controlplane.provisioning import programs


class Rejected(Invalid):
    """amtool found a mistake; the detail is what it said."""


async def check_config(amtool: str, file: Path, timeout: float) -> None:  # noqa: ASYNC109 - see programs.run
    """Return if amtool accepts the file, else raise Rejected; Unavailable if it cannot be run."""
    status, output = await programs.run([amtool, "check-config", str(file)], timeout)
    if status:
        lines = (line.strip() for line in output.splitlines())
        said = [line for line in lines if line and not line.startswith("Checking ")]
        raise Rejected("; ".join(said).replace(f"{file.parent}/", "") or "amtool gave no reason")


async def version(amtool: str, timeout: float) -> Version:  # noqa: ASYNC109 - see programs.run
    """Give the version of amtool, which understands what its Alertmanager does."""
    _, output = await programs.run([amtool, "--version"], timeout)
    return parse_version(output)
