"""Query parameters nobody asked for are refused: a misspelt filter must not mean "everything"."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from controlplane.errors import Invalid, Problem, pointer
from controlplane.given import Given


async def refuse_unknown(request: Request) -> None:
    """Raise Invalid when the request carries a query parameter its endpoint does not declare."""
    known = set(_declared(request.scope["route"].dependant))
    problems = [
        Problem(pointer(("query", name)), "unknown_parameter", f"no parameter {name!r} here")
        for name in dict.fromkeys(request.query_params)
        if name not in known
    ]
    if problems:
        raise Invalid("the query has parameters that mean nothing here", *problems)


def _declared(dependant: Dependant) -> Iterator[str]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _of(annotation)
        else:
            yield field.alias
    if isinstance(dependant.call, Given):
        yield from _of(dependant.call.model)
    for dependency in dependant.dependencies:
        yield from _declared(dependency)


def _of(model: type[BaseModel]) -> Iterator[str]:
    return (inner.alias or name for name, inner in model.model_fields.items())
