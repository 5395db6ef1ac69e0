import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.running import Stack, eventually, running_stack

LAB_DEVICES = 12


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """Give the stack with the lab, once every lab device is up in Prometheus."""
    # Not in pytest's own folder: as root, PostgreSQL runs under an account that every other run of
    # pytest shuts out of there.
    with (
        tempfile.TemporaryDirectory(prefix="chm-e2e-") as folder,
        running_stack(Path(folder), "--demo") as stack,
    ):
        eventually(lambda: len(stack.up()) >= LAB_DEVICES, 90, "every lab device up")
        yield stack
