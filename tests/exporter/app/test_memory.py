"""What is frozen at the start must go without the garbage collector, which does not look at it."""

import gc
import weakref
from collections.abc import Iterator

import httpx
import pytest

from exporter.app import Exporter, create_app, load
from exporter.settings import Settings
from exporter.telemetry import Telemetry


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Stop the collector of circles."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_reload(telemetry: Telemetry, snmpd: str) -> None:
    """After a reload nothing holds the old configuration, not even what scrapes have left."""
    settings = Settings()
    exporter = Exporter(settings, telemetry, load(settings), None)
    old = {name: weakref.ref(table) for name, table in exporter.configuration.modules.items()}
    queries = [
        {"target": snmpd, "module": "if_mib,system"},
        {"target": snmpd, "module": "auto", "partial": "true"},
        {"target": "127.0.0.1:1", "module": "if_mib"},
    ]
    transport = httpx.ASGITransport(create_app(exporter))
    async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
        statuses = [(await client.get("/snmp", params=query)).status_code for query in queries]
        assert all(table() is not None for table in old.values())
        assert (await client.post("/-/reload")).status_code == 200

    assert statuses == [200, 200, 500]
    assert [name for name, table in old.items() if table() is not None] == []
