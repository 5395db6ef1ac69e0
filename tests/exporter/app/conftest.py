"""What tests of the exporter's orders share."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from exporter.app import Exporter
from exporter.profiles.loader import Configuration
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.serving import calling


@pytest.fixture
async def asking(
    tmp_path: Path, telemetry: Telemetry, configuration: Configuration
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an exporter that carries out orders of who has the token."""
    file = tmp_path / "verify.token"
    file.write_text("t0ken\n")
    exporter = Exporter(Settings(verify_token_file=file), telemetry, configuration, None)
    async with calling(exporter) as client:
        yield client
