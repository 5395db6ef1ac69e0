import socket

from exporter.config import Auth
from exporter.protocols.snmp.notifications import Notification, Opener, engine_of
from lab import topology
from lab.server import Lab

LINK_DOWN, LINK_UP = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4"
ENTRY = "1.3.6.1.2.1.2.2.1"


def received(sock: socket.socket, count: int) -> dict[str, Notification]:
    """Give so many traps by the address they come from; fail where there are fewer."""
    opener, found = Opener(engine_of("test")), {}
    for _ in range(count):
        packet, (source, _) = sock.recvfrom(65_535)
        told = opener.open(packet, [Auth(community="public")]).notification
        assert told is not None
        found[source] = told
    return found


async def test_a_cable_that_is_cut_and_mended() -> None:
    """Both ends tell of it from their own addresses, with the port and its two states."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        async with Lab(topology.demo("127.0.93.0"), snmp_port=0, traps=sock.getsockname()) as lab:
            (link, *_) = lab.network.topology.links
            lab.start(link.a, "link-down", {"port": link.a_port})
            down = received(sock, 2)
            lab.stop(link.a, "link-down")
            up = received(sock, 2)
            ends = {lab.address(link.a), lab.address(link.b)}
            index = lab.network.devices[link.a].ports[link.a_port].kind.index

        assert down.keys() == up.keys() == ends
        assert {told.oid for told in down.values()} == {LINK_DOWN}
        assert {told.oid for told in up.values()} == {LINK_UP}
        told = dict(down[lab.address(link.a)].bindings)
        assert told[f"{ENTRY}.1.{index}"] == index
        assert (told[f"{ENTRY}.7.{index}"], told[f"{ENTRY}.8.{index}"]) == (1, 2)
