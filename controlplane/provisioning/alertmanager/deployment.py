"""A routing set goes to Alertmanager as a whole, or not at all.

Write beside, check with amtool, put alertmanager.yml in place in one step, reload, see that
Alertmanager runs it. When anything fails, the file that was there before is put back. Each set has
a folder of its own for templates and secrets, so the one before works until it is no longer needed.
Callers hold a lock: one deployer at a time.
"""

import asyncio
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from controlplane import files
from controlplane.clients.alertmanager import NotRunning
from controlplane.clients.notifier import Notifier
from controlplane.errors import ChmError, Invalid, Unavailable
from controlplane.provisioning.alertmanager import amtool
from controlplane.provisioning.alertmanager.document import FOLDER, MARK, RoutingSet

POLL = 0.2
CONFIG = "alertmanager.yml"


@dataclass(frozen=True)
class Deployment:
    """What came of it: `detail` in words, `running` is whether Alertmanager confirmed the set."""

    status: Literal["deployed", "unchanged", "failed"]
    detail: str
    running: bool


@dataclass(frozen=True)
class Target:
    """The folder of alertmanager.yml, and how long (seconds) programs may take."""

    folder: Path
    notifier: Notifier
    amtool: str = "amtool"
    check_timeout: float = 30
    verify_timeout: float = 15

    @property
    def config(self) -> Path:
        """The file that Alertmanager is started with."""
        return self.folder / CONFIG

    def beside(self, revision: str) -> Path:
        """Name the folder of a set's templates and secrets."""
        return self.folder / FOLDER / f"rev-{revision}"


async def deploy(wanted: RoutingSet, target: Target) -> Deployment:
    """Bring Alertmanager to run `wanted`; afterwards it runs that, or what it ran before."""
    try:
        before = await _running(target)
        if await asyncio.to_thread(_holds, wanted, target):
            if before == wanted.revision:
                return Deployment("unchanged", "Alertmanager runs this set", running=True)
        else:
            await _place(wanted, target)
        return await _enforce(wanted, target)
    except (Invalid, Unavailable, OSError) as error:
        return Deployment("failed", f"{_words(error)} (nothing was changed)", running=False)


async def _place(wanted: RoutingSet, target: Target) -> None:
    """Put templates, secrets and the configuration beside, and have amtool check them."""
    folder = target.beside(wanted.revision)
    try:
        await asyncio.to_thread(_write, wanted, folder)
        await amtool.check_config(target.amtool, folder / CONFIG, target.check_timeout)
    except BaseException:
        await asyncio.to_thread(_discard, wanted, target)
        raise


async def _enforce(wanted: RoutingSet, target: Target) -> Deployment:
    """Put the configuration in place, and the one before again unless Alertmanager runs it."""
    previous = target.config.read_bytes() if target.config.exists() else None
    try:
        changed = files.replace(target.config, wanted.config.encode(), files.PRIVATE)
        await target.notifier.reload()
        await _confirm(wanted, target)
    except NotRunning:
        words = "Alertmanager is not running; it will start with this set"
        return Deployment("deployed" if changed else "unchanged", words, running=False)
    except (Invalid, Unavailable, OSError) as error:
        after = await _put_back(previous, target)
        return Deployment("failed", f"{_words(error)} ({after})", running=False)
    await asyncio.to_thread(_prune, target, wanted.revision)
    return Deployment("deployed", "Alertmanager runs this set", running=True)


async def _confirm(wanted: RoutingSet, target: Target) -> None:
    deadline = time.monotonic() + target.verify_timeout
    while await _running(target) != wanted.revision:
        if time.monotonic() > deadline:
            raise Unavailable(
                "Alertmanager reloaded, but does not run this set; "
                f"its --config.file must be {target.config}"
            )
        await asyncio.sleep(POLL)


async def _running(target: Target) -> str | None:
    """Return the revision that Alertmanager runs, "" for none of ours, None when it is down."""
    try:
        names = await target.notifier.receivers()
    except NotRunning:
        return None
    return next((name.removeprefix(MARK) for name in names if name.startswith(MARK)), "")


async def _put_back(previous: bytes | None, target: Target) -> str:
    """Return to the file before, and say how that went."""
    if previous is None:
        return "there was no configuration before"
    try:
        files.replace(target.config, previous, files.PRIVATE)
        await target.notifier.reload()
    except (Invalid, Unavailable, OSError) as error:
        return (
            "the file before is back, and Alertmanager keeps what it has loaded, "
            f"but it did not reload: {_words(error)}"
        )
    return "the configuration before is back in force"


def _holds(wanted: RoutingSet, target: Target) -> bool:
    """Say whether the configuration and its files are on disk exactly as they should be."""
    folder = target.beside(wanted.revision)
    expected = {target.config: wanted.config, **_contents(wanted, folder)}
    try:
        return all(path.read_text(encoding="utf-8") == text for path, text in expected.items())
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return False


def _write(wanted: RoutingSet, folder: Path) -> None:
    for path, text in _contents(wanted, folder).items():
        files.replace(path, text.encode(), files.PRIVATE)


def _contents(wanted: RoutingSet, folder: Path) -> dict[Path, str]:
    beside = {folder / name: text for name, text in wanted.files.items()}
    return {**beside, folder / CONFIG: wanted.config}


def _discard(wanted: RoutingSet, target: Target) -> None:
    """Remove the files of a set that was refused, unless it is the one that is in place."""
    in_place = target.config.exists() and target.config.read_text(encoding="utf-8")
    if in_place != wanted.config:
        shutil.rmtree(target.beside(wanted.revision), ignore_errors=True)


def _prune(target: Target, revision: str) -> None:
    """Remove the files of all other sets: secrets that nothing needs lie nowhere."""
    for folder in (target.folder / FOLDER).glob("rev-*"):
        if folder != target.beside(revision):
            shutil.rmtree(folder)


def _words(error: Exception) -> str:
    return error.detail if isinstance(error, ChmError) else str(error)
