"""Pages of a list: the envelope, `limit` and `offset`, and `ordering` by named columns."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import URL

from controlplane.errors import Invalid, Problem

LIMIT, MAX_LIMIT = 50, 1000
MAX_OFFSET = 2**31 - 1

Row = TypeVar("Row")
Item = TypeVar("Item")


class PageQuery(BaseModel):
    """Which part of a list is wanted, and in which order (`name`, or `-name` for descending)."""

    limit: int = Field(default=LIMIT, ge=1, le=MAX_LIMIT)
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET)
    ordering: Annotated[str, Field(max_length=200)] = ""


class Page(BaseModel, Generic[Item]):
    """A part of a list: the count of all, the addresses of its neighbours, and the items."""

    count: int
    next: str | None
    previous: str | None
    results: list[Item]


def page(url: URL, query: PageQuery, count: int, results: list[Item]) -> Page[Item]:
    """Put items into the envelope; `url` is the address of this page."""
    after, before = query.offset + query.limit, query.offset - query.limit
    return Page[Item](
        count=count,
        next=_at(url, query, after) if after < count else None,
        previous=_at(url, query, max(before, 0)) if query.offset else None,
        results=results,
    )


def _at(url: URL, query: PageQuery, offset: int) -> str:
    moved = url.include_query_params(limit=query.limit, offset=offset)
    return f"{moved.path}?{moved.query}"  # relative: a proxy in front may know us by another name


def ordered(
    statement: Select[tuple[Row]], ordering: str, columns: Mapping[str, Any], default: str
) -> Select[tuple[Row]]:
    """Order by the comma-separated names of `ordering`; a name we do not know is refused.

    The order always ends with `default`, a unique column, so that pages neither lose nor repeat.
    """
    names = [name for name in ordering.split(",") if name]
    for name in [*names, default]:
        column = columns.get(name.removeprefix("-"))
        if column is None:
            detail = f"cannot order by {name!r}, only by {', '.join(columns)}"
            raise Invalid(detail, Problem("/query/ordering", "ordering", detail))
        statement = statement.order_by(column.desc() if name.startswith("-") else column)
    return statement


async def fetch(
    session: AsyncSession, statement: Select[tuple[Row]], query: PageQuery
) -> tuple[int, list[Row]]:
    """Give the count of all rows of the statement, and the rows of the wanted page."""
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    count = (await session.execute(counted)).scalar_one()
    rows = await session.scalars(statement.limit(query.limit).offset(query.offset))
    return count, list(rows)
