"""Errors are problem details (RFC 9457), whoever makes them."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from controlplane.app import create_app
from controlplane.settings import Settings


def problem(response: object) -> dict[str, object]:
    assert response.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body: dict[str, object] = response.json()  # type: ignore[attr-defined]
    assert body.keys() == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "request_id",
        "errors",
    }
    assert body["status"] == response.status_code  # type: ignore[attr-defined]
    assert body["request_id"] == response.headers["x-request-id"]  # type: ignore[attr-defined]
    return body


async def test_unknown_paths_and_methods(client: AsyncClient) -> None:
    """A path that is not there and a method that is not offered are problems, too."""
    assert problem(await client.get("/nowhere"))["status"] == 404
    wrong = await client.put("/api/v1/devices")
    assert problem(wrong)["status"] == 405
    assert wrong.headers["allow"]


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"name": NaN}', b"[" * 5000])
async def test_malformed_json(client: AsyncClient, body: bytes) -> None:
    """A body that is no JSON is an invalid request with a pointer, not a fault."""
    response = await client.post(
        "/api/v1/devices", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in {400, 422}
    problem(response)


async def test_pointers_are_escaped(client: AsyncClient) -> None:
    """A field whose name holds `/` or `~` is pointed at as RFC 6901 says."""
    body = {"name": "a", "address": "10.0.0.1", "a/b~c": 1}
    response = await client.post("/api/v1/devices", json=body)
    assert problem(response)["errors"] == [
        {
            "pointer": "/a~1b~0c",
            "code": "extra_forbidden",
            "message": "Extra inputs are not permitted",
        }
    ]


async def test_text_that_is_no_unicode(client: AsyncClient) -> None:
    """Half a surrogate pair in a key or a value is refused and can be told."""
    for body in (rb'{"\ud800": 1}', rb'{"name": "\ud800", "address": "10.0.0.1"}'):
        response = await client.post(
            "/api/v1/devices", content=body, headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 422
        problem(response)


async def test_secrets_that_are_no_unicode(anonymous: AsyncClient) -> None:
    """Names, passwords and tokens, too: nobody makes a fault of ours with half a character."""
    for path, body in (
        ("login", rb'{"name": "\ud800", "password": "x"}'),
        ("login", rb'{"name": "ann", "password": "\ud800"}'),
        ("refresh", rb'{"refresh_token": "\ud800"}'),
        ("password/reset", rb'{"name": "\udfff"}'),
    ):
        response = await anonymous.post(
            f"/api/v1/auth/{path}", content=body, headers={"Content-Type": "application/json"}
        )
        assert response.status_code == 422, path


async def test_the_request_id_of_a_proxy_is_kept(client: AsyncClient) -> None:
    """A plausible id is taken over, anything else gets one of ours."""
    given = await client.get("/health", headers={"X-Request-ID": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    forged = await client.get("/health", headers={"X-Request-ID": "a b; evil"})
    assert forged.headers["x-request-id"] != "a b; evil"


@pytest.fixture
async def broken(app: FastAPI, settings: Settings) -> AsyncIterator[AsyncClient]:
    """Give a client of an application with a fault in it."""
    faulty = create_app(settings)
    faulty.state.sessions, faulty.state.buckets = app.state.sessions, app.state.buckets

    @faulty.get("/fault")
    def fault() -> None:
        raise RuntimeError("the password is s3cret")

    async with AsyncClient(transport=ASGITransport(faulty), base_url="http://chm.test") as client:
        yield client


async def test_a_fault_tells_nothing(broken: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """The client gets an id and no details; the log has the details under that id."""
    response = await broken.get("/fault")
    assert response.status_code == 500
    assert "s3cret" not in response.text
    assert str(problem(response)["request_id"]) in caplog.text
    assert "s3cret" in caplog.text


async def test_the_document_tells_of_problems(anonymous: AsyncClient) -> None:
    """Every operation's errors are described as what they are, and a real one has that shape."""
    document = (await anonymous.get("/api/openapi.json")).json()
    for operations in document["paths"].values():
        for operation in operations.values():
            ref = operation["responses"]["default"]["$ref"]
            assert ref == "#/components/responses/Problem"
            assert operation["responses"].get("422", {"$ref": ref}) == {"$ref": ref}
    assert "HTTPValidationError" not in str(document)
    described = document["components"]["schemas"]["Problem"]
    refused = problem(await anonymous.get("/api/v1/devices"))
    assert set(described["required"]) == refused.keys()
