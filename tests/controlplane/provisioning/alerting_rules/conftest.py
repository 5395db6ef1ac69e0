"""The Prometheus that the application asks, for tests of rules."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from controlplane.clients import prometheus
from controlplane.clients.prometheus import Answer

NOTHING = Answer({"resultType": "vector", "result": []})


@pytest.fixture(autouse=True)
def empty_prometheus(app: FastAPI) -> Iterator[None]:
    """Let the application ask one that has no series; a test that wants samples brings its own."""
    before = app.state.prometheus
    app.state.prometheus = prometheus.fake({"/api/v1/query": NOTHING})
    yield
    app.state.prometheus = before
