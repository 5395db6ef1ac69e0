from typing import Any

import pytest

from lab import topology
from lab.ber import counter64, integer, octets, timeticks
from lab.errors import BadArgument, UnknownDevice, UnknownScenario
from lab.mibs.interfaces import IF_ENTRY
from lab.mibs.lldp import LOCAL_PORT_ENTRY, LOCAL_SYSTEM, REMOTE_ENTRY
from lab.mibs.system import SYSTEM
from lab.network import Network
from lab.ports import Port

from .conftest import Clock

SYS_UPTIME = (*SYSTEM, 3, 0)
UP, DOWN = integer(1), integer(2)


def port(network: Network, device: str, name: str) -> Port:
    return network.devices[device].ports[name]


def oper_status(network: Network, device: str, name: str) -> bytes:
    index = port(network, device, name).kind.index
    return dict(network.rows(device))[(*IF_ENTRY, 8, index)]


def neighbours(network: Network, device: str) -> set[bytes]:
    rows = dict(network.rows(device))
    return {value for name, value in rows.items() if name[:-3] == (*REMOTE_ENTRY, 9)}


def move(network: Network, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    network.advance()


class TestTopology:
    def test_neighbours_agree(self, network: Network) -> None:
        """What a device hears on a port is what the device there says of itself and its port."""
        for link in network.topology.links:
            for end in (link, link.reversed()):
                mine = port(network, end.a, end.a_port).kind.index
                theirs = port(network, end.b, end.b_port).kind.index
                here, there = dict(network.rows(end.a)), dict(network.rows(end.b))
                heard = (0, mine, 1)
                assert here[(*REMOTE_ENTRY, 9, *heard)] == octets(end.b)
                assert here[(*REMOTE_ENTRY, 5, *heard)] == there[(*LOCAL_SYSTEM, 2, 0)]
                assert here[(*REMOTE_ENTRY, 7, *heard)] == there[(*LOCAL_PORT_ENTRY, 3, theirs)]

    def test_both_ends_count_the_same(self, network: Network, clock: Clock) -> None:
        """What one end of a link sends is what the other receives."""
        for link in network.topology.links:
            a, b = port(network, link.a, link.a_port), port(network, link.b, link.b_port)
            before = a.out.octets, b.into.octets
            move(network, clock, 7)
            assert a.out.octets - before[0] == pytest.approx(b.into.octets - before[1])
            assert a.out.octets > before[0]

    def test_chassis_addresses_are_unique(self, network: Network) -> None:
        """No two devices share a chassis address or a serial number."""
        who = [device.identity for device in network.devices.values()]

        assert len({w.chassis_mac for w in who}) == len({w.serial for w in who}) == len(who)


class TestDeviceDown:
    def test_it_is_silent_and_its_neighbours_notice(self, network: Network) -> None:
        """A device that is down does not answer, and its neighbours lose link and neighbour."""
        network.start("dist1", "device-down", {})

        assert not network.answers("dist1")
        assert oper_status(network, "core1", "Ethernet3") == DOWN
        assert octets("dist1") not in neighbours(network, "core1")

    def test_dual_homed_devices_stay_reachable(self, network: Network) -> None:
        """With one distribution switch down, the access switches answer through the other."""
        network.start("dist1", "device-down", {})

        assert all(network.answers(f"access{n}") for n in range(1, 9))

    def test_what_is_behind_it_is_cut_off(self, network: Network) -> None:
        """With both distribution switches down, the poller reaches no access switch."""
        network.start("dist1", "device-down", {})
        network.start("dist2", "device-down", {})

        assert not any(network.answers(f"access{n}") for n in range(1, 9))
        assert network.answers("core1")

    def test_it_comes_back(self, network: Network, clock: Clock) -> None:
        """After its duration the device answers again, with its uptime unbroken."""
        network.start("dist1", "device-down", {"duration": 30})
        uptime = network.devices["dist1"].uptime(clock.now)
        move(network, clock, 30)

        assert network.answers("dist1")
        assert network.devices["dist1"].uptime(clock.now) == uptime + 30
        assert oper_status(network, "core1", "Ethernet3") == UP


class TestLinkDown:
    def test_both_ends_see_it(self, network: Network, clock: Clock) -> None:
        """Both ends of a cut cable are down, hear nothing, and remember when it happened."""
        move(network, clock, 5)
        network.start("access1", "link-down", {"port": "Te1/1/1"})

        assert oper_status(network, "access1", "Te1/1/1") == DOWN
        assert oper_status(network, "dist1", "Twe1/0/1") == DOWN
        assert neighbours(network, "access1") == {octets("dist2")}
        assert octets("access1") not in neighbours(network, "dist1")
        dist1 = network.devices["dist1"]
        assert port(network, "dist1", "Twe1/0/1").last_change == dist1.uptime(clock.now)

    def test_nothing_is_counted_meanwhile(self, network: Network, clock: Clock) -> None:
        """A port that is down carries nothing."""
        network.start("access1", "link-down", {"port": "Te1/1/1"})
        before = port(network, "access1", "Te1/1/1").into.total_octets
        move(network, clock, 60)

        assert port(network, "access1", "Te1/1/1").into.total_octets == before

    def test_two_ports_at_once_cut_the_device_off(self, network: Network) -> None:
        """The same scenario runs on two ports; ending it ends it on both."""
        network.start("access1", "link-down", {"port": "Te1/1/1"})
        network.start("access1", "link-down", {"port": "Te1/1/2"})
        assert not network.answers("access1")

        network.stop("access1", "link-down")
        assert network.answers("access1")
        assert network.under_way("access1") == []


def test_flap(network: Network, clock: Clock) -> None:
    """A flapping port is down and up in turn."""
    network.start("access1", "flap", {"port": "Te1/1/1", "period": 10})
    seen = []
    for _ in range(4):
        seen.append(port(network, "dist1", "Twe1/0/1").up)
        move(network, clock, 10)

    assert seen == [False, True, False, True]


def test_reboot(network: Network, clock: Clock) -> None:
    """A rebooted device is silent for a while and starts from zero."""
    network.start("core1", "reboot", {"duration": 20})
    assert not network.answers("core1")
    move(network, clock, 20)

    rows = dict(network.rows("core1"))
    assert network.answers("core1")
    assert rows[SYS_UPTIME] == timeticks(0)
    assert rows[(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 3)] == counter64(0)
    move(network, clock, 3)
    assert dict(network.rows("core1"))[SYS_UPTIME] == timeticks(3)


@pytest.mark.parametrize("bits", [32, 64])
def test_counter_wrap(network: Network, clock: Clock, bits: int) -> None:
    """The counters of a port overflow at the bit asked for, about when asked for."""
    network.start("core1", "counter-wrap", {"port": "Ethernet3", "bits": bits, "seconds": 2})
    into = port(network, "core1", "Ethernet3").into
    before = into.total_octets % 2**bits
    move(network, clock, 1)
    between = into.total_octets % 2**bits
    move(network, clock, 2)
    after = into.total_octets % 2**bits

    assert 2**bits - 2**34 < before < between
    assert after < before


def test_interface_errors(network: Network, clock: Clock) -> None:
    """Errors grow with the packets received, in the ratio asked for."""
    network.start("core1", "interface-errors", {"port": "Ethernet3", "ratio": 0.05})
    into = port(network, "core1", "Ethernet3").into
    errors, octets_before = into.errors, into.octets
    move(network, clock, 60)

    packets = (into.octets - octets_before) / into.load.packet
    assert (into.errors - errors) / packets == pytest.approx(0.05)


def test_health_scenarios_reach_the_reading(network: Network) -> None:
    """Scenarios of health change what the device says of itself, and end again."""
    network.start("core1", "cpu-hot", {"percent": 99})
    network.start("core1", "temperature-high", {"celsius": 91})
    network.start("core1", "fan-failed", {"fan": 2})
    network.start("core1", "psu-failed", {"psu": 1})
    reading = network.devices["core1"].reading(network.now)

    assert (reading.cpu_percent, reading.temperature) == (99, 91)
    assert reading.fans == (True, False, True, True)
    assert reading.power_supplies == (False, True)

    network.stop("core1", "fan-failed")
    assert all(network.devices["core1"].reading(network.now).fans)


def test_a_bulk_device_gets_a_life_of_its_own(network: Network, clock: Clock) -> None:
    """A scenario on one of many identical devices concerns that one, which keeps its past."""
    shared = network.bulk
    assert shared is not None
    move(network, clock, 5)
    network.start("bulk0002", "cpu-hot", {})
    own = network.devices["bulk0002"]

    assert own.reading(clock.now).cpu_percent == 97
    assert shared.reading(clock.now).cpu_percent < 50
    assert own.uptime(clock.now) == shared.uptime(clock.now)
    assert own.identity.name == "bulk0002"


@pytest.mark.parametrize(
    ("asked", "error", "text"),
    [
        (("nix", "cpu-hot", {}), UnknownDevice, "no device 'nix'"),
        (("core1", "nix", {}), UnknownScenario, "no scenario 'nix'; there are device-down"),
        (("core1", "link-down", {}), BadArgument, "link-down: port: Field required"),
        (("core1", "link-down", {"port": "Gi9"}), BadArgument, "in use are Ethernet1, Ethernet2"),
        (("core1", "cpu-hot", {"percent": 101}), BadArgument, "cpu-hot: percent"),
        (("core1", "cpu-hot", {"celsius": 1}), BadArgument, "cpu-hot: celsius"),
        (("core1", "fan-failed", {"fan": 9}), BadArgument, "core1 has 4 fans, not 9"),
        (("core1", "psu-failed", {"psu": 3}), BadArgument, "core1 has 2 power supplies, not 3"),
        (("core1", "cpu-hot", {"duration": -1}), BadArgument, "cpu-hot: duration"),
    ],
)
def test_mistakes_are_explained(
    network: Network, asked: tuple[str, str, dict[str, Any]], error: type[Exception], text: str
) -> None:
    """A name or argument that does not exist is refused with what would be right."""
    with pytest.raises(error) as caught:
        network.start(*asked)

    assert text in str(caught.value)


def test_ending_what_is_not_under_way(network: Network) -> None:
    """Only what was started can be ended."""
    with pytest.raises(UnknownScenario, match="cpu-hot is not under way on core1"):
        network.stop("core1", "cpu-hot")


def test_serial_numbers_stand_where_the_vendor_puts_them(network: Network) -> None:
    """Juniper and HP repeat the serial number of the chassis under an object of their own."""
    chassis = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 11, 1)
    for name, place in (
        ("router1", (1, 3, 6, 1, 4, 1, 2636, 3, 1, 3, 0)),
        ("access5", (1, 3, 6, 1, 4, 1, 11, 2, 36, 1, 1, 2, 9, 0)),
    ):
        rows = dict(network.rows(name))
        assert rows[place] == rows[chassis] == octets(network.devices[name].identity.serial)


def test_a_poller_that_is_down_reaches_nothing(network: Network) -> None:
    """Without the router the poller sits at, every device of the network is silent."""
    network.start("router1", "device-down", {})

    assert not any(network.answers(device.name) for device in network.topology.devices)


def test_without_a_poller_every_device_is_reached(clock: Clock) -> None:
    """A topology that names no poller has no way that could be cut."""
    demo = topology.demo()
    network = Network(topology.Topology(demo.devices, demo.links), clock)
    network.start("dist1", "device-down", {})

    assert [d.name for d in demo.devices if not network.answers(d.name)] == ["dist1"]
