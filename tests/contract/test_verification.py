"""The control plane has the real exporter try credentials on a real agent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry

from controlplane import files
from controlplane.app import create_app
from controlplane.settings import Settings
from exporter.app import Exporter
from exporter.app import create_app as create_exporter
from exporter.profiles import loader
from exporter.settings import Settings as ExporterSettings
from exporter.telemetry import Telemetry
from tests.exporter.conftest import free_port, snmpd  # noqa: F401 - a fixture
from tests.exporter.serving import listening

URL = "/api/v1/credentials"


@pytest.fixture
def exporter_token(tmp_path: Path) -> Path:
    """Give the file in which the exporter has its token."""
    file = tmp_path / "verify.token"
    file.write_text("t0ken")
    return file


@pytest.fixture
async def exporter(settings: Settings, exporter_token: Path) -> AsyncIterator[int]:
    """Give the port of an exporter that has the same token as the control plane."""
    files.replace(settings.verify_token_file, b"t0ken", files.PRIVATE)
    given = ExporterSettings(verify_token_file=exporter_token)
    made = Exporter(given, Telemetry(CollectorRegistry()), loader.load([]), None)
    async with listening(create_exporter(made)) as port:
        yield port


@pytest.fixture
async def asking(
    settings: Settings,
    client: AsyncClient,
    exporter: int,
    snmpd: str,  # noqa: F811 - the fixture
) -> AsyncIterator[AsyncClient]:
    """Give an admin's client of a control plane with that exporter, and two devices."""
    changed = settings.model_copy(update={"exporters": (f"127.0.0.1:{exporter}",)})
    app: FastAPI = create_app(changed)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(
            transport=ASGITransport(app), base_url="http://chm.test", headers=client.headers
        ) as there,
    ):
        address, _, answered = snmpd.partition(":")
        for name, port in (("sw1", int(answered)), ("dead", free_port())):
            device = {"name": name, "address": address, "port": port}
            assert (await there.post("/api/v1/devices", json=device)).status_code == 201
        yield there


async def test_a_rotation_is_verified_before_it_counts(asking: AsyncClient) -> None:
    """The version in force is wrong, the staged one is right: the devices say which."""
    ann = {
        "name": "ann", "version": 3, "username": "ann", "security_level": "authPriv",
        "auth_protocol": "SHA", "password": "s3cret-wrong", "priv_protocol": "AES",
        "priv_password": "battery staple",
    }  # fmt: skip
    assert (await asking.post(URL, json=ann)).status_code == 201
    staged = await asking.post(f"{URL}/ann/versions", json={"password": "correct horse"})
    assert staged.status_code == 201

    now = await asking.post(f"{URL}/ann/test", json={"devices": ["sw1"]})
    next_ = await asking.post(f"{URL}/ann/test", json={"devices": ["sw1", "dead"], "number": 2})

    assert [(r["device"], r["number"], r["outcome"]) for r in now.json()] == [
        ("sw1", 1, "wrong_credentials")
    ]
    assert [(r["device"], r["outcome"], r["detail"]) for r in next_.json()] == [
        ("sw1", "ok", "edge1"),
        ("dead", "unreachable", "the port is closed at 1.3.6.1.2.1.1.5.0"),
    ]
    assert "s3cret" not in now.text + next_.text


async def test_an_exporter_that_does_not_let_us_in(
    asking: AsyncClient, exporter_token: Path
) -> None:
    """A wrong token is no statement about the device."""
    await asking.post(URL, json={"name": "lab", "version": 2, "community": "public"})
    test = {"devices": ["sw1"]}
    assert (await asking.post(f"{URL}/lab/test", json=test)).json()[0]["outcome"] == "ok"
    files.replace(exporter_token, b"another")
    [result] = (await asking.post(f"{URL}/lab/test", json=test)).json()
    assert result["outcome"] == "untested"
    assert result["detail"].endswith("answered 401")


async def test_a_device_that_is_not_there(asking: AsyncClient) -> None:
    """Only devices of the inventory are asked; others are pointed at."""
    await asking.post(URL, json={"name": "lab", "version": 2, "community": "public"})
    answer = await asking.post(f"{URL}/lab/test", json={"devices": ["sw1", "none"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/devices/1"
