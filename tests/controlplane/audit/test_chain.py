"""The chain of the audit log, as pure computation."""

from datetime import UTC, datetime

import pytest

from controlplane.audit import chain
from controlplane.audit.chain import START, Head

KEY = b"k" * 32
ENTRY = {"action": "data.create", "at": datetime(2026, 1, 1, tzinfo=UTC), "after": {"b": 1, "a": 2}}


def test_the_order_of_fields_means_nothing() -> None:
    """One entry has one canonical form, however its fields are ordered."""
    shuffled = {"after": {"a": 2, "b": 1}, "at": ENTRY["at"], "action": "data.create"}
    assert chain.canonical(ENTRY) == chain.canonical(shuffled)


@pytest.mark.parametrize(
    ("key", "before", "entry"),
    [
        (b"x" * 32, START, ENTRY),
        (KEY, "1" * 64, ENTRY),
        (KEY, START, {**ENTRY, "action": "data.delete"}),
        (KEY, START, {**ENTRY, "after": {"a": 2, "b": 2}}),
    ],
)
def test_the_code_depends_on_everything(key: bytes, before: str, entry: dict[str, object]) -> None:
    """Another key, another predecessor or another entry has another code."""
    assert chain.mac(key, before, entry) != chain.mac(KEY, START, ENTRY)


def test_entries_are_numbered_from_the_head_on() -> None:
    """Each appended entry follows the one before, without a gap."""
    first, second = chain.append(KEY, Head(7, "a" * 64), [ENTRY, ENTRY])
    assert (first["seq"], second["seq"]) == (8, 9)
    assert second["mac"] == chain.mac(KEY, first["mac"], second)
