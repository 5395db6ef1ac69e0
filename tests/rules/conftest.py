"""The order of these tests: what all of them have shown comes last."""

import pytest

LAST = "test_life.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that sum up behind all others."""
    items.sort(key=lambda item: item.path.name == LAST)
