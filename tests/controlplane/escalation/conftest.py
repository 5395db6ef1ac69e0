"""Channels that are there, without a service at their other end."""

from collections.abc import Iterable

import pytest

from controlplane.notifications.models import Channel
from tests.controlplane.conftest import Sessions

CHANNELS = ("pager", "boss", "ann", "bobs-pager")


@pytest.fixture(autouse=True)
async def channels(sessions: Sessions) -> Iterable[str]:
    """Make the channels that tests name."""
    async with sessions.begin() as session:
        for name in CHANNELS:
            session.add(
                Channel(
                    name=name,
                    options={},
                    secret_names=[],
                    key_version=0,
                    data_key=b"",
                    sealed=b"",
                )
            )
    return CHANNELS
