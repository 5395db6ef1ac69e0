"""The OpenAPI document, with the errors that every operation may answer with."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, Field

from controlplane import preconditions
from controlplane.app.problems import MEDIA_TYPE
from controlplane.errors import Stale, Unconditional
from controlplane.given import Given

PROBLEM = "Problem"
RESPONSE = {"$ref": f"#/components/responses/{PROBLEM}"}
STALE = {"$ref": f"#/components/responses/{Stale.__name__}"}
UNCONDITIONAL = {"$ref": f"#/components/responses/{Unconditional.__name__}"}
ETAG = {"ETag": {"description": "The version there is by now.", "schema": {"type": "string"}}}
FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")  # which we never send


class FieldProblem(BaseModel):
    """One thing that is wrong with the input: where (an RFC 6901 pointer), a code, and words."""

    pointer: str
    code: str
    message: str
    row: int | None = Field(default=None, description="Of a list, the first is 1.")


class ProblemDetails(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str
    request_id: str
    errors: list[FieldProblem]


def document(app: FastAPI) -> dict[str, Any]:
    """Give the document; an operation's errors are problems, whatever their status."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            summary=app.summary,
            routes=[_Declared(**vars(context)) for context in iter_route_contexts(app.routes)],
        )
        _add(made)
        app.openapi_schema = made
    return app.openapi_schema


class _Declared(RouteContext):
    """A route with all parameters that it takes, also those that it reads by `Given`."""

    @property
    def dependant(self) -> Dependant:
        """What the document knows of its parameters."""
        known: Dependant = self.__getattr__("dependant")
        return replace(known, query_params=[*known.query_params, *_given(known)])


def _given(dependant: Dependant) -> Iterator[Any]:
    if isinstance(dependant.call, Given):
        yield from dependant.call.declared
    for dependency in dependant.dependencies:
        yield from _given(dependency)


def _add(made: dict[str, Any]) -> None:
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schema.pop("$defs") | {PROBLEM: schema}
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}}
    components["responses"] = {
        PROBLEM: {"description": "What went wrong", "content": content},
        Stale.__name__: {
            "description": "It is not the version of If-Match any more",
            "headers": ETAG,
            "content": content,
        },
        Unconditional.__name__: {"description": "If-Match is missing", "content": content},
    }
    for operations in made["paths"].values():
        for operation in operations.values():
            schemas |= _parts_of_body(operation)
            responses = operation["responses"]
            if "422" in responses:
                responses["422"] = RESPONSE
            responses |= _of_condition(operation)
            responses["default"] = RESPONSE


def _of_condition(operation: dict[str, Any]) -> dict[str, Any]:
    """Give the answers to a change whose condition does not hold, or is missing and must not."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == preconditions.HEADER:
            required = {str(Unconditional.status): UNCONDITIONAL} if parameter["required"] else {}
            return {str(Stale.status): STALE, **required}
    return {}


def _parts_of_body(operation: dict[str, Any]) -> dict[str, Any]:
    """Take the models out of a body that `bodies.described` describes; the document has a place."""
    content = operation.get("requestBody", {}).get("content", {})
    parts: dict[str, Any] = {}
    for media in content.values():
        parts |= media["schema"].pop("$defs", {})
    return parts
