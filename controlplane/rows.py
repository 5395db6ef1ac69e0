"""Objects in bulk: a list of them in one body, of which all are written or none."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel

from controlplane.errors import ChmError, Conflict, Forbidden, Invalid, Problem, Stale
from controlplane.grammar import Name

MOST = 10_000
FEWER = 1_000  # of what is written one after the other
NOTHING = "nothing was written: some of these cannot be"

Item = TypeVar("Item", bound=BaseModel)
Given = TypeVar("Given")
Result = TypeVar("Result")


REFUSALS = (Invalid, Forbidden, Conflict)
CODES: Mapping[type[ChmError], str] = MappingProxyType(
    {Invalid: "invalid", Forbidden: "forbidden", Conflict: "conflict"}
)  # of a refusal that names no field


class Rows(RootModel[Annotated[list[Item], Field(min_length=1, max_length=MOST)]], Generic[Item]):
    """So many objects at once."""


class FewerRows(
    RootModel[Annotated[list[Item], Field(min_length=1, max_length=FEWER)]], Generic[Item]
):
    """So many objects at once that are written one after the other."""


class Key(BaseModel):
    """An object of a list; with `version`, only if nobody else changed it since."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    version: int | None = None


class Named(Protocol):
    """An item that says which object it is about."""

    @property
    def name(self) -> str:
        """The name of the object."""


class Versioned(Named, Protocol):
    """An item, or an object, that may say which version of it."""

    @property
    def version(self) -> int | None:
        """The version; None for any."""


class WrittenRow(BaseModel):
    """An object that was written, and the version it has now."""

    id: UUID
    name: str
    version: int


class Written(BaseModel):
    """What a request in bulk wrote, in its order."""

    count: int
    results: list[WrittenRow]

    @classmethod
    def of(cls, objects: Sequence[BaseModel]) -> "Written":
        """Tell of these objects."""
        results = [WrittenRow.model_validate(o, from_attributes=True) for o in objects]
        return cls(count=len(results), results=results)


def twice(items: Sequence[Named]) -> Iterator[Problem]:
    """Say which items name what another has named before."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item.name in seen:
            yield Problem(f"/{index}/name", "twice", f"{item.name!r} stands here twice")
        seen.add(item.name)


def taken(items: Sequence[Named], names: Collection[str]) -> Iterator[Problem]:
    """Say which items have a name that is among these."""
    for index, item in enumerate(items):
        if item.name in names:
            yield Problem(f"/{index}/name", "exists", f"{item.name!r} exists already")


def check(
    items: Sequence[Versioned], writable: Mapping[str, Versioned], seen: Collection[str]
) -> None:
    """Raise Invalid, Forbidden or Stale with every item that cannot be written as it was seen.

    What the actor does not see is as unknown as what is not there.
    """
    at = [(f"/{index}", item) for index, item in enumerate(items)]
    unknown = [
        Problem(f"{place}/name", "unknown", f"there is no {item.name!r}")
        for place, item in at
        if item.name not in writable and item.name not in seen
    ]
    if found := [*twice(items), *unknown]:
        raise Invalid(NOTHING, *found)
    beyond = [
        Problem(f"{place}/name", "forbidden", f"you may see {item.name!r}, but not write it")
        for place, item in at
        if item.name not in writable
    ]
    if beyond:
        raise Forbidden("nothing was written: some of these are not yours to write", *beyond)
    changed = [
        Problem(f"{place}/version", "stale", f"this is version {version} by now")
        for place, item in at
        if item.version not in {None, version := writable[item.name].version}
    ]
    if changed:
        raise Stale("nothing was written: somebody else changed some of these", None, *changed)


async def each(
    items: Sequence[Given],
    work: Callable[[Given], Awaitable[Result]],
    order: Iterable[int] | None = None,
) -> list[Result]:
    """Do the work of every item, in this order of their numbers; give the results in theirs.

    Where some are refused, the others are tried all the same, and what is wrong with all of them is
    raised as one error: nothing of the transaction may be kept.
    """
    done: dict[int, Result] = {}
    refused: dict[int, ChmError] = {}
    for index in range(len(items)) if order is None else order:
        try:
            done[index] = await work(items[index])
        except REFUSALS as error:
            refused[index] = error
    if refused:
        raise _together(refused)
    return [done[index] for index in range(len(items))]


def _together(refused: Mapping[int, ChmError]) -> ChmError:
    """Give one error for several: the kind that says most about the request comes first."""
    kind = next(k for k in REFUSALS if any(isinstance(e, k) for e in refused.values()))
    problems = [
        problem.under(f"/{index}")
        for index, error in sorted(refused.items())
        for problem in error.problems or [Problem("/name", CODES[type(error)], error.detail)]
    ]
    return kind(NOTHING, *problems)
