"""Look at every row of a document by itself, so that one bad row hides no other."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from controlplane.credentials.schemas import CredentialCreate
from controlplane.devices.catalogue.nouns import IMPORTED
from controlplane.devices.interfaces.schemas import InterfaceRow
from controlplane.devices.schemas import DeviceCreate, ImportDocument, SiteCreate
from controlplane.errors import Problem, from_validation

ROWS: Mapping[str, TypeAdapter[Any]] = MappingProxyType(
    {
        "credentials": TypeAdapter(CredentialCreate),
        "sites": TypeAdapter(SiteCreate),
        **{noun.plural: TypeAdapter(noun.create) for noun in IMPORTED},
        "devices": TypeAdapter(DeviceCreate),
        "interfaces": TypeAdapter(InterfaceRow),
    }
)


@dataclass(frozen=True)
class Checked:
    """The rows that can be used, where each stood, the names of the others, and what is wrong."""

    document: ImportDocument
    places: Mapping[str, list[int]]
    named: Mapping[str, set[str]]
    problems: tuple[Problem, ...]

    def placed(self, problem: Problem) -> Problem:
        """Give a problem of the usable rows as the pointer that it has in the whole document."""
        noun, index, *rest = problem.pointer.removeprefix("/").split("/")
        if noun not in self.places or not index.isdecimal():
            return problem
        pointer = "/".join(("", noun, str(self.places[noun][int(index)]), *rest))
        return Problem(pointer, problem.code, problem.message)


def _document(rows: dict[str, Any]) -> ImportDocument:
    return ImportDocument.model_construct(None, **rows)


def check(given: Mapping[str, Any]) -> Checked:
    """Take the rows apart; what is neither a list nor known is a problem of the document."""
    problems = [
        Problem(f"/{name}", "unknown", f"there is no {name!r} in a document")
        for name in given
        if name not in ROWS
    ]
    usable: dict[str, list[Any]] = {}
    places: dict[str, list[int]] = {}
    named: dict[str, set[str]] = {}
    for noun, adapter in ROWS.items():
        rows = given.get(noun, [])
        usable[noun], places[noun], named[noun] = [], [], set()
        if not isinstance(rows, list):
            problems.append(Problem(f"/{noun}", "list_type", f"{noun} is a list"))
            continue
        for index, row in enumerate(rows):
            try:
                usable[noun].append(adapter.validate_python(row))
                places[noun].append(index)
            except ValidationError as error:
                found = from_validation(error.errors(include_url=False, include_input=False))
                problems.extend(problem.under(f"/{noun}/{index}") for problem in found)
                if isinstance(row, dict) and isinstance(row.get("name"), str):
                    named[noun].add(row["name"])
    return Checked(_document(usable), places, named, tuple(problems))
