import re

import httpx
import pytest

from exporter.app import Exporter
from tests.exporter.agent import Agent, Request, Value, integer, octets, oid_value, parse, serve
from tests.exporter.serving import calling, counted, with_device

CPU = 'chm_cpu_utilization_ratio{cpu="Switch 1"}'
TOOK = re.compile(r"snmp_scrape_|chm_collector_duration_seconds")


def series(response: httpx.Response) -> dict[str, float]:
    """Return the samples of a page."""
    assert response.status_code == 200, response.text
    lines = (line.rsplit(" ", 1) for line in response.text.splitlines() if line[0] != "#")
    return {name: float(number) for name, number in lines}


async def test_agrees_with_probe(exporter: Exporter, switch: dict[str, Value]) -> None:
    """Without an inventory the same device yields the same series as with it."""
    async with serve(switch) as agent, calling(exporter) as client:
        with_device(exporter, agent.port)
        auto = series(await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=auto"))
        probed = series(await client.get("/probe?target=edge1"))

    assert auto[CPU] == 0.42
    assert auto["chm_device_up"] == 1
    assert auto["chm_uptime_seconds"] == 3600
    assert any('profile="cisco_ios"' in name for name in auto if "chm_device_info" in name)
    assert {k: v for k, v in auto.items() if not TOOK.match(k)} == {
        k: v for k, v in probed.items() if not TOOK.match(k)
    }
    assert auto['snmp_scrape_pdus_returned{module="if_mib"}'] == 17


async def test_beside_other_modules(exporter: Exporter, switch: dict[str, Value]) -> None:
    """Modules named beside `auto` come with the names of their MIB, each asked for once."""
    query = "module=auto,system&module=cisco_cpu"
    async with serve(switch) as agent, calling(exporter) as client:
        found = series(await client.get(f"/snmp?target=127.0.0.1:{agent.port}&{query}"))

    assert found["sysUpTime"] == 360_000
    assert found[CPU] == 0.42
    assert any(name.startswith("cpmCPUTotal5minRev") for name in found)
    cpu = parse("1.3.6.1.4.1.9.9.109.1.1.1.1")
    assert sum(request.oids[0] == cpu for request in agent.requests) == 1


async def test_absent_is_no_failure(exporter: Exporter, switch: dict[str, Value]) -> None:
    """A device that has no such thing is told apart from one that does not answer for it."""
    fru = parse("1.3.6.1.4.1.9.9.91.1.1.1.1")

    def deaf(agent: Agent, request: Request) -> list[bytes]:
        return [] if request.oids[0][: len(fru)] == fru else agent.answer(request)

    async with serve(switch, deaf) as agent, calling(exporter, 2) as client:
        found = series(await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=auto"))

    success = {name: value for name, value in found.items() if "_success" in name}
    failed = {name for name, value in success.items() if value == 0}
    # Both ask for columns of the same table.
    assert failed == {
        'chm_collector_success{collector="cisco_entity_sensor"}',
        'chm_collector_success{collector="cisco_entity_sensor_limit"}',
    }
    assert found['chm_collector_samples{collector="cisco_entity_sensor"}'] == 0
    assert found['chm_collector_samples{collector="cisco_enhanced_memory"}'] == 0


async def test_another_device(exporter: Exporter, switch: dict[str, Value]) -> None:
    """A target that has become another device is identified anew."""
    async with serve(switch) as agent, calling(exporter) as client:
        url = f"/snmp?target=127.0.0.1:{agent.port}&module=auto"
        profiles = []
        for object_id, descr in (
            ("1.3.6.1.4.1.9.1.1208", "Cisco IOS Software"),
            ("1.3.6.1.4.1.9.1.1208", "Cisco IOS Software [Cupertino], IOSXE"),
            ("1.3.6.1.4.1.2636.1.1.1.2.29", "Juniper"),
            ("1.3.6.1.4.1.99999.1", "Nobody knows"),
        ):
            agent.table[parse("1.3.6.1.2.1.1.1.0")] = octets(descr)
            agent.table[parse("1.3.6.1.2.1.1.2.0")] = oid_value(object_id)
            text = (await client.get(url)).text
            profiles += re.findall('chm_device_info{.*profile="([^"]*)"', text)

    assert profiles == ["cisco_ios", "cisco_ios_xe", "juniper_junos", "generic"]


class TestFailures:
    async def test_silent(self, exporter: Exporter) -> None:
        """A target that does not answer is an error, as for any module."""
        async with serve({}, lambda _agent, _request: []) as agent, calling(exporter, 1) as client:
            target = f"127.0.0.1:{agent.port}"
            answer = await client.get(f"/snmp?target={target}&module=auto")

        assert answer.status_code == 500
        assert f"{target}: no answer at 1.3.6.1.2.1.1.3.0" in answer.text

    async def test_unidentified(self, exporter: Exporter) -> None:
        """A target that does not say what it is is an error that says so; a probe goes on."""
        table = {"1.3.6.1.2.1.1.3.0": integer(100, 0x43)}
        async with serve(table) as agent, calling(exporter) as client:
            with_device(exporter, agent.port)
            answer = await client.get(f"/snmp?target=127.0.0.1:{agent.port}&module=auto")
            probed = series(await client.get("/probe?target=edge1"))

        assert answer.status_code == 500
        assert "cannot be identified: it does not tell its sysObjectID" in answer.text
        assert probed["chm_device_up"] == 1
        assert probed['chm_collector_success{collector="identity"}'] == 0
        assert counted(exporter, "chm_exporter_probe_errors_total", reason="unidentified") == 2

    @pytest.mark.parametrize(("partial", "status"), [("false", 500), ("true", 200)])
    async def test_named_module(
        self, exporter: Exporter, switch: dict[str, Value], partial: str, status: int
    ) -> None:
        """A module asked for by name fails the scrape, unless it is to be partial."""
        system = parse("1.3.6.1.2.1.1")

        def deaf(agent: Agent, request: Request) -> list[bytes]:
            return [] if request.oids[0] == system else agent.answer(request)

        async with serve(switch, deaf) as agent, calling(exporter, 2) as client:
            query = f"target=127.0.0.1:{agent.port}&module=auto,system&partial={partial}"
            answer = await client.get(f"/snmp?{query}")

        assert answer.status_code == status
        assert ("module system: no answer" in answer.text) == (status == 500)
