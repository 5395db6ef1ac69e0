"""`chm device-role`, `chm platform` and so on: the nouns of the catalogue, with the same verbs."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, get_origin

import typer
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.devices.catalogue import queries, service
from controlplane.devices.catalogue.nouns import NOUNS, Noun
from controlplane.devices.catalogue.schemas import EntryQuery, EntryRead
from controlplane.errors import Invalid, Problem
from controlplane.settings import Settings

BY_COMMAND: Mapping[str, Noun] = {noun.words.replace(" ", "-"): noun for noun in NOUNS.values()}
OBJECTS = frozenset({"value_schema"})  # what is written as JSON
HIDDEN = frozenset({"id", "version", "created_at", "updated_at"})  # columns nobody looks for

Pairs = Annotated[list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...")]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="FIELD=VALUE", help="As in the API: name__sw=co; several."),
]
Shown = Annotated[str, typer.Option("--fields", help="Only these, separated by commas.")]


def commands(command: str) -> typer.Typer:
    """Make the commands of the noun that a shell calls so."""
    noun = BY_COMMAND[command]
    plural = noun.plural.replace("_", " ")
    app = typer.Typer(help=f"{plural.capitalize()} of the inventory.", no_args_is_help=True)
    _add_reading(app, noun, plural)
    _add_writing(app, noun)
    return app


def _add_reading(app: typer.Typer, noun: Noun, plural: str) -> None:
    @app.command("list", help=f"List {plural}.")
    def list_(*, filters: Filters = None, fields: Shown = "", as_json: AsJson = False) -> None:
        query = asked(EntryQuery, filters or ())

        async def work(session: AsyncSession) -> list[EntryRead]:
            found = await session.scalars(queries.listed(noun, query).order_by("name"))
            return [noun.read.model_validate(entry.model_dump()) for entry in found]

        _rows(noun, transact(Settings(), work), fields, as_json=as_json)

    @app.command(help=f"Show a {noun.words}.")
    def show(name: str, *, as_json: AsJson = False) -> None:
        async def work(session: AsyncSession) -> BaseModel:
            return await service.get(session, noun, name)

        _show(work, as_json=as_json)


def _add_writing(app: typer.Typer, noun: Noun) -> None:
    @app.command(help=f"Add a {noun.words}.")
    def create(name: str, pairs: Pairs = None, *, as_json: AsJson = False) -> None:
        settings = Settings()
        data = noun.create.model_validate({"name": name, **said(noun.create, pairs or ())})

        async def work(session: AsyncSession) -> BaseModel:
            created = await service.create(session, shell(), noun, data)
            noun.check(created, settings)
            return created

        _show(work, as_json=as_json)

    @app.command("set", help=f"Change fields of a {noun.words}; an empty value takes one away.")
    def set_(name: str, pairs: Pairs = None, *, as_json: AsJson = False) -> None:
        settings = Settings()
        data = noun.update.model_validate(said(noun.update, pairs or ()))

        async def work(session: AsyncSession) -> BaseModel:
            changed = await service.update(session, shell(), noun, name, data)
            noun.check(changed, settings)
            return changed

        _show(work, as_json=as_json)

    @app.command(help=f"Remove a {noun.words} that no device refers to.")
    def delete(name: str) -> None:
        async def work(session: AsyncSession) -> None:
            await service.delete(session, shell(), noun, name)

        transact(Settings(), work)


def _show(work: Any, *, as_json: bool) -> None:
    output.item(transact(Settings(), work).model_dump(mode="json"), as_json=as_json)


def _rows(noun: Noun, found: Sequence[EntryRead], fields: str, *, as_json: bool) -> None:
    known = noun.read.model_fields
    chosen = tuple(fields.split(",")) if fields else ()
    if unknown := [field for field in chosen if field not in known]:
        raise Invalid(f"a {noun.words} has no field {unknown[0]!r}")
    own = [field for field in noun.create.model_fields if field not in HIDDEN | {"name"}]
    output.rows(found, chosen or ("name", *own), as_json=as_json, only=chosen or None)


def said(model: type[BaseModel], pairs: Sequence[str]) -> dict[str, Any]:
    """Give what `field=value` texts say; an empty value is none where a field may have none."""
    return {field: _value(model, field, value) for field, value in map(_split, pairs)}


def asked(model: type[BaseModel], pairs: Sequence[str]) -> Any:
    """Give the query that `field=value` texts ask, or raise Invalid where one has no meaning."""
    given: dict[str, Any] = {}
    for field, value in map(_split, pairs):
        if field not in model.model_fields:
            detail = f"there is no filter {field!r}"
            raise Invalid(detail, Problem(f"/{field}", "unknown_parameter", detail))
        if get_origin(model.model_fields[field].annotation) is list:
            given.setdefault(field, []).append(value)
        else:
            given[field] = value
    return model.model_validate(given)


def _split(pair: str) -> tuple[str, str]:
    field, equals, value = pair.partition("=")
    if not equals:
        raise Invalid(f"{pair!r} is not FIELD=VALUE")
    return field, value


def _value(model: type[BaseModel], field: str, value: str) -> Any:
    if field in OBJECTS:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise Invalid(f"{field} is no JSON") from None
    return None if not value and _nullable(model, field) else value


def _nullable(model: type[BaseModel], field: str) -> bool:
    info = model.model_fields.get(field)
    return info is not None and info.default is None and field != "name"
