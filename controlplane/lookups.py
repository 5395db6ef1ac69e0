"""Filters of lists, declared once: a field, and its lookups such as `name__ic` or `at__gte`.

A model of a query declares its fields with what may be asked of them; `expanded` adds a parameter
for each lookup. `conditions` makes the statement of those that were given, all of which must hold;
of the values of one parameter one is enough, and with `n` none may be.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Field, create_model
from pydantic.fields import FieldInfo
from sqlalchemy import ColumnElement, Select, String, Text, and_, func, or_, true
from sqlalchemy.dialects.postgresql import ARRAY

from controlplane.grammar import Printable

Condition = ColumnElement[bool]
Model = TypeVar("Model", bound=BaseModel)

TRIGRAM = 3  # letters
MOST = 100  # values of one parameter
Part = Annotated[Printable, Field(min_length=1, max_length=255)]
Search = Annotated[Printable, Field(max_length=255)]
Several = Field(max_length=MOST)
NOT_GIVEN: Any = Field(default_factory=list)

WORDS = MappingProxyType(
    {
        "n": "Not this; repeatable: none of these.",
        "in": "One of these, separated by commas.",
        "ic": "Contains this, whatever the case.",
        "sw": "Starts with this.",
        "ew": "Ends with this.",
        "gt": "Greater or later than this.",
        "gte": "This, or greater or later.",
        "lt": "Less or earlier than this.",
        "lte": "This, or less or earlier.",
        "isnull": "Whether there is none.",
    }
)
PARTS, BOUNDS = frozenset({"ic", "sw", "ew"}), frozenset({"gt", "gte", "lt", "lte"})


@dataclass(frozen=True)
class Lookups:
    """What may be asked of a field, beside that it is one of the given values."""

    names: tuple[str, ...]

    @property
    def or_none(self) -> "Lookups":
        """Give the same for a field that may have no value."""
        return Lookups((*self.names, "isnull"))


CHOICE = Lookups(("n", "in"))
TEXT = Lookups(("n", "in", "ic", "sw", "ew"))
NUMBER = Lookups(("n", "in", "gt", "gte", "lt", "lte"))
MOMENT = Lookups(("gt", "gte", "lt", "lte"))
TAGS = Lookups(("n", "in"))  # of one tag: a device has several, and must have all that are given


@dataclass(frozen=True)
class Related:
    """A field of something else: `ids` selects what the actor sees of it, to match with `key`."""

    key: Any
    ids: Select[Any]
    column: Any


@dataclass(frozen=True)
class Tags:
    """A column with an array of words."""

    column: Any


@dataclass(frozen=True)
class Lowered:
    """A column with text that stands in lower case already, to search in.

    With an index of its trigrams (migration 0055) a part of three letters is found by it.
    """

    column: Any
    trigrams: bool = False

    def holds(self, part: str) -> Condition:
        """Say that the text has this part, whatever its case."""
        lowered = part.lower()
        found: Condition = self.column.contains(lowered, autoescape=True)
        if self.trigrams and len(lowered) >= TRIGRAM:
            found = and_(_trigrams(self.column).contains(_trigrams(lowered)), found)
        return found


Subject = Any  # a column, Related, Tags, or Lowered


def columns(table: type[Any], *names: str) -> dict[str, Subject]:
    """Give these columns of a table by name, as subjects of the filters that are called so."""
    return {name: getattr(table, name) for name in names}


def expanded(model: type[Model]) -> type[Model]:
    """Give the model with a parameter for each lookup of its fields."""
    parameters: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        if (lookups := _lookups(info)) is None:
            continue
        (item,) = get_args(info.annotation)
        parameters[name] = (Annotated[info.annotation, Several, lookups, ALONE], NOT_GIVEN)
        for lookup in lookups.names:
            parameters[f"{name}__{lookup}"] = _parameter(lookup, item)
    return create_model(
        model.__name__,
        __base__=model,
        __module__=model.__module__,
        __doc__=model.__doc__,
        **parameters,
    )


def _lookups(info: FieldInfo) -> Lookups | None:
    return next((mark for mark in info.metadata if isinstance(mark, Lookups)), None)


def _parameter(lookup: str, item: Any) -> Any:
    description = Field(description=WORDS[lookup])
    if lookup == "isnull":
        return Annotated[bool | None, description], None
    if lookup in BOUNDS:
        return Annotated[item | None, description], None
    if lookup in PARTS:
        return Annotated[list[Part], Several, description], NOT_GIVEN
    values = Annotated[list[item], Several, description]
    return (Annotated[values, SPLIT] if lookup == "in" else values), NOT_GIVEN


def _split(given: object) -> object:
    if not isinstance(given, list):
        return given
    return [
        part for text in given for part in (text.split(",") if isinstance(text, str) else [text])
    ]


def _alone(given: object) -> object:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


SPLIT = BeforeValidator(_split)
ALONE = BeforeValidator(_alone)  # as a command has it: one value, or None for what is not asked


def conditions(query: BaseModel, subjects: Mapping[str, Subject]) -> list[Condition]:
    """Give what the filters that were given ask of the subjects, which are by name of the field."""
    return [condition(subjects[field], lookup, given) for field, lookup, given in _asked(query)]


def fields(query: BaseModel) -> set[str]:
    """Give the fields that filters were given for."""
    return {field for field, _, _ in _asked(query)}


def _asked(query: BaseModel) -> Iterator[tuple[str, str, Any]]:
    for name, info in type(query).model_fields.items():
        field, _, lookup = name.partition("__")
        if name not in query.model_fields_set or not (lookup or _lookups(info)):
            continue
        given = getattr(query, name)
        if given is not None and given != []:
            yield field, lookup, given


def condition(subject: Subject, lookup: str, given: Any) -> Condition:
    """Give what a lookup asks of a subject."""
    if lookup == "n":
        return _holds(subject, "in", given).is_not(true())
    if lookup == "isnull":
        empty = _none(subject)
        return empty if given else ~empty
    return _holds(subject, lookup, given)


def _none(subject: Subject) -> Condition:
    if isinstance(subject, Related):
        return _in(subject.key, subject.ids).is_not(true())
    return subject.is_(None)  # type: ignore[no-any-return]


def _holds(subject: Subject, lookup: str, given: Any) -> Condition:
    if isinstance(subject, Related):
        return _in(subject.key, subject.ids.where(_holds(subject.column, lookup, given)))
    if isinstance(subject, Lowered):
        return or_(*map(subject.holds, given))
    if isinstance(subject, Tags):
        column = subject.column
        return column.overlap(given) if lookup else column.contains(given)  # type: ignore[no-any-return]
    return OPERATIONS[lookup](subject, given)


def _in(key: Any, ids: Select[Any]) -> Condition:
    condition: Condition = key.in_(ids)
    return condition


def _parts(matches: Callable[[Any, str], Condition]) -> Callable[[Any, Any], Condition]:
    return lambda column, given: or_(*(matches(column, part) for part in given))


def _trigrams(text: Any) -> Any:
    return func.chm_trigrams(text, type_=ARRAY(Text))


def _contains(column: Any, part: str) -> Condition:
    # Not ILIKE, which takes four times as long.
    found: Condition = func.lower(column, type_=String).contains(part.lower(), autoescape=True)
    return found


OPERATIONS: Mapping[str, Callable[[Any, Any], Condition]] = MappingProxyType(
    {
        "": lambda column, given: column.in_(given),
        "in": lambda column, given: column.in_(given),
        "ic": _parts(_contains),
        "sw": _parts(lambda column, part: column.startswith(part, autoescape=True)),
        "ew": _parts(lambda column, part: column.endswith(part, autoescape=True)),
        "gt": lambda column, given: column > given,
        "gte": lambda column, given: column >= given,
        "lt": lambda column, given: column < given,
        "lte": lambda column, given: column <= given,
    }
)


def search(text: str, *places: Subject) -> Condition:
    """Say that every word of a text stands in one of these places, whatever the case."""
    return and_(true(), *(_stands(word, places) for word in text.split()))


def _stands(word: str, places: Sequence[Subject]) -> Condition:
    alone = [place for place in places if isinstance(place, Related | Lowered)]
    here = [place for place in places if not isinstance(place, Related | Lowered)]
    asked = [*alone, together(*here)] if len(here) > 1 else [*alone, *here]
    return or_(*(_holds(place, "ic", [word]) for place in asked))


def together(*columns: Any) -> ColumnElement[str]:
    """Give texts as one, which is searched faster than each; no word reaches across."""
    return func.concat_ws("\n", *columns, type_=String)
