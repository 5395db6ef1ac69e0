from dataclasses import replace

import pytest

from lab import platforms
from lab.ber import gauge32, integer, octets, oid
from lab.platforms.platform import Platform, Reading

CATALOGUE = platforms.catalogue()
CISCO, JUNIPER = CATALOGUE["catalyst-9300-48p"], CATALOGUE["mx240"]
ARISTA, HP = CATALOGUE["dcs-7050sx-64"], CATALOGUE["procurve-2530-48g"]
ALL = pytest.mark.parametrize("platform", CATALOGUE.values(), ids=CATALOGUE)


# A vendor that bought another has the numbers of both.
ENTERPRISES = {
    "Arista": {30065},
    "Aruba": {14823, 47196},
    "Cisco": {9},
    "Dell": {674, 6027},
    "Extreme": {1588, 1916, 2272},
    "HPE": {11},
    "Juniper": {2636},
    "Ruckus": {1991},
    "net-snmp": {8072},
}


def healthy(platform: Platform) -> Reading:
    return Reading(
        uptime=1e6,
        cpu_percent=12,
        memory_used=0.5,
        temperature=platform.temperature,
        fans=(True,) * platform.fans,
        power_supplies=(True,) * platform.power_supplies,
        modules=(True,) * platform.modules,
    )


@ALL
def test_identifiers_are_of_the_vendor(platform: Platform) -> None:
    """Every platform identifies itself below an enterprise number of its vendor."""
    assert platform.sys_object_id[:6] == (1, 3, 6, 1, 4, 1)
    assert platform.sys_object_id[6] in ENTERPRISES[platform.vendor]


@ALL
def test_indexes_and_names_are_unique(platform: Platform) -> None:
    """No two ports or parts of a platform share an index."""
    ports = [port.index for port in platform.ports]
    parts = [1, *(part.index for part in platform.parts())]

    assert len(set(ports)) == len(ports)
    assert len(set(parts)) == len(parts)
    assert {part.contained_in for part in platform.parts()} <= set(parts)


@ALL
def test_objects_are_answered_once(platform: Platform) -> None:
    """A platform answers no object twice."""
    names = [name for name, _ in platform.health(healthy(platform))]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("platform", "change", "name", "before", "after"),
    [
        (CISCO, {"cpu_percent": 97}, "1.3.6.1.4.1.9.9.109.1.1.1.1.7.1", gauge32(12), gauge32(97)),
        (CISCO, {"temperature": 90}, "1.3.6.1.4.1.9.9.13.1.3.1.3.1030", gauge32(31), gauge32(90)),
        (CISCO, {"temperature": 90}, "1.3.6.1.4.1.9.9.13.1.3.1.6.1030", integer(1), integer(3)),
        (
            CISCO,
            {"fans": (True, False, True)},
            "1.3.6.1.4.1.9.9.13.1.4.1.3.1012",
            integer(1),
            integer(3),
        ),
        (
            CISCO,
            {"power_supplies": (False, True)},
            "1.3.6.1.4.1.9.9.13.1.5.1.3.1021",
            integer(1),
            integer(3),
        ),
        (
            JUNIPER,
            {"cpu_percent": 97},
            "1.3.6.1.4.1.2636.3.1.13.1.8.9.1.0.0",
            gauge32(12),
            gauge32(97),
        ),
        (
            JUNIPER,
            {"temperature": 90},
            "1.3.6.1.4.1.2636.3.1.13.1.7.7.3.0.0",
            gauge32(42),
            gauge32(90),
        ),
        (
            JUNIPER,
            {"fans": (False, True, True)},
            "1.3.6.1.4.1.2636.3.1.13.1.6.4.1.1.0",
            integer(2),
            integer(6),
        ),
        (
            JUNIPER,
            {"power_supplies": (True, False)},
            "1.3.6.1.4.1.2636.3.1.13.1.6.2.2.0.0",
            integer(2),
            integer(6),
        ),
        (
            JUNIPER,
            {"power_supplies": (True, False)},
            "1.3.6.1.4.1.2636.3.1.15.1.8.2.2.0.0",
            integer(6),
            integer(8),
        ),
        (
            JUNIPER,
            {"power_supplies": (True, False)},
            "1.3.6.1.4.1.2636.3.4.2.2.1.0",
            integer(2),
            integer(3),
        ),
        (ARISTA, {"cpu_percent": 97}, "1.3.6.1.2.1.25.3.3.1.2.2", integer(12), integer(97)),
        (
            ARISTA,
            {"temperature": 90},
            "1.3.6.1.2.1.99.1.1.1.4.100006001",
            integer(460),
            integer(900),
        ),
        (
            ARISTA,
            {"fans": (False, True, True, True)},
            "1.3.6.1.2.1.99.1.1.1.4.100601111",
            integer(7600),
            integer(0),
        ),
        (
            ARISTA,
            {"power_supplies": (True, False)},
            "1.3.6.1.2.1.131.1.1.1.3.100711002",
            integer(3),
            integer(2),
        ),
        (
            HP,
            {"cpu_percent": 97},
            "1.3.6.1.4.1.11.2.14.11.5.1.9.6.1.0",
            integer(12),
            integer(97),
        ),
        (HP, {"temperature": 90}, "1.3.6.1.4.1.11.2.14.11.1.2.6.1.4.3", integer(4), integer(2)),
        (
            HP,
            {"temperature": 90},
            "1.3.6.1.4.1.11.2.14.11.1.2.8.1.1.3.0",
            octets("29C"),
            octets("90C"),
        ),
        (HP, {"fans": (False,)}, "1.3.6.1.4.1.11.2.14.11.1.2.6.1.4.1", integer(4), integer(2)),
        (
            HP,
            {"power_supplies": (False,)},
            "1.3.6.1.4.1.11.2.14.11.1.2.6.1.4.2",
            integer(4),
            integer(2),
        ),
    ],
)
def test_health_shows_under_the_objects_of_the_vendor(
    platform: Platform, change: dict[str, object], name: str, before: bytes, after: bytes
) -> None:
    """What happens to a device can be read where its vendor puts it."""
    well = healthy(platform)
    ill = replace(well, **change)  # type: ignore[arg-type]

    assert dict(platform.health(well))[oid(name)] == before
    assert dict(platform.health(ill))[oid(name)] == after
