"""The graph of parents."""

from controlplane.devices.parents import cycle


def test_a_tree_has_no_cycle() -> None:
    """Shared parents and several ways are no cycle."""
    assert cycle({"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}) is None


def test_a_cycle_is_found_from_anywhere() -> None:
    """The way begins and ends with the same device, without what merely leads there."""
    assert cycle({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}) == ["a", "b", "c", "a"]


def test_a_cycle_of_one() -> None:
    """A device that is its own parent."""
    assert cycle({"a": ["a"]}) == ["a", "a"]


def test_a_long_chain_is_no_problem() -> None:
    """Ten thousand devices in a row are searched without recursion."""
    chain = {f"d{i}": [f"d{i + 1}"] for i in range(10_000)}
    assert cycle(chain) is None
    assert len(cycle(chain | {"d10000": ["d0"]}) or ()) == 10_002
