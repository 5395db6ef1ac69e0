"""`chm vault`: the keys that secrets at rest are under, and new ones."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import models as auth
from controlplane.auth.actor import shell
from controlplane.cli import output, work
from controlplane.cli.output import AsJson
from controlplane.cli.work import Sessions, transact, with_sessions
from controlplane.credentials import models as credentials
from controlplane.errors import Conflict
from controlplane.jobs import models as jobs
from controlplane.notifications import models as notifications
from controlplane.settings import Settings
from controlplane.vault import ring, rotation
from controlplane.vault.ring import Files

app = typer.Typer(help="The keys that secrets at rest are under.", no_args_is_help=True)

SEALED = (
    auth,
    credentials,
    jobs,
    notifications,
)  # where models of sealed records are: imported, rotation finds them
BROKEN = 1  # the exit code where some records do not open


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say which keys there are and what is under each, and open every record there is.

    Ends with 1 where a record does not open: it was altered or moved, or its key is gone.
    """
    vault = work.vault(Settings())

    async def look(session: AsyncSession) -> tuple[dict[int, int], list[rotation.Record]]:
        return await rotation.census(session), await rotation.unreadable(session, vault)

    counted, broken = transact(Settings(), look)
    report = {"source": vault.ring.source, "keys": list(rotation.lines(counted, vault.ring))}
    _show(report, broken, as_json=as_json)


@app.command()
def rotate(
    *,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make the key, to copy it to other hosts first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new key and wrap every data key with it, while everything runs.

    Where records are still under an older key, as after a rotation that was cut short, that is
    finished and no new key made. Keys from the environment or a command are made elsewhere.
    """
    settings = Settings()
    keys = ring.from_settings(settings)
    if prepare:
        output.item({"prepared": _files(keys).prepare()}, as_json=as_json)
        return
    vault = work.vault(settings)

    async def run(sessions: Sessions) -> tuple[int, list[rotation.Record]]:
        async with sessions() as session:
            under = await rotation.census(session)
        finished = not under.keys() - {keys.current()}
        if isinstance(keys, Files) and (finished or keys.prepared()):
            keys.activate()
        wrapped, broken = await rotation.rewrap(sessions, vault)
        async with sessions.begin() as session:
            await _record(session, keys.current(), {"wrapped": wrapped, "broken": len(broken)})
        return wrapped, broken

    wrapped, broken = with_sessions(settings, run)
    _show({"key": keys.current(), "wrapped": wrapped}, broken, as_json=as_json)


@app.command()
def retire(version: int, *, as_json: AsJson = False) -> None:
    """Remove the file of a key that wraps nothing any more; backups under it open no more."""
    settings = Settings()
    keys = _files(ring.from_settings(settings))
    if version not in (keys.versions() or []):
        raise Conflict(f"there is no key {version}")
    if version == keys.current():
        raise Conflict(f"key {version} is the one that wraps; `chm vault rotate` first")

    async def remove(session: AsyncSession) -> None:
        await rotation.refuse_in_use(session, version)
        await _record(session, version, {"retired": True})
        keys.remove(version)

    transact(settings, remove)
    output.item({"retired": version}, as_json=as_json)


async def _record(session: AsyncSession, version: int, after: Mapping[str, Any]) -> None:
    await audit.record(
        session,
        Action.KEY_ROTATED,
        who=shell().who,
        object_type="vault_key",
        object_name=str(version),
        after=after,
    )


def _files(keys: ring.Ring) -> Files:
    if not isinstance(keys, Files):
        raise Conflict(f"the keys come from {keys.source}: make and remove them there")
    return keys


def _show(report: Mapping[str, Any], broken: list[rotation.Record], *, as_json: bool) -> None:
    unreadable = [record.reason for record in broken]
    output.item({**report, "unreadable": unreadable}, as_json=as_json)
    if broken:
        raise typer.Exit(BROKEN)
