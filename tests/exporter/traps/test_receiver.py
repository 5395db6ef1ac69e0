import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.inventory import Device
from exporter.protocols.snmp.ber import Malformed
from exporter.protocols.snmp.notifications import Opener, Refused, engine_of
from tests.exporter.traps.sending import (
    COMMUNITY,
    LINK_DOWN,
    SENDER,
    USER,
    V3,
    Receiving,
    receiving,
)

AUTHS = {"plain": COMMUNITY, "ann": USER}
DEVICES = {"edge1": Device("127.0.0.1", ("plain", "ann"))}
V2C = ("-v", "2c", "-c", "seKret")
DOWN = ("--", "4711", LINK_DOWN, "1.3.6.1.2.1.2.2.1.1.7", "i", "7")
UPTIME = 4711
# The user before its password was rotated, and one of another device.
OLD = replace(USER, priv_password="paper clips")
BOB = replace(USER, username="bob")


@pytest.fixture
async def edge() -> AsyncIterator[Receiving]:
    async with receiving(DEVICES, AUTHS) as there:
        yield there


class TestVersions:
    @pytest.mark.parametrize("options", [V2C, (*V2C, "-Ci"), (*V3, *SENDER), (*V3, "-Ci")])
    async def test_traps_and_informs(self, edge: Receiving, options: tuple[str, ...]) -> None:
        """A v2c or v3 trap is taken, and an inform answered: snmptrap ends well only then."""
        await edge.send(*options, *DOWN)
        await edge.until(lambda: edge.arrived)

        (arrival,) = edge.arrived
        assert (arrival.device, arrival.source) == ("edge1", "127.0.0.1")
        assert arrival.notification.oid == LINK_DOWN
        assert arrival.notification.uptime == UPTIME
        assert arrival.notification.bindings == (("1.3.6.1.2.1.2.2.1.1.7", 7),)

    @pytest.mark.parametrize("options", [(*V3, *SENDER), (*V3, "-Ci")])
    @pytest.mark.parametrize("order", [("old", "ann"), ("ann", "old")])
    async def test_rotated_password(self, options: tuple[str, ...], order: tuple[str, ...]) -> None:
        """While a privacy password is rotated, old and new are both good, in either order."""
        devices = {"edge1": Device("127.0.0.1", order)}
        async with receiving(devices, {"old": OLD, "ann": USER}) as there:
            await there.send(*options, *DOWN)
            await there.until(lambda: there.arrived)

    async def test_privacy_tells_devices_apart(self) -> None:
        """Devices behind one address may differ in the privacy password alone."""
        devices = {"a": Device("127.0.0.1", ("old",)), "b": Device("127.0.0.1", ("ann",), 1161)}
        async with receiving(devices, {"old": OLD, "ann": USER}) as there:
            await there.send(*V3, *SENDER, *DOWN)
            await there.until(lambda: there.arrived)
            assert there.arrived[0].device == "b"

    @pytest.mark.parametrize(
        ("generic", "specific", "oid"),
        [("2", "0", LINK_DOWN), ("6", "4", "1.3.6.1.4.1.9.9.13.3.0.4")],
    )
    async def test_version_1(self, edge: Receiving, generic: str, specific: str, oid: str) -> None:
        """A v1 trap has the name that RFC 3584 gives it, and tells who it says it is from."""
        enterprise = "1.3.6.1.4.1.9.9.13.3"
        head = ("--", enterprise, "10.9.8.7", generic, specific, "4711")
        await edge.send("-v", "1", "-c", "seKret", *head, "1.3.6.1.2.1.2.2.1.1.7", "i", "7")
        await edge.until(lambda: edge.arrived)

        (arrival,) = edge.arrived
        assert arrival.device == "edge1"
        assert (arrival.notification.oid, arrival.notification.uptime) == (oid, UPTIME)
        assert arrival.notification.bindings == (
            ("1.3.6.1.2.1.2.2.1.1.7", 7),
            ("1.3.6.1.6.3.18.1.3.0", "10.9.8.7"),
            ("1.3.6.1.6.3.1.1.4.3.0", enterprise),
        )

    async def test_our_engine_is_the_same_after_a_restart(self) -> None:
        """The engine id follows from the name, and its boots never go back."""
        first, second = engine_of("one"), engine_of("one")

        assert first.id == second.id != engine_of("two").id
        assert first.boots <= second.boots


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (("-v", "2c", "-c", "public"), "wrong_community"),
            ((*V3[:-1], "wrong secret", *SENDER), "wrong_credentials"),
            ((*V3[:9], "wrong horse", *V3[10:], *SENDER), "wrong_credentials"),
            (("-v", "3", "-u", "ann", "-l", "noAuthNoPriv", *SENDER), "wrong_credentials"),
            (("-v", "3", "-u", "bob", "-l", "noAuthNoPriv", *SENDER), "wrong_credentials"),
        ],
    )
    async def test_wrong_credentials(
        self, edge: Receiving, options: tuple[str, ...], reason: str
    ) -> None:
        """What does not show an auth of the device is counted, and nothing comes of it."""
        await edge.send(*options, *DOWN)
        await edge.until(lambda: edge.counted("chm_trap_dropped_total", reason=reason))

        assert not edge.arrived

    async def test_inform_with_a_wrong_community_is_not_answered(self, edge: Receiving) -> None:
        """A sender with a wrong community learns nothing, not even that somebody is there."""
        await edge.send("-v", "2c", "-c", "public", "-Ci", *DOWN, succeeds=False)

    async def test_sources(self) -> None:
        """A source that is no device is dropped, whatever it shows."""
        async with receiving({"edge1": Device("127.0.0.9", ("plain",))}, AUTHS) as there:
            await there.send(*V2C, *DOWN)
            await there.until(
                lambda: there.counted("chm_trap_dropped_total", reason="unknown_source")
            )
            assert not there.arrived

    async def test_unknown_sources_where_they_are_taken(self) -> None:
        """Where the operator says so, a stranger's trap is taken, and is no device's."""
        async with receiving({}, {}, accept_unknown=True) as there:
            await there.send("-v", "2c", "-c", "any", *DOWN)
            await there.until(lambda: there.arrived)
            assert there.arrived[0].device == ""

    async def test_devices_behind_one_address(self) -> None:
        """Of devices behind one address it is the one whose community is shown, else nobody's."""
        devices = {"a": Device("127.0.0.1", ("plain",)), "b": Device("127.0.0.1", ("ann",), 1161)}
        async with receiving(devices, AUTHS) as there:
            await there.send(*V2C, *DOWN)
            await there.until(lambda: there.arrived)
            assert there.arrived[0].device == "a"
        devices["b"] = Device("127.0.0.1", ("plain",), 1161)
        async with receiving(devices, AUTHS) as there:
            await there.send(*V2C, *DOWN)
            await there.until(
                lambda: there.counted("chm_trap_dropped_total", reason="ambiguous_source")
            )

    async def test_old_traps(self, edge: Receiving) -> None:
        """A v3 trap of before the last start of its engine is a copy of an old one."""
        await edge.send(*V3, *SENDER, "-Z", "5,100", *DOWN)
        await edge.until(lambda: edge.arrived)
        await edge.send(*V3, *SENDER, "-Z", "4,100", *DOWN)
        await edge.until(
            lambda: edge.counted("chm_trap_dropped_total", reason="not_in_time_window")
        )

        assert len(edge.arrived) == 1

    async def test_engine_id_of_another(self) -> None:
        """A device that claims another's engine id, far in the future, does not silence that."""
        devices = {"a": Device("127.0.0.1", ("ann",)), "b": Device("127.0.0.1", ("bob",), 1161)}
        async with receiving(devices, {"ann": USER, "bob": BOB}) as there:
            await there.send(*V3[:3], "bob", *V3[4:], *SENDER, "-Z", "99,100", *DOWN)
            await there.until(lambda: len(there.arrived) == 1)
            await there.send(*V3, *SENDER, "-Z", "5,100", *DOWN)
            await there.until(lambda: len(there.arrived) == 2)
            assert [arrival.device for arrival in there.arrived] == ["b", "a"]


class TestStorms:
    async def test_one_source_gets_its_share(self) -> None:
        """Ten seconds of the rate are taken at once, and the rest is dropped and counted."""
        async with receiving(DEVICES, AUTHS, rate=0.2) as there:
            for _ in range(6):
                await there.send(*V2C, *DOWN)
            await there.until(lambda: there.counted("chm_trap_dropped_total", reason="storm") == 4)
            assert len(there.arrived) == 2

    async def test_a_low_rate(self) -> None:
        """A rate of less than one in ten seconds takes one, and not none."""
        async with receiving(DEVICES, AUTHS, rate=0.01) as there:
            await there.send(*V2C, *DOWN)
            await there.send(*V2C, *DOWN)
            await there.until(lambda: there.counted("chm_trap_dropped_total", reason="storm"))
            assert len(there.arrived) == 1

    async def test_log(self, edge: Receiving, caplog: pytest.LogCaptureFixture) -> None:
        """What is dropped is written down with its reason, once a minute for each source."""
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                await edge.send("-v", "2c", "-c", "public", *DOWN)
            await edge.until(
                lambda: edge.counted("chm_trap_dropped_total", reason="wrong_community") == 2
            )

        (line,) = (record for record in caplog.records if record.message == "trap dropped")
        assert vars(line)["reason"] == "wrong_community"
        assert vars(line)["source"] == "127.0.0.1"


class TestHostile:
    @given(st.binary(max_size=200))
    def test_garbage(self, packet: bytes) -> None:
        """Whatever a datagram holds, it is a notification or an error that is expected."""
        with pytest.raises((Malformed, Refused)):
            Opener(engine_of("test")).open(packet, AUTHS.values())

    async def test_every_change_of_a_real_trap(self, edge: Receiving) -> None:
        """A trap with any octet changed, or cut off anywhere, raises nothing else."""
        packets: list[bytes] = []
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            for options in (V2C, (*V3, *SENDER)):
                other = Receiving(sock.getsockname()[1], edge.receiver, edge.telemetry)
                await other.send(*options, *DOWN)
                packets.append(await asyncio.get_running_loop().sock_recv(sock, 65_535))
        opener = Opener(engine_of("test"))
        taken = 0
        for packet in packets:
            changed = [packet[:at] + bytes((packet[at] ^ 0x81,)) + packet[at + 1 :]
                       for at in range(len(packet))]  # fmt: skip
            for one in (packet, *changed, *(packet[:at] for at in range(len(packet)))):
                try:
                    opener.open(one, AUTHS.values())
                except (Malformed, Refused):
                    continue
                taken += 1
        assert taken >= len(packets)
