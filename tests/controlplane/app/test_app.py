"""The application as a whole."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from controlplane.app import create_app
from controlplane.app.disk import Disk
from controlplane.auth import keys
from controlplane.errors import ConfigurationError
from controlplane.settings import Settings


async def test_health_with_a_database(anonymous: AsyncClient) -> None:
    """The service is healthy while its database answers; nobody needs to log in to see it."""
    response = await anonymous.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "warnings": []}


@pytest.fixture
async def without_database(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """Give a client of an application whose database does not answer."""
    settings = Settings(
        data=tmp_path,
        database_url="postgresql://nobody@/none?host=/nonexistent/folder",
        public_url="http://chm.test",
    )
    for name in ("vault.key", "audit.key"):
        keys.ensure(settings.secrets / name)
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(
            transport=ASGITransport(app),
            base_url="http://chm.test",
            headers={"Authorization": "Bearer chm_0123456789abcdef0123456789abcdef.x"},
        ) as client,
    ):
        yield client


@pytest.mark.parametrize(
    "path",
    ["/api/v1/targets/0", "/api/v1/exporter/snapshot", "/metrics/intent", "/api/v1/devices"],
)
async def test_without_a_database_it_fails_closed(without_database: AsyncClient, path: str) -> None:
    """No list that might be too short is served: an error makes services keep what they have."""
    response = await without_database.get(path)
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"


async def test_health_without_a_database(without_database: AsyncClient) -> None:
    """The service lives but says that it cannot work."""
    response = await without_database.get("/health")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "database": "unavailable",
        "warnings": [],
    }


async def test_it_does_not_start_without_keys(tmp_path: Path) -> None:
    """A missing key stops the start, with the name of the file."""
    app = create_app(Settings(data=tmp_path, database_url="postgresql://x@/x"))
    with pytest.raises(ConfigurationError, match=r"vault\.key"):
        async with app.router.lifespan_context(app):
            pass


async def test_metrics_count_by_route(client: AsyncClient) -> None:
    """Requests are counted by the template of their route; unknown paths are one series."""
    await client.get("/api/v1/devices/core1")
    await client.get("/some/path/nobody/has")
    text = (await client.get("/metrics")).text
    route = 'method="GET",route="/api/v1/devices/{name}",status="404"'
    assert f"chm_http_requests_total{{{route}}}" in text
    assert 'route="unmatched",status="404"' in text
    assert "/some/path" not in text
    assert "core1" not in text
    assert "chm_http_request_duration_seconds_bucket" in text


async def test_the_api_is_described(anonymous: AsyncClient) -> None:
    """OpenAPI and both its pages are there, with every capability, and no secret can come out."""
    described = (await anonymous.get("/api/openapi.json")).json()
    for path in (
        "/api/v1/auth/login",
        "/api/v1/credentials/{name}",
        "/api/v1/devices/import",
        "/api/v1/devices/{name}/thresholds",
        "/api/v1/sites",
        "/api/v1/alerts/webhook",
        "/api/v1/exporter/snapshot",
        "/api/v1/targets/{shard}",
        "/health",
    ):
        assert path in described["paths"]
    for name, schema in described["components"]["schemas"].items():
        if name.endswith("Read"):
            fields = schema["properties"].keys()
            assert not fields & {"community", "password", "priv_password", "data_key"}
    assert (await anonymous.get("/api/docs")).status_code == 200
    assert (await anonymous.get("/api/redoc")).status_code == 200


async def test_no_answer_echoes_a_database_password(app: FastAPI, settings: Settings) -> None:
    """Settings keep the database's address, which may hold a password, out of their repr."""
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() not in repr(app.state.settings)


async def test_the_disk_of_the_data_folder(without_database: AsyncClient, tmp_path: Path) -> None:
    """Its size and what is free are told; of a folder that is gone nothing is."""
    told = (await without_database.get("/metrics")).text
    found = dict(re.findall(r"^chm_data_disk_(\w+)_bytes (\S+)$", told, re.MULTILINE))
    assert float(found["size"]) == shutil.disk_usage(tmp_path).total
    assert 0 < float(found["free"]) <= float(found["size"])

    assert [family.samples for family in Disk(tmp_path / "gone").collect()] == [[], []]
