from datetime import UTC, datetime

import httpx
import pytest

from controlplane.clients.prometheus import (
    Answer,
    LoadedRule,
    NotRunning,
    Prometheus,
    Refused,
    Sample,
    fake,
)
from controlplane.errors import Unavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_vector_comes_as_samples() -> None:
    """Each series of an instant query is one sample with its labels."""
    data = {"resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [12.5, "0.1"]}]}

    samples = await fake({"/api/v1/query": Answer(data)}).query("up", NOW)

    assert samples == (Sample({"a": "b"}, 12.5, 0.1),)


async def test_scalar_comes_as_a_sample_without_labels() -> None:
    """A scalar is a sample of no series."""
    data = {"resultType": "scalar", "result": [1, "+Inf"]}

    assert await fake({"/api/v1/query": Answer(data)}).query("1/0") == (
        Sample({}, 1.0, float("inf")),
    )


async def test_other_results_are_refused() -> None:
    """An expression that gives a string or a matrix has no instant vector."""
    with pytest.raises(Refused, match="string"):
        await fake({"/api/v1/query": Answer({"resultType": "string", "result": []})}).query("'x'")


async def test_rules_come_as_values() -> None:
    """The groups that Prometheus runs come with the labels and the health of their rules."""
    rule = {
        "name": "x",
        "type": "recording",
        "query": "vector(1)",
        "health": "err",
        "lastError": "boom",
    }
    group = {"name": "g", "file": "/f.yml", "interval": 15, "evaluationTime": 0.1, "rules": [rule]}

    (loaded,) = await fake({"/api/v1/rules": Answer({"groups": [group]})}).rules()

    assert loaded.rules == (LoadedRule("x", "recording", "vector(1)", {}, "err", "boom"),)


async def test_refusal_carries_the_reason() -> None:
    """What Prometheus says against a query reaches the reader."""
    answer = Answer(status=400, text='{"status": "error", "error": "parse error: unexpected"}')

    with pytest.raises(Refused, match="parse error: unexpected"):
        await fake({"/api/v1/query": answer}).query("((")


async def test_starting_prometheus_is_not_running() -> None:
    """A Prometheus that replays its log is not there yet, and that is no refusal."""
    starting = {
        path: Answer(status=503, text="Service Unavailable")
        for path in ("/-/ready", "/-/reload", "/api/v1/rules")
    }

    assert not await fake(starting).ready()
    with pytest.raises(NotRunning):
        await fake(starting).reload()
    with pytest.raises(NotRunning):
        await fake(starting).rules()


@pytest.mark.parametrize(
    ("problem", "kind"),
    [(httpx.ConnectError("no"), NotRunning), (httpx.ReadTimeout("slow"), Unavailable)],
)
async def test_silence_is_unavailable(
    problem: httpx.TransportError, kind: type[Unavailable]
) -> None:
    """No answer is an error of its own, apart from nobody listening."""
    with pytest.raises(kind) as error:
        await fake({"/api/v1/rules": problem}).rules()
    assert type(error.value) is kind


async def test_something_else_at_the_address_is_said() -> None:
    """A web page at the address of Prometheus is not taken for an answer."""
    with pytest.raises(Unavailable, match="not Prometheus"):
        await fake({"/api/v1/rules": Answer(text="<html>")}).rules()


async def test_nothing_listens() -> None:
    """A real refused connection is `NotRunning`."""
    async with Prometheus.at("http://127.0.0.1:1") as client:
        with pytest.raises(NotRunning):
            await client.rules()
