"""What the exporter says of ports for rules, from the columns of IF-MIB."""

import pytest

from exporter.metrics import Family
from exporter.probe import ports

GIGABIT = 1_000_000_000


def block(index: int, *, first: str = "", last: str = "") -> str:
    labels = f'ifAlias="up, \\"x\\"",ifDescr="Port {index}",ifIndex="{index}",ifName="Gi{index}"'
    return f"{{{first}{labels}{last}}}"


def said(**columns: float | dict[int, float]) -> dict[str, float]:
    """Give the series about the ports of a device; a number is of port 1, which is up."""
    states = {"ifOperStatus": 1, "ifAdminStatus": 1}
    found = []
    for name, column in {**states, **columns}.items():
        rows = column if isinstance(column, dict) else {1: column}
        made = Family(name, "gauge", "", [block(index) for index in rows], list(rows.values()))
        found.append(made)
    return {
        made.name + one: number for made in ports.families(found) for one, number in made.samples
    }


def of(name: str, series: dict[str, float]) -> dict[str, float]:
    return {key.removeprefix(name): value for key, value in series.items() if key.startswith(name)}


def busy(series: dict[str, float]) -> dict[str, float]:
    return of("chm_interface_busy_seconds_total", series)


def test_states_are_said_of_ports_that_are_not_up() -> None:
    """A port that is up is no series; one that is switched off is none that is down."""
    found = said(
        ifOperStatus={1: 1, 2: 2, 3: 7, 4: 2, 5: 6},
        ifAdminStatus={1: 1, 2: 1, 3: 1, 4: 2},
    )

    assert found["chm_interfaces"] == 5
    assert of("chm_interface_down", found) == {block(2): 2, block(3): 7}
    assert of("chm_interface_disabled", found) == {block(4): 1}


def test_a_device_without_ports_says_nothing() -> None:
    """Nothing is known of ports where their states are missing, as after half a walk."""
    assert ports.families([Family("ifNumber", "gauge", "", [""], [4])]) == []


@pytest.mark.parametrize(
    ("speeds", "bits"),
    [
        ({"ifHighSpeed": 1000, "ifSpeed": GIGABIT}, GIGABIT),
        ({"ifHighSpeed": 10_000, "ifSpeed": 4_294_967_295}, 10 * GIGABIT),
        ({"ifHighSpeed": 0, "ifSpeed": 2 * GIGABIT}, 2 * GIGABIT),
        ({"ifSpeed": 64_000}, 64_000),
    ],
)
def test_speed_comes_from_if_high_speed_first(speeds: dict[str, float], bits: int) -> None:
    """The MIB's ifSpeed ends at 4.29 Gb/s: it counts only where ifHighSpeed says nothing."""
    found = busy(said(ifHCInOctets=1_000_000, **speeds))

    of_port = block(1, first='direction="in",', last=f',speed="{bits}"')
    assert found == {of_port: pytest.approx(8_000_000 / bits, abs=1e-6)}


@pytest.mark.parametrize("speeds", [{}, {"ifSpeed": 0}, {"ifHighSpeed": 0, "ifSpeed": 0}])
def test_without_a_speed_nothing_is_full(speeds: dict[str, float]) -> None:
    """A port that has no speed has no share of it."""
    assert busy(said(ifHCInOctets=1000, **speeds)) == {}


def test_counters_of_32_bits_are_the_fallback() -> None:
    """They count where a port has none of 64 bits."""
    found = busy(
        said(
            ifOperStatus={1: 1, 2: 1},
            ifHighSpeed={1: 1000, 2: 1000},
            ifHCOutOctets={2: GIGABIT},
            ifOutOctets={1: GIGABIT, 2: 1},
        )
    )

    assert set(found.values()) == {8}
    assert len(found) == 2


@pytest.mark.parametrize(("state", "counts"), [(1, 1), (4, 1), (5, 1), (2, 0), (6, 0), (7, 0)])
def test_a_port_without_a_link_counts_nothing(state: int, counts: int) -> None:
    """What it counted before it was down stands still, and is not read."""
    found = said(ifOperStatus=state, ifHCInOctets=8, ifSpeed=1, ifInErrors=8, ifInUcastPkts=1)

    assert len(busy(found)) == counts
    assert len(of("chm_interface_errors_total", found)) == counts
    assert len(of("chm_interface_packets_total", found)) == counts


def test_bad_packets_are_said_where_there_are_any() -> None:
    """Packets are counted in the direction in which some were damaged or dropped, and no other."""
    names = ("Ucast", "Multicast", "Broadcast")
    packets = {f"ifHC{way}{name}Pkts": 10.0 for way in ("In", "Out") for name in names}
    bad = {"ifInErrors": 0, "ifInDiscards": 3, "ifOutErrors": 0, "ifOutDiscards": 0}
    found = said(**packets, **bad, ifInUcastPkts=7)

    assert of("chm_interface_errors_total", found) == {}
    assert of("chm_interface_discards_total", found) == {block(1, first='direction="in",'): 3}
    assert of("chm_interface_packets_total", found) == {block(1, first='direction="in",'): 30}
