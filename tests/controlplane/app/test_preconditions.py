"""Changes that say which version they change, as the OpenAPI document tells of them."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient

from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login

REQUIRED = {
    ("patch", "/api/v1/credentials/{name}"),
    ("delete", "/api/v1/credentials/{name}"),
    ("delete", "/api/v1/credentials/{name}/versions/{number}"),
    ("patch", "/api/v1/roles/{name}"),
    ("delete", "/api/v1/roles/{name}"),
    ("delete", "/api/v1/users/{name}/grants/{grant}"),
}
GRANT = "00000000-0000-0000-0000-000000000001"


def conditional(app: FastAPI) -> Iterator[tuple[str, str, bool, dict[str, Any]]]:
    """Give method, path, whether it must be given, and the answers of what takes If-Match."""
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "If-Match":
                    yield method, path, parameter["required"], operation["responses"]


def test_the_document_tells_what_is_conditional(app: FastAPI) -> None:
    """Whatever takes If-Match may answer 412 with an ETag, and 428 where it must be given."""
    found = list(conditional(app))
    assert {(method, path) for method, path, required, _ in found if required} == REQUIRED
    assert len(found) > len(REQUIRED)
    for method, path, required, answers in found:
        assert answers["412"] == {"$ref": "#/components/responses/Stale"}, (method, path)
        assert ("428" in answers) == required, (method, path)
    assert "ETag" in app.openapi()["components"]["responses"]["Stale"]["headers"]


async def test_nobody_changes_blindly(log_in: Login) -> None:
    """Without If-Match the answer is a 428 that says what to send, before anything is looked at."""
    chief = await log_in(Role.SUPER_ADMIN)
    chief.event_hooks = {"request": []}
    for method, path in sorted(REQUIRED):
        address = path.format(name="one", number=1, grant=GRANT)
        response = await chief.request(method, address)
        assert response.status_code == 428, (method, path, response.text)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["title"] == "Precondition required"
        assert "If-Match" in response.json()["detail"]


async def test_a_stranger_is_not_told_what_is_missing(anonymous: AsyncClient) -> None:
    """Who is not logged in gets a 401, with or without the header."""
    assert (await anonymous.delete("/api/v1/credentials/one")).status_code == 401
