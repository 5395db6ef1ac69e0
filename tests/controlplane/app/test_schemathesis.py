"""The whole OpenAPI document, asked with whatever it allows: by a super admin and by nobody."""

from collections.abc import Iterable
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from httpx import AsyncClient
from hypothesis import Phase, given
from hypothesis import settings as effort
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from controlplane.auth.permissions import Role
from tests.controlplane.conftest import Login

EXAMPLES = 6  # of each operation, the same in every run
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
CANARY = "canary-of-a-community"
# What no answer holds: a secret, and what only our own code or database would say.
LEAKS = (CANARY, "Traceback", "sqlalchemy", "asyncpg", "argon2", "/site-packages/")
ENDS_THE_LOGIN = ("/auth/logout", "/auth/sessions")
INVENTORY = {
    "credentials": [{"name": "lab", "version": 2, "community": CANARY}],
    "sites": [{"name": "north"}],
    "devices": [{"name": "a", "address": "10.0.0.1", "site": "north", "credentials": ["lab"]}],
}


def cases(app: FastAPI) -> list[Case[Any]]:
    """Make requests for every operation, those that end the login of who asks at the end."""
    found: list[Case[Any]] = []
    schema = schemathesis.openapi.from_dict(app.openapi())
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        found.extend(_examples(result.ok()))
    return sorted(found, key=lambda case: case.operation.path.endswith(ENDS_THE_LOGIN))


def _examples(operation: Any) -> list[Case[Any]]:
    found: list[Case[Any]] = []

    @effort(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def collect(case: Case[Any]) -> None:
        found.append(case)

    collect()
    return found


async def ask(client: AsyncClient, wanted: Iterable[Case[Any]]) -> set[int]:
    """Send the requests, check every answer, and give the statuses that came."""
    statuses: set[int] = set()
    for case in wanted:
        request = case.as_transport_kwargs(base_url="http://chm.test")
        headers = {
            name: value
            for name, value in request.pop("headers").items()
            if name.lower() in {"content-type", "accept"}  # who asks is not for chance to say
        }
        headers["If-Match"] = "*"  # by chance it would never be the version that there is
        request.pop("cookies")
        if isinstance(request.get("data"), bytes | str):
            request["content"] = request.pop("data")
        response = await client.request(**request, headers=headers)
        case.validate_response(response, checks=CHECKS)
        for leak in LEAKS:
            assert leak not in response.text, (case.operation.label, response.text)
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
        statuses.add(response.status_code)
    return statuses


@pytest.mark.timeout(300)
async def test_a_super_admin_asks_for_everything(
    app: FastAPI, client: AsyncClient, log_in: Login
) -> None:
    """No answer is a fault, none is undocumented and none tells a secret, whatever is asked."""
    assert (await client.post("/api/v1/devices/import", json=INVENTORY)).status_code == 200
    chief = await log_in(Role.SUPER_ADMIN, name="chief")
    statuses = await ask(chief, cases(app))
    assert statuses >= {200, 201, 404, 422}


@pytest.mark.timeout(300)
async def test_nobody_asks_for_everything(app: FastAPI, anonymous: AsyncClient) -> None:
    """The same requests without a login are refused or public, and tell as little."""
    statuses = await ask(anonymous, cases(app))
    assert 401 in statuses
