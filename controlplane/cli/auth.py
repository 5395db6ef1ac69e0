"""`chm auth`: the keys that sign access tokens."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import signing
from controlplane.auth.actor import shell
from controlplane.cli import output, work
from controlplane.cli.output import AsJson
from controlplane.settings import Settings

app = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)
app.callback()(lambda: None)  # so that the single command keeps its name


@app.command("rotate-key")
def rotate_key(
    *,
    leaked: Annotated[
        bool, typer.Option("--leaked", help="End the old keys and their tokens at once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have a new key sign; the old ones verify until their tokens are gone, and nobody notices."""
    settings = Settings()

    async def rotate(session: AsyncSession) -> str:
        key = await signing.rotate(
            session, work.vault(settings), settings.access_token_lifetime, drop=leaked
        )
        await audit.record(
            session,
            Action.KEY_ROTATED,
            who=shell().who,
            object_type="signing_key",
            object_id=key,
            after={"old_keys": "ended" if leaked else "verify until their tokens are gone"},
        )
        return str(key)

    output.item({"key": work.transact(settings, rotate)}, as_json=as_json)
