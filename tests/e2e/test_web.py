"""The control plane as a server: what only the real process can show."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.running import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_the_server_does_not_introduce_itself(stack: Stack) -> None:
    """No answer names the software or its version, not even to what is no HTTP."""
    answer = httpx.get(f"{stack.url('controlplane')}/health")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_headers_are_bounded(stack: Stack) -> None:
    """A request with more of them than it needs is refused, and the next one is served."""
    url = f"{stack.url('controlplane')}/health"
    # Hardly more than is read: a server that closes on the rest takes its answer back with it.
    answer = httpx.get(url, headers={"X-Long": "x" * 65_536})
    assert answer.status_code == 431
    assert httpx.get(url).status_code == 200


def test_nobody_claims_to_be_another(stack: Stack) -> None:
    """Without a trusted proxy X-Forwarded-For changes nothing: the count is that of the address."""
    url = f"{stack.url('controlplane')}/api/v1/auth/me"

    def left(number: int) -> int:
        answer = httpx.get(url, headers={"X-Forwarded-For": f"192.0.2.{number}"})
        return int(answer.headers["ratelimit"].split("r=")[1].split(";")[0])

    with ThreadPoolExecutor(20) as pool:  # faster than what is left grows again
        found = set(pool.map(left, range(40)))
    assert len(found) > 1, "each would have as much left as the others"
