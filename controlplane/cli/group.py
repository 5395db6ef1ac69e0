"""`chm group`: device groups, which are saved filters."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import shell
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.work import transact
from controlplane.devices import inventory
from controlplane.devices import queries as device_queries
from controlplane.devices.groups import queries, service
from controlplane.devices.groups.schemas import GroupCreate, GroupQuery, GroupRead, GroupUpdate
from controlplane.devices.schemas import DeviceQuery, DeviceRead
from controlplane.settings import Settings

app = typer.Typer(help="Device groups: saved filters over devices.", no_args_is_help=True)

Site = Annotated[str | None, typer.Option(help="At this site, or below it.")]
Role = Annotated[list[str] | None, typer.Option(help="Of this role; several: any of them.")]
Vendor = Annotated[list[str] | None, typer.Option(help="Of this vendor; several: any of them.")]
TagAny = Annotated[list[str] | None, typer.Option(help="With one of these tags.")]
TagAll = Annotated[list[str] | None, typer.Option(help="With all of these tags.")]
Pattern = Annotated[str, typer.Option(help="Of the name: * any text, ? any one character.")]
Description = Annotated[str | None, typer.Option(help="For people.")]


@app.command()
def add(
    name: str,
    *,
    description: Description = None,
    site: Site = None,
    role: Role = None,
    vendor: Vendor = None,
    tag_any: TagAny = None,
    tag_all: TagAll = None,
    pattern: Pattern = "",
    as_json: AsJson = False,
) -> None:
    """Add a group of the devices that meet all that is asked."""
    asked = _filter(site, role, vendor, tag_any, tag_all, pattern)
    fields = {"name": name, "description": description or "", "filter": asked}
    data = GroupCreate.model_validate(fields)

    async def work(session: AsyncSession) -> GroupRead:
        return await service.create(session, shell(), data)

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def change(
    name: str,
    *,
    description: Description = None,
    site: Site = None,
    role: Role = None,
    vendor: Vendor = None,
    tag_any: TagAny = None,
    tag_all: TagAll = None,
    pattern: Pattern = "",
    as_json: AsJson = False,
) -> None:
    """Change a group: its description, or its filter as a whole."""
    fields: dict[str, Any] = {} if description is None else {"description": description}
    asked = _filter(site, role, vendor, tag_any, tag_all, pattern)
    if any(asked.values()):
        fields["filter"] = asked
    data = GroupUpdate.model_validate(fields)

    async def work(session: AsyncSession) -> GroupRead:
        return await service.update(session, shell(), name, data)

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def rename(name: str, to: str, *, as_json: AsJson = False) -> None:
    """Rename a group; what it holds, and roles held on it, stay."""
    data = GroupUpdate(name=to)

    async def work(session: AsyncSession) -> GroupRead:
        return await service.update(session, shell(), name, data)

    _show(transact(Settings(), work), as_json=as_json)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List groups."""

    async def work(session: AsyncSession) -> Sequence[GroupRead]:
        found = await session.scalars(queries.groups(shell(), GroupQuery()).order_by("name"))
        return await service.read(session, shell(), list(found))

    columns = ("name", "description", "filter", "version")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def show(name: str, *, as_json: AsJson = False) -> None:
    """Show a group."""

    async def work(session: AsyncSession) -> GroupRead:
        group = await service.get(session, shell(), name)
        return (await service.read(session, shell(), [group]))[0]

    _show(transact(Settings(), work), as_json=as_json)


@app.command()
def members(name: str, *, as_json: AsJson = False) -> None:
    """List the devices that a group holds now."""

    async def work(session: AsyncSession) -> Sequence[DeviceRead]:
        group = await service.get(session, shell(), name)
        held = device_queries.devices(shell(), DeviceQuery()).where(
            device_queries.among_devices(queries.members(group.id))
        )
        return await inventory.read(
            session, shell(), list(await session.scalars(held.order_by("name")))
        )

    columns = ("name", "address", "site", "role", "vendor", "status", "tags")
    output.rows(transact(Settings(), work), columns, as_json=as_json)


@app.command()
def remove(name: str) -> None:
    """Remove a group on which nobody holds a role."""

    async def work(session: AsyncSession) -> None:
        await service.delete(session, shell(), name)

    transact(Settings(), work)


def _filter(  # noqa: PLR0917 - one for each option
    site: str | None,
    roles: list[str] | None,
    vendors: list[str] | None,
    tags_any: list[str] | None,
    tags_all: list[str] | None,
    pattern: str,
) -> dict[str, Any]:
    lists = {"roles": roles, "vendors": vendors, "tags_any": tags_any, "tags_all": tags_all}
    return {"site": site, "pattern": pattern, **{name: v or [] for name, v in lists.items()}}


def _show(group: GroupRead, *, as_json: bool) -> None:
    output.item(group.model_dump(mode="json"), as_json=as_json)
