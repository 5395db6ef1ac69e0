"""What stands behind devices."""

from uuid import UUID

from controlplane.maintenance import dependants


def ids(text: str) -> set[UUID]:
    return {UUID(int=ord(letter)) for letter in text}


def behind(devices: str, **parents: str) -> set[UUID]:
    return dependants.behind(ids(devices), {UUID(int=ord(d)): ids(p) for d, p in parents.items()})


def test_a_chain_is_behind_its_head() -> None:
    """Everything below a device that has no other way, however deep."""
    assert behind("a", b="a", c="b", d="c", x="y") == ids("bcd")


def test_another_way_is_no_dependence() -> None:
    """A device of two ways is behind only when both are worked on."""
    ways = {"c": "ab", "d": "c"}
    assert behind("a", **ways) == set()
    assert behind("ab", **ways) == ids("cd")


def test_two_ways_that_meet_again_above() -> None:
    """A diamond below one device is all behind it."""
    assert behind("a", b="a", c="a", d="bc") == ids("bcd")


def test_a_ring_ends() -> None:
    """Devices that name each other are behind nothing but what cuts all their ways."""
    assert behind("a", b="ac", c="b") == set()
