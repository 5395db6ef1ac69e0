from collections.abc import Collection

from exporter.metrics import Family, family
from exporter.probe.neighbors import Neighbors

KNOWN = ("edge1", "core1", "core2", 'odd "one\\', "10.0.0.1")


def told(*pairs: tuple[str, str]) -> list[Family]:
    """Give what a probe has of neighbours: ports with what is at them."""
    made = family("chm_neighbor_info")
    for interface, neighbor in pairs:
        hostile = ',interface="Gi9",neighbor="core2"'
        labels = {"interface": interface, "protocol": "lldp", "neighbor": neighbor}
        made.add(1, {**labels, "neighbor_interface": hostile})
    return [made]


def noted(*pairs: tuple[str, str], known: Collection[str] = KNOWN) -> Neighbors:
    """Give what is remembered of a probe of edge1."""
    made = Neighbors(most=3)
    made.note("edge1", told(*pairs), known, 0)
    return made


def test_names() -> None:
    """A neighbour is a device of its name, or of its name without the domain."""
    pairs = (("Gi1", "core1"), ("Gi2", "core2.example.net"), ("Gi3", 'odd "one\\'))
    found = noted(*pairs)

    assert [found.at("edge1", port, 1) for port in ("Gi1", "Gi2", "Gi3", "Gi9")] == [
        ["core1"],
        ["core2"],
        ['odd "one\\'],
        [],
    ]
    assert found.at("core1", "Gi1", 1) == []


def test_strangers() -> None:
    """What is no device of the inventory is not remembered: a phone, or an address cut short."""
    found = noted(("Gi1", "phone"), ("Gi2", "10.example.net"), ("Gi3", "10.0.0.1"))

    assert [found.at("edge1", port, 1) for port in ("Gi1", "Gi2", "Gi3")] == [[], [], ["10.0.0.1"]]


def test_an_hour() -> None:
    """A port keeps its neighbour for an hour after that was last told of."""
    found = noted(("Gi1", "core1"), ("Gi2", "core2"))
    found.note("edge1", told(("Gi2", "core2")), KNOWN, 1800)

    assert [found.at("edge1", port, 3599) for port in ("Gi1", "Gi2")] == [["core1"], ["core2"]]
    assert [found.at("edge1", port, 3601) for port in ("Gi1", "Gi2")] == [[], ["core2"]]
    found.note("edge1", told(), KNOWN, 5401)
    assert not found._told


def test_bounds() -> None:
    """Of a device so many neighbours are remembered, the last first; of one that is gone none."""
    found = noted(*((f"Gi{port}", "core1") for port in range(3)))
    found.note("edge1", told(("Gi7", "core1")), KNOWN, 1)
    found.note("core1", told(("Gi1", "edge1")), KNOWN, 1)

    assert [bool(found.at("edge1", f"Gi{port}", 2)) for port in (7, 0, 1, 2)] == [
        True,
        True,
        True,
        False,
    ]
    found.note("core1", told(("Gi1", "edge1")), ("core1",), 2)
    assert found.at("edge1", "Gi7", 3) == []
