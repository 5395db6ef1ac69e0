import asyncio

import pytest

from exporter import exposition
from exporter.config import Auth
from exporter.inventory import Device, Snapshot
from exporter.probe import Devices, Known, Prober
from exporter.profiles.loader import Configuration
from exporter.settings import Settings
from exporter.telemetry import Telemetry
from tests.exporter.agent import Agent, Request, Value, integer, octets, oid_value, parse, serve
from tests.exporter.conftest import free_port

AUTHS = {"lab": Auth(), "old": Auth(community="wrong"), "v1": Auth(version=1)}


def inventory(
    port: int, *auths: str, profile: str | None = None, modules: tuple[str, ...] = ()
) -> Snapshot:
    device = Device("127.0.0.1", auths or ("lab",), port, profile, modules)
    return Snapshot("1", AUTHS, {"edge1": device})


@pytest.fixture
def prober(telemetry: Telemetry) -> Prober:
    return Prober(Settings(), telemetry, Devices(Settings(), telemetry))


async def series(
    prober: Prober, snapshot: Snapshot, configuration: Configuration, seconds: float = 4
) -> dict[str, float]:
    deadline = asyncio.get_running_loop().time() + seconds
    families = await prober.probe("edge1", snapshot, configuration, deadline)
    lines = exposition.render(families).body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if line[0] != "#")
    return {name: float(number) for name, number in pairs}


class TestHealthyDevice:
    async def test_everything(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """A device of the inventory is identified and told in the vocabulary and in IF-MIB."""
        async with serve(switch) as agent:
            found = await series(prober, inventory(agent.port), configuration)

        info = (
            'model="WS-C2960X-48TS-L",os_version="15.2(7)E2",profile="cisco_ios",'
            'serial="FOC1234X0AB",sys_name="edge1",vendor="Cisco"'
        )
        port = (
            'ifAlias="to \\"core1\\"",ifDescr="GigabitEthernet1/0/1",ifIndex="1",ifName="Gi1/0/1"'
        )
        expected = {
            "chm_device_up": 1,
            "chm_uptime_seconds": 3600,
            f"chm_device_info{{{info}}}": 1,
            'chm_cpu_utilization_ratio{cpu="Switch 1"}': 0.42,
            'chm_memory_used_bytes{pool="Processor"}': 30_000_000,
            'chm_memory_size_bytes{pool="Processor"}': 100_000_000,
            'chm_temperature_celsius{sensor="SW#1, Sensor#1"}': 44,
            'chm_fan_up{fan="Fan 1"}': 1,
            'chm_fan_up{fan="Fan 2"}': 0,
            f"ifOperStatus{{{port}}}": 1,
            f"ifHCInOctets{{{port}}}": 1,
            'chm_collector_success{collector="identity"}': 1,
            'chm_collector_success{collector="if_mib"}': 1,
            'chm_collector_success{collector="cisco_envmon"}': 1,
            "chm_collectors_failed": 0,
        }
        assert expected.items() <= found.items()
        assert found["chm_interfaces"] == sum(name.startswith("ifOperStatus{") for name in found)
        assert not any(name.startswith("chm_power_supply_up") for name in found)
        assert not any(name.startswith(("cpm", "ciscoEnvMon")) for name in found)

    async def test_modules_of_the_device(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """Modules named for a device come with their MIB names; unknown ones are a failure."""
        async with serve(switch) as agent:
            snapshot = inventory(agent.port, profile="generic", modules=("system", "gone"))
            found = await series(prober, snapshot, configuration)

        assert found["sysUpTime"] == 360_000
        assert found['chm_collector_success{collector="system"}'] == 1
        assert found['chm_collector_success{collector="gone"}'] == 0
        failed = [name for name in found if name.startswith("chm_collector_success{")]
        assert found["chm_collectors_failed"] == sum(found[name] == 0 for name in failed)
        assert 'chm_fan_up{fan="Fan 1"}' not in found

    async def test_shared_walks(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """What two collectors need is asked for once."""
        async with serve(switch) as agent:
            await series(prober, inventory(agent.port), configuration)
        names = parse("1.3.6.1.2.1.47.1.1.1.1.7")
        assert sum(request.oids[0] == names for request in agent.requests) == 1

    async def test_facts_of_the_chassis(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """A device that numbers its chassis as no other does is known by it all the same."""
        entity = "1.3.6.1.2.1.47.1.1.1.1"
        del switch[f"{entity}.11.1"]
        switch |= {f"{entity}.5.7": integer(3), f"{entity}.11.7": octets("FOC777")}
        async with serve(switch) as agent:
            found = await series(prober, inventory(agent.port), configuration)
        assert any('serial="FOC777"' in name for name in found)

    async def test_new_identity(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """A device that was replaced by another kind is identified anew."""
        async with serve(switch) as agent:
            snapshot = inventory(agent.port)
            await series(prober, snapshot, configuration)
            first = prober.known["edge1"].profile
            agent.table[parse("1.3.6.1.2.1.1.2.0")] = oid_value("1.3.6.1.4.1.2636.1.1.1.2.29")
            await series(prober, snapshot, configuration)

        assert (first, prober.known["edge1"].profile) == ("cisco_ios", "juniper_junos")


class TestCredentials:
    async def test_candidates(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """The first auth that is answered is used, and tried first from then on."""
        async with serve(switch) as agent:
            snapshot = inventory(agent.port, "old", "lab")
            first = await series(prober, snapshot, configuration)
            asked = len(agent.requests)
            await series(prober, snapshot, configuration)

        assert first["chm_device_up"] == 1
        assert prober.known["edge1"].auth == "lab"
        assert len(agent.requests) == 2 * asked

    async def test_version_1(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """A device that speaks SNMPv1 only is monitored like any other."""
        async with serve(switch) as agent:
            found = await series(prober, inventory(agent.port, "v1"), configuration)

        assert found["chm_device_up"] == 1
        assert found['chm_fan_up{fan="Fan 2"}'] == 0


class TestFailures:
    async def test_silent(self, prober: Prober, configuration: Configuration) -> None:
        """A device that does not answer is down, well before the scrape ends, and nothing else."""
        loop = asyncio.get_running_loop()
        async with serve({}, lambda _agent, _request: []) as agent:
            started = loop.time()
            found = await series(prober, inventory(agent.port, "lab", "old"), configuration, 2)

        assert found == {"chm_device_up": 0}
        assert loop.time() - started < 1.5

    async def test_closed_port(self, prober: Prober, configuration: Configuration) -> None:
        """A device without an agent is down."""
        assert await series(prober, inventory(free_port()), configuration, 1) == {
            "chm_device_up": 0
        }

    async def test_failing_collector(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """A subtree that is not answered fails its collector and no other."""
        interfaces = parse("1.3.6.1.2.1.2")

        def deaf(agent: Agent, request: Request) -> list[bytes]:
            return [] if request.oids[0][: len(interfaces)] == interfaces else agent.answer(request)

        async with serve(switch, deaf) as agent:
            found = await series(prober, inventory(agent.port), configuration, 2)

        assert found["chm_device_up"] == 1
        assert found['chm_collector_success{collector="if_mib"}'] == 0
        assert found['chm_collector_success{collector="cisco_cpu"}'] == 1
        assert found['chm_cpu_utilization_ratio{cpu="Switch 1"}'] == 0.42

    async def test_hostile_text(
        self, prober: Prober, configuration: Configuration, switch: dict[str, Value]
    ) -> None:
        """Nothing a device says can break the page or forge a series."""
        evil = b'"} 1\nchm_device_up 7\n# \xff\x00\\'
        switch["1.3.6.1.2.1.31.1.1.1.18.1"] = Value(0x04, evil)
        switch["1.3.6.1.4.1.9.9.13.1.4.1.2.1"] = Value(0x04, evil)
        switch["1.3.6.1.2.1.2.2.1.8.1"] = integer(-(2**31))
        async with serve(switch) as agent:
            found = await series(prober, inventory(agent.port), configuration)

        assert found["chm_device_up"] == 1
        assert any("\\nchm_device_up 7\\n" in name for name in found)


async def test_forgetting(prober: Prober, configuration: Configuration) -> None:
    """What is known about a device goes when the device goes."""
    prober.known["gone"] = Known()
    await series(prober, inventory(free_port()), configuration, 0.5)
    assert set(prober.known) == {"edge1"}
