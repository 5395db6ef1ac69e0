"""Rate limits that replicas share."""

import asyncio

from sqlalchemy import text

from controlplane.limits.buckets import Buckets, Limit, Standing
from tests.controlplane.conftest import Sessions

WRITE = Limit("write", 60, share=5)


async def granted(buckets: Buckets, limit: Limit, client: str, count: int) -> int:
    taken = [await buckets.take(limit, client) for _ in range(count)]
    return sum(standing.retry_after is None for standing in taken)


async def pass_time(sessions: Sessions, seconds: float) -> None:
    async with sessions.begin() as session:
        passed = "UPDATE rate_limits SET busy_until = busy_until - make_interval(secs => :seconds)"
        await session.execute(text(passed), {"seconds": seconds})


async def test_a_minute_has_so_many_requests(sessions: Sessions) -> None:
    """They may come at once; the next one is told when, and another client is not concerned."""
    buckets = Buckets(sessions)
    assert await granted(buckets, WRITE, "192.0.2.1", 100) == 60
    refused = await buckets.take(WRITE, "192.0.2.1")
    assert refused.retry_after is not None
    assert 0 < refused.retry_after <= 1
    assert await granted(buckets, WRITE, "192.0.2.2", 1) == 1
    assert await granted(buckets, Limit("read", 60), "192.0.2.1", 1) == 1


async def test_replicas_share_a_limit(sessions: Sessions) -> None:
    """Two control planes on one database grant together what one would, whoever is asked."""
    one, other = Buckets(sessions), Buckets(sessions)
    counts = await asyncio.gather(
        *(granted(buckets, WRITE, "192.0.2.1", 20) for buckets in (one, other) * 4)
    )
    assert sum(counts) == 60


async def test_time_pays_for_requests(sessions: Sessions) -> None:
    """After ten seconds there are ten more, not sixty."""
    assert await granted(Buckets(sessions), WRITE, "192.0.2.1", 61) == 60
    await pass_time(sessions, 10)
    assert await granted(Buckets(sessions), WRITE, "192.0.2.1", 61) == 10


async def test_what_is_left_is_told(sessions: Sessions) -> None:
    """The remaining count falls by one with each request, across grants."""
    buckets = Buckets(sessions)
    standings: list[Standing] = [await buckets.take(WRITE, "192.0.2.1") for _ in range(12)]
    assert [standing.remaining for standing in standings] == list(range(59, 47, -1))


async def test_a_busy_client_costs_few_statements(sessions: Sessions) -> None:
    """Ten requests are two statements, and refusals are none until the time has come."""
    buckets = Buckets(sessions)
    assert await granted(buckets, WRITE, "192.0.2.1", 10) == 10
    assert buckets._statements == 2
    await granted(buckets, WRITE, "192.0.2.1", 51)
    asked = buckets._statements
    assert await granted(buckets, WRITE, "192.0.2.1", 20) == 0
    assert buckets._statements == asked
