"""The query of a list, read from those of its parameters that were given.

A list has a hundred parameters and is asked for few of them; FastAPI would look for every one. What
may be asked is declared once all the same, as a model: the document of the API shows its fields.
"""

from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


def given(model: type[Model]) -> Any:
    """Have a parameter of an endpoint be this model, read from the query."""
    return Depends(Given(model))


@dataclass(frozen=True)
class Given(Generic[Model]):
    """Reads a model from the parameters of a request, as FastAPI does with `Query()`."""

    model: type[Model]

    async def __call__(self, request: Request) -> Model:
        """Give what was asked, or raise RequestValidationError with every field that is wrong."""
        asked, declared = request.query_params, self.model.model_fields
        content = {
            name: asked.getlist(name) if name in self._lists else asked[name]
            for name in dict.fromkeys(asked)
            if name in declared
        }
        try:
            return self.model.model_validate(content)
        except ValidationError as error:
            wrong = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
            raise RequestValidationError(wrong) from None

    @cached_property
    def _lists(self) -> frozenset[str]:
        fields = self.model.model_fields.items()
        return frozenset(name for name, info in fields if _is_list(info.annotation))

    @property
    def declared(self) -> list[Any]:
        """What `Query()` would declare in its place."""

        def endpoint(query: Annotated[self.model, Query()]) -> None:  # type: ignore[name-defined]  # known when it runs
            """Ask for the model."""

        return APIRoute("/", endpoint).dependant.query_params


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) in {Union, UnionType}:
        return any(map(_is_list, get_args(annotation)))
    return get_origin(annotation) is list
