from lab import traffic
from lab.ber import counter32, counter64, gauge32, octets
from lab.mibs import interfaces
from lab.mibs.interfaces import IF_ENTRY, IF_X_ENTRY
from lab.ports import Direction, Port, PortKind


def _port(index: int = 7, speed: int = 10_000) -> Port:
    kind = PortKind(index, f"Ethernet{index}", f"Ethernet{index}", speed)
    load = traffic.load("x", speed, 0.2)
    return Port(
        kind, "to core1", b"\0\x1c\x73\1\2\3", speed, cabled=True, up=True,
        into=Direction(load), out=Direction(load),
    )  # fmt: skip


def test_every_column_of_both_tables() -> None:
    """A port has all 22 columns of ifTable and all 19 of ifXTable."""
    answered = [name for name, _ in interfaces.rows([_port()])]

    assert {name[-2] for name in answered if name[:-2] == IF_ENTRY} == set(range(1, 23))
    assert {name[-2] for name in answered if name[:-2] == IF_X_ENTRY} == set(range(1, 20))


def test_narrow_counters_are_the_low_bits_of_the_wide_ones() -> None:
    """The Counter32 of a count is its Counter64 modulo 2^32."""
    port = _port()
    port.advance(0, 1_000_000)
    total = port.into.total_octets

    answered = dict(interfaces.rows([port]))

    assert total > 2**32
    assert answered[(*IF_X_ENTRY, 6, 7)] == counter64(total)
    assert answered[(*IF_ENTRY, 10, 7)] == counter32(total)


def test_speed_beyond_32_bits() -> None:
    """On a 10 Gbit/s port ifSpeed is at its maximum, and ifHighSpeed says the truth."""
    answered = dict(interfaces.rows([_port()]))

    assert answered[(*IF_ENTRY, 5, 7)] == gauge32(2**32 - 1)
    assert answered[(*IF_X_ENTRY, 15, 7)] == gauge32(10_000)


def test_names() -> None:
    """A port carries its name and what is at the other end of its cable."""
    answered = dict(interfaces.rows([_port()]))

    assert answered[(*IF_X_ENTRY, 1, 7)] == octets("Ethernet7")
    assert answered[(*IF_X_ENTRY, 18, 7)] == octets("to core1")
