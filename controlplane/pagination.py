"""Pages of a list: the envelope, `limit` and `offset` or `cursor`, `ordering`, and `fields`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import True_
from starlette.datastructures import URL

from controlplane import keyset
from controlplane.database import plain
from controlplane.errors import Invalid, Problem
from controlplane.grammar import Printable
from controlplane.keyset import Key

LIMIT, MAX_LIMIT = 50, 1000
MAX_OFFSET = 10_000  # what is skipped is read all the same

Row = TypeVar("Row")
Item = TypeVar("Item", bound=BaseModel)
Text = Annotated[Printable, Field(max_length=1000)]


def _near(offset: int) -> int:
    if offset > MAX_OFFSET:
        raise ValueError(f"must be at most {MAX_OFFSET}; what lies behind is found by `cursor`")
    return offset


Offset = Annotated[
    int, Field(ge=0, json_schema_extra={"maximum": MAX_OFFSET}), AfterValidator(_near)
]


class PageQuery(BaseModel):
    """Which part of a list is wanted, in which order, and what of each item.

    `ordering` has names of columns, `-name` for descending; `fields` those of the items. With
    `cursor`, empty for the first page, `next` leads through a list of any length, uncounted.
    """

    limit: int = Field(default=LIMIT, ge=1, le=MAX_LIMIT)
    offset: Offset = 0
    cursor: Text | None = None
    ordering: Annotated[str, Field(max_length=200)] = ""
    fields: Text = ""


class Page(BaseModel, Generic[Item]):
    """A part of a list: the count of all, the addresses of its neighbours, and the items."""

    count: int | None
    next: str | None
    previous: str | None
    results: list[Item]


@dataclass(frozen=True)
class Ordered(Generic[Row]):
    """A list as a statement, and the keys it is ordered by; the last one is unique.

    `once` is for what no index finds, `count` for what is counted otherwise: see `ordered`.
    """

    statement: Select[tuple[Row]]
    keys: tuple[Key, ...]
    once: bool = False
    count: Select[tuple[int]] | None = None

    def counted(self) -> Select[tuple[int]]:
        """Count what the statement selects."""
        if self.count is not None:
            return self.count
        bare = self.statement.order_by(None)
        return bare.with_only_columns(func.count(), maintain_column_froms=True)


@dataclass(frozen=True)
class Extent:
    """How many rows a list has, if they were counted, and where the page ends if more follow."""

    count: int | None
    cursor: str | None


def ordered(
    statement: Select[tuple[Row]],
    ordering: str,
    columns: Mapping[str, Any],
    default: str,
    *,
    once: bool = False,
    count: Select[tuple[int]] | None = None,
) -> Ordered[Row]:
    """Order by the comma-separated names of `ordering`; a name we do not know is refused.

    The order always ends with `default`, a unique column, so that pages neither lose nor repeat.
    What no index finds, as with `q`, is looked for `once`, and then both counted and put in order;
    of what an index finds, the count and the page each take less than to remember all. A `count`
    that takes less than counting the rows of the statement stands for it.
    """
    keys: dict[str, Key] = {}
    for given in [*filter(None, ordering.split(",")), default]:
        name = given.removeprefix("-")
        if name not in columns:
            detail = f"cannot order by {given!r}, only by {', '.join(columns)}"
            raise Invalid(detail, Problem("/query/ordering", "ordering", detail))
        keys.setdefault(name, Key(name, columns[name], given.startswith("-")))
    statement = statement.order_by(*(key.clause for key in keys.values()))
    return Ordered(statement, tuple(keys.values()), once, count)


async def fetch(
    session: AsyncSession, listed: Ordered[Row], query: PageQuery
) -> tuple[Extent, list[Row]]:
    """Give the rows of the wanted page, and its extent, in one statement."""
    if query.cursor is not None and query.offset:
        detail = "a page is found by `offset` or by `cursor`, not by both"
        raise Invalid(detail, Problem("/query/cursor", "cursor", detail))
    counted = query.cursor is None
    asked = _asked(listed, query)
    found = await _rows(session, listed.statement, asked)
    count = None
    if counted:
        count = found[0][-1] if found else 0
    if query.offset and not found:  # behind the end
        count = (await session.execute(listed.counted())).scalar_one()
    rows = found[: query.limit]
    more = len(found) > query.limit
    keys = listed.keys
    cursor = keyset.write(keys, rows[-1][1 : 1 + len(keys)]) if more else None
    return Extent(count, cursor), [row[0] for row in rows]


async def _rows(session: AsyncSession, statement: Select[Any], asked: Select[Any]) -> Sequence[Any]:
    """Give the rows, of which only those with an object in them take the ORM."""
    first = statement.column_descriptions[0]
    if first["expr"] is first.get("entity"):
        return (await session.execute(asked)).all()
    return await plain(session, asked)


def _asked(listed: Ordered[Row], query: PageQuery) -> Select[Any]:
    """Select the page and one row more: each with its keys, and with the count if it is wanted."""
    statement, keys = listed.statement, listed.keys
    once = listed.once or bool(getattr(query, "q", ""))
    if query.cursor is None and once and not _everything(statement):
        return _once(listed, query)
    asked: Select[Any] = statement.add_columns(*(key.column for key in keys))
    if query.cursor is None:
        asked = asked.add_columns(listed.counted().scalar_subquery().correlate(None))
    elif query.cursor:
        asked = asked.where(keyset.after(keys, keyset.read(keys, query.cursor)))
    return _part(asked, query)


def _once(listed: Ordered[Row], query: PageQuery) -> Select[Any]:
    """Select the same from what is found once, to be counted and put in order."""
    wanted = listed.statement.column_descriptions[0]["expr"]
    columns = (key.column.label(f"key_{n}") for n, key in enumerate(listed.keys))
    found = (
        listed.statement.order_by(None)
        .with_only_columns(*columns, maintain_column_froms=True)
        .cte("found")
    )
    keys = [replace(key, column=found.c[n]) for n, key in enumerate(listed.keys)]
    part = _part(select(found).order_by(*(key.clause for key in keys)), query).subquery("part")
    keys = [replace(key, column=part.c[n]) for n, key in enumerate(listed.keys)]
    return (
        select(wanted, *part.c, select(func.count()).select_from(found).scalar_subquery())
        .join(part, keys[-1].column == listed.keys[-1].column)
        .order_by(*(key.clause for key in keys))
    )


def _everything(statement: Select[Any]) -> bool:
    condition = statement.whereclause
    bare = getattr(condition, "element", condition)  # Select wraps one that is nothing but true
    return bare is None or isinstance(bare, True_)


def _part(statement: Select[Any], query: PageQuery) -> Select[Any]:
    return statement.offset(query.offset).limit(query.limit + 1)


def page(url: URL, query: PageQuery, extent: Extent, results: list[Item]) -> Page[Item]:
    """Put items into the envelope; `url` is the address of this page."""
    offset = query.offset + query.limit
    onward: dict[str, Any] = {"offset": offset}
    if query.cursor is not None or offset > MAX_OFFSET:
        onward = {"cursor": extent.cursor}
    before = max(query.offset - query.limit, 0)
    return Page[Item](
        count=extent.count,
        next=_at(url, query, onward) if extent.cursor else None,
        previous=_at(url, query, {"offset": before}) if query.offset else None,
        results=_narrowed(results, query.fields),
    )


def _at(url: URL, query: PageQuery, place: Mapping[str, Any]) -> str:
    moved = url.remove_query_params(["offset", "cursor"])
    moved = moved.include_query_params(limit=query.limit, **place)
    return f"{moved.path}?{moved.query}"  # relative: a proxy in front may know us by another name


def _narrowed(items: list[Item], fields: str) -> list[Item]:
    """Give the items with these fields alone, or refuse one that they do not have."""
    wanted = set(filter(None, fields.split(",")))
    if not wanted or not items:
        return items
    known = type(items[0]).model_fields
    if unknown := sorted(wanted - known.keys()):
        detail = f"there is no field {', '.join(unknown)}, only {', '.join(known)}"
        raise Invalid(detail, Problem("/query/fields", "fields", detail))
    dropped = known.keys() - wanted
    for item in items:
        for name in dropped:
            del vars(item)[name]  # what is not set is not written
    return items
