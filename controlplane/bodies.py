"""Large request bodies, read and parsed only after whoever sends them was let in.

FastAPI parses a body before it runs the checks of access. What may be large is therefore read in
the endpoint itself: nobody without a login has us parse megabytes.
"""

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

JSON = "application/json"
Model = TypeVar("Model", bound=BaseModel)
ManyModel = TypeVar("ManyModel", bound=BaseModel)


async def read(request: Request, model: type[Model]) -> Model:
    """Give the body as this model, or raise RequestValidationError as FastAPI would."""
    content = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        wrong = {"type": "media_type", "loc": ("body",), "msg": f"must be {JSON}"}
        raise RequestValidationError([wrong])
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in found]) from None


async def one_or_many(
    request: Request, model: type[Model], many: type[ManyModel]
) -> Model | ManyModel:
    """Give the body as one model, or, where it is a list, as the other."""
    if (await request.body()).lstrip(b" \t\r\n")[:1] == b"[":
        return await read(request, many)
    return await read(request, model)


def described(*models: type[BaseModel]) -> dict[str, Any]:
    """Give what the OpenAPI document says of such a body, with the models it may be of."""
    schemas = [m.model_json_schema(ref_template="#/components/schemas/{model}") for m in models]
    parts = {name: part for s in schemas for name, part in s.pop("$defs", {}).items()}
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    described = {**schema, "$defs": parts}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": described}}}}
