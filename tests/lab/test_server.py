import asyncio
import shutil
import socket
from collections.abc import Iterable

import pytest
from gufo.snmp import SnmpVersion
from gufo.snmp.aio import SnmpSession

from lab import topology
from lab.errors import CannotListen
from lab.server import Lab

from .conftest import BASE

IF_MIB = ("1.3.6.1.2.1.2", "1.3.6.1.2.1.31.1.1")
SYS_NAME = "1.3.6.1.2.1.1.5.0"
SYS_UPTIME = "1.3.6.1.2.1.1.3.0"
SERIAL = "1.3.6.1.2.1.47.1.1.1.1.11.1"


def session(lab: Lab, device: str, **options: object) -> SnmpSession:
    return SnmpSession(
        lab.address(device),
        port=lab.port,
        community=str(options.get("community", "public")),
        version=SnmpVersion.v2c,
        timeout=0.3 if options.get("impatient") else 5.0,
        max_repetitions=50,
    )


async def walk(client: SnmpSession, roots: Iterable[str]) -> dict[str, object]:
    return {name: value for root in roots async for name, value in client.getbulk(root)}


async def test_every_device_answers_who_it_is(lab: Lab) -> None:
    """Every device of the demo answers on its own address with its own name."""
    for device in lab.addresses:
        async with session(lab, device) as client:
            assert await client.get(SYS_NAME) == device.encode()


async def test_a_whole_device_can_be_walked(lab: Lab) -> None:
    """A walk of everything from the root ends and finds each object once."""
    async with session(lab, "router1") as client:
        found = await walk(client, ["1.3.6.1"])

    assert len(found) > 500
    assert found["1.3.6.1.2.1.1.2.0"] == "1.3.6.1.4.1.2636.1.1.1.2.29"


async def test_values_move(lab: Lab) -> None:
    """Uptime and counters grow from tick to tick."""
    counter = "1.3.6.1.2.1.31.1.1.1.6.3"
    async with session(lab, "core1") as client:
        before = await client.get_many([SYS_UPTIME, counter])
        await asyncio.sleep(0.15)
        after = await client.get_many([SYS_UPTIME, counter])

    assert after[SYS_UPTIME] > before[SYS_UPTIME]  # type: ignore[operator]
    assert after[counter] > before[counter]  # type: ignore[operator]


async def test_device_down_is_silence(lab: Lab) -> None:
    """A device that is down lets the poller wait, and answers when it is back."""
    lab.start("access1", "device-down")
    async with session(lab, "access1", impatient=True) as client:
        with pytest.raises(TimeoutError):
            await client.get(SYS_NAME)
        lab.stop("access1", "device-down")
        assert await client.get(SYS_NAME) == b"access1"


async def test_a_scenario_shows_at_once(lab: Lab) -> None:
    """The next question after the start of a scenario sees it."""
    lab.start("core1", "cpu-hot", {"percent": 96})
    async with session(lab, "core1") as client:
        assert await client.get("1.3.6.1.2.1.25.3.3.1.2.1") == 96


async def test_a_wrong_community_is_silence(lab: Lab) -> None:
    """Without the community there is no answer, and the lab has counted it."""
    async with session(lab, "core1", community="private", impatient=True) as client:
        with pytest.raises(TimeoutError):
            await client.get(SYS_NAME)

    assert lab.statistics.unanswered == 1


async def test_garbage_is_counted(lab: Lab) -> None:
    """Datagrams that are no SNMP are ignored and counted; the agent goes on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"\x30\x82\xff\xff garbage", (lab.address("core1"), lab.port))
    async with session(lab, "core1") as client:
        assert await client.get(SYS_NAME) == b"core1"

    assert lab.statistics.malformed == 1


async def test_bulk_devices_have_a_full_if_mib(crowd: Lab) -> None:
    """Each of the identical switches answers the 1,969 objects of 48 ports, and its own name."""
    for device in ("bulk0001", "bulk0002"):
        async with session(crowd, device) as client:
            assert len(await walk(client, IF_MIB)) == 1_969
            assert await client.get(SYS_NAME) == device.encode()


async def test_bulk_devices_differ_in_serial(crowd: Lab) -> None:
    """No two of the identical switches have the same serial number, also within one walk."""
    serials = set()
    for device in ("bulk0001", "bulk0002"):
        async with session(crowd, device) as client:
            serials.add((await walk(client, ["1.3.6.1.2.1.47"]))[SERIAL])

    assert len(serials) == 2


async def test_one_bulk_device_can_fail_alone(crowd: Lab) -> None:
    """A scenario on one of the identical switches leaves the others alone."""
    shared = crowd.network.bulk
    assert shared
    active = next(port.kind for port in shared.ports.values() if port.cabled)
    status = f"1.3.6.1.2.1.2.2.1.8.{active.index}"
    crowd.start("bulk0001", "link-down", {"port": active.name})
    seen = {}
    for device in ("bulk0001", "bulk0002"):
        async with session(crowd, device) as client:
            seen[device] = await client.get(status), await client.get(SYS_NAME)

    assert seen == {"bulk0001": (2, b"bulk0001"), "bulk0002": (1, b"bulk0002")}


async def test_an_address_in_use_is_an_error(lab: Lab) -> None:
    """A second lab on the same addresses and port says that they are taken."""
    second = Lab(topology.demo(BASE), snmp_port=lab.port)

    with pytest.raises(CannotListen, match=f"SNMP port {lab.port}: Address already in use"):
        async with second:
            pass


async def test_labs_run_side_by_side(lab: Lab) -> None:
    """With another base address a second lab runs on the same port."""
    async with Lab(topology.demo("127.0.78.0"), snmp_port=lab.port) as second:
        async with session(second, "core1") as client:
            assert await client.get(SYS_NAME) == b"core1"
        assert second.port == lab.port


async def test_nothing_off_loopback_is_answered(crowd: Lab) -> None:
    """A datagram for another address than a device's gets no answer."""
    async with SnmpSession(
        "127.0.0.1", port=crowd.port, version=SnmpVersion.v2c, timeout=0.3
    ) as client:
        with pytest.raises((TimeoutError, ConnectionError)):
            await client.get(SYS_NAME)


async def test_without_the_right_to_share_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no socket may be tied to loopback, every one of many addresses gets its own."""
    monkeypatch.setattr("lab.sockets.Sockets._listen_shared", lambda _self, _port: False)
    lab = Lab(topology.Topology(()), snmp_port=0, bulk=topology.bulk(300, "127.0.80.0"))
    async with lab, SnmpSession(lab.address("bulk0300"), port=lab.port, timeout=5) as client:
        assert await client.get(SYS_NAME) == b"bulk0300"


@pytest.mark.peer
@pytest.mark.parametrize(
    "command", [["snmpwalk", "-v1"], ["snmpwalk", "-v2c"], ["snmpbulkwalk", "-v2c", "-Cr50"]]
)
async def test_net_snmp_reads_it(lab: Lab, command: list[str]) -> None:
    """The tools of net-snmp walk a device from end to end without complaint."""
    tool = shutil.which(command[0])
    assert tool, f"{command[0]} is not installed"
    target = f"{lab.address('core1')}:{lab.port}"
    process = await asyncio.create_subprocess_exec(
        tool, *command[1:], "-c", "public", "-On", "-t5", target, ".1",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaints = await process.communicate()

    assert (process.returncode, complaints) == (0, b"")
    names = [
        line.split(b" = ")[0]
        for line in output.splitlines()
        if line.startswith(b".1.") and b" = No more " not in line
    ]
    assert len(names) == len(set(names)) > 1_000
