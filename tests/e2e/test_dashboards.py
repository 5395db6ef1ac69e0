"""Every query of every dashboard, asked of the real Prometheus."""

import json

import httpx
import pytest

import dashboards
from dashboards.queries import Expression, expressions
from tests.e2e.running import Stack, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

BOARDS = dashboards.render()
QUERIES = [
    (board, e) for board, text in BOARDS.items() for e in expressions(text, {"device": "core1"})
]


def silent(stack: Stack) -> list[str]:
    """Name the panels whose queries are refused, or find nothing though nothing excuses that."""
    return [f"{b}: {e.panel}: {e.expr}" for b, e in QUERIES if not _answers(stack, e)]


def _answers(stack: Stack, expression: Expression) -> bool:
    url = f"{stack.url('prometheus')}/api/v1/query"
    answer = httpx.post(url, data={"query": expression.expr}, timeout=20)
    assert answer.is_success, f"{expression.panel}: {answer.text}"
    return bool(answer.json()["data"]["result"] or expression.empty)


def test_every_query_returns_data(stack: Stack) -> None:
    """No panel of a dashboard is empty on a network that works, unless it says why it may be."""
    eventually(lambda: not silent(stack), 120, f"data for {json.dumps(silent(stack), indent=1)}")
