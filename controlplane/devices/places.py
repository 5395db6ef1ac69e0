"""Places in places: none is a part of a smaller one, or of itself."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.devices import queries
from controlplane.devices.models import SiteKind
from controlplane.devices.schemas import SiteCreate
from controlplane.errors import Problem

ORDER = {kind: place for place, kind in enumerate(SiteKind)}


@dataclass(frozen=True)
class Place:
    """What a site is, and the name of the one it is a part of."""

    kind: SiteKind = SiteKind.SITE
    parent: str | None = None


Tree = Mapping[str, Place]


def misplaced(
    kind: SiteKind, above: Collection[SiteKind], below: Collection[SiteKind]
) -> Iterator[Problem]:
    """Say why a place cannot be a part of what is above, or have in it what is below."""
    if kind is SiteKind.LOCATION and not above:
        detail = "a location is a part of a site or of a location"
        yield Problem("/parent", "misplaced", detail)
    elif any(ORDER[k] > ORDER[kind] for k in above) or any(ORDER[k] < ORDER[kind] for k in below):
        detail = f"a {kind} is no part of a smaller place, and has no larger one in it"
        yield Problem("/kind", "misplaced", detail)


def circular(name: str) -> Problem:
    """Say that a site would be a part of itself."""
    return Problem("/parent", "cycle", f"site {name!r} cannot be a part of itself")


def nowhere(parent: str) -> Problem:
    """Say that there is no site of which another could be a part."""
    return Problem("/parent", "unknown", f"there is no site {parent!r}")


async def problems(
    session: AsyncSession, actor: Actor, rows: Sequence[SiteCreate], named: Collection[str]
) -> list[Problem]:
    """Say why rows cannot stand where all of them are to stand, each at its place among them.

    `named` are names of rows about which nothing else is known. What the actor does not see is
    not there to them; a row about it is none of those that are looked at.
    """
    if not rows:
        return []
    names = {name for row in rows for name in (row.name, row.parent) if name}
    seen = {site.name for site in await session.scalars(queries.named_sites(actor, names))}
    tree = {name: Place(kind, up) for name, kind, up in await session.execute(queries.places())}
    own = {row.name: at for at, row in enumerate(rows) if row.name in seen or row.name not in tree}
    tree |= {name: _moved(tree.get(name), rows[at]) for name, at in own.items()}
    known = {*seen, *named, *(row.name for row in rows)}
    parts: dict[str | None, list[SiteKind]] = {}  # but for rows, which are looked at themselves
    for name, place in tree.items():
        parts.setdefault(place.parent, []).extend([] if name in own else [place.kind])
    return [
        problem.under(f"/{at}")
        for name, at in own.items()
        for problem in _problems(name, rows[at], tree, known, parts.get(name, ()))
    ]


def _problems(
    name: str, row: SiteCreate, tree: Tree, known: Collection[str], parts: Collection[SiteKind]
) -> Iterator[Problem]:
    place = tree[name]
    if row.parent is not None and row.parent not in known:
        yield nowhere(row.parent)
    elif _in_itself(tree, name):
        yield circular(name)
    elif place.parent is None or place.parent in tree:
        yield from misplaced(place.kind, [tree[place.parent].kind] if place.parent else [], parts)


def _in_itself(tree: Tree, name: str) -> bool:
    above: set[str] = set()
    up = tree[name].parent
    while up is not None and up in tree and up not in above:
        above.add(up)
        up = tree[up].parent
    return name in above


def _moved(before: Place | None, row: SiteCreate) -> Place:
    said = row.model_fields_set
    return Place(
        before.kind if before and "kind" not in said else row.kind,
        before.parent if before and "parent" not in said else row.parent,
    )
