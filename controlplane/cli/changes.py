"""`chm changes`: what was done to the objects of the inventory, and by whom."""

from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.history import queries, service
from controlplane.history.nouns import Noun
from controlplane.history.schemas import ChangeOf, ChangesQuery
from controlplane.settings import Settings

COLUMNS = ("at", "actor_name", "action", "object_type", "name", "fields", "request_id")


def changes(
    *,
    noun: Annotated[
        Noun | None, typer.Option("--type", help="Only of objects of this kind.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only of the object of this name.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only by this actor.")] = None,
    request: Annotated[str | None, typer.Option(help="All that this one request did.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List changes, the newest first, also of what is no more: each field, before and after."""
    given = {"object_type": noun, "name": name, "actor_name": actor, "request_id": request}
    wanted = ChangesQuery(**{field: [value] for field, value in given.items() if value})

    async def work(session: AsyncSession) -> Sequence[ChangeOf]:
        statement = queries.all_changes(shell(), wanted).order_by(queries.ORDERING["seq"].desc())
        entries = (await session.scalars(statement.limit(limit))).all()
        return await service.read_several(session, shell(), entries)

    output.rows(transact(Settings(), work), COLUMNS, as_json=as_json)
