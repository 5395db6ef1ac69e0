from pathlib import Path

import pytest

from exporter.profiles.loader import Configuration
from tests.fidelity import golden


@pytest.mark.parametrize("path", golden.recordings(), ids=lambda path: path.stem)
async def test_real_device_is_told_as_was_read_by_eye(
    path: Path, configuration: Configuration
) -> None:
    """What a real device answered becomes the samples that somebody has read and found right."""
    assert await golden.samples_of(path, configuration) == path.with_suffix(".prom").read_text()
