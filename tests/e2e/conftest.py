from collections.abc import Iterator

import pytest

from tests.e2e.running import Stack, eventually, running_stack

LAB_DEVICES = 12


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the stack with the lab, once every lab device is up in Prometheus."""
    with running_stack(tmp_path_factory.mktemp("stack"), "--demo") as stack:
        eventually(lambda: len(stack.up()) >= LAB_DEVICES, 90, "every lab device up")
        yield stack
