"""Comparisons with recordings run where a folder of recordings is given."""

import pytest

from exporter.profiles.loader import Configuration
from tests.fidelity import recordings
from tests.fidelity.observation import shipped

collect_ignore = [] if recordings.given() else ["test_recordings.py"]


@pytest.fixture(scope="session")
def configuration() -> Configuration:
    return shipped()
