"""Guessing passwords: slower and slower, and in nobody else's way."""

import asyncio
from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from controlplane.auth import throttle
from controlplane.auth.permissions import Role
from controlplane.errors import TooMany
from tests.controlplane.conftest import PASSWORD, Login, Sessions

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


async def attempt(sessions: Sessions, account: str, address: str, device: str = "") -> float:
    """Try to log in and fail; give the seconds to wait before one may try, or 0."""
    async with sessions.begin() as session:
        try:
            await throttle.check(session, account, address, device)
        except TooMany as refused:
            return refused.retry_after or 0
    return 0


async def log_in_from(sessions: Sessions, account: str, address: str, device: str = "") -> float:
    wait = await attempt(sessions, account, address, device)
    if not wait:
        async with sessions.begin() as session:
            await throttle.succeeded(session, account, address, device)
    return wait


async def pass_time(sessions: Sessions, passed: timedelta) -> None:
    """Let time pass for everything that is counted."""
    async with sessions.begin() as session:
        await session.execute(
            text(
                "UPDATE login_attempts SET free_at = free_at - CAST(:passed AS interval),"
                " succeeded_at = succeeded_at - CAST(:passed AS interval)"
            ),
            {"passed": passed},
        )


async def exhaust(sessions: Sessions, account: str, address: str = "203.0.113.{}") -> None:
    for number in range(throttle.FREE_OF_ACCOUNT):
        assert not await attempt(sessions, account, address.format(number))


async def test_an_account_is_guessed_ever_more_slowly(sessions: Sessions) -> None:
    """From wherever the guesses come: after five, each next one waits twice as long."""
    await exhaust(sessions, "admin")
    waits = []
    for number in range(100, 112):
        wait = await attempt(sessions, "admin", f"203.0.113.{number}")
        waits.append(round(wait))
        await pass_time(sessions, timedelta(seconds=wait))
        assert not await attempt(sessions, "admin", f"203.0.113.{number}")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_an_address_guesses_no_faster_with_many_accounts(sessions: Sessions) -> None:
    """One password tried on many accounts is counted where it comes from; a /64 is one place."""
    addresses = [f"2001:db8:0:1::{number:x}" for number in range(throttle.FREE_OF_CLIENT)]
    for number, address in enumerate(addresses):
        assert not await attempt(sessions, f"user{number}", address)
    assert await attempt(sessions, "another", "2001:db8:0:1:ffff::1")
    assert not await attempt(sessions, "another", "2001:db8:0:2::1")


async def test_whoever_is_known_is_not_locked_out(sessions: Sessions) -> None:
    """A client that logged in before logs in again, whatever strangers do to the account."""
    assert not await log_in_from(sessions, "admin", HERE)
    await exhaust(sessions, "admin")
    assert await attempt(sessions, "admin", ELSEWHERE)

    assert not await log_in_from(sessions, "admin", HERE)
    assert await attempt(sessions, "admin", ELSEWHERE), "and strangers still wait"


async def test_a_known_client_does_not_guess_for_ever(sessions: Sessions) -> None:
    """Its own count holds up whoever sits down at that client."""
    await log_in_from(sessions, "admin", HERE)
    for _ in range(throttle.FREE_OF_CLIENT):
        assert not await attempt(sessions, "admin", HERE)
    assert await attempt(sessions, "admin", HERE)


async def test_a_device_is_known_behind_a_shared_address(sessions: Sessions) -> None:
    """With a cookie of the device, an attacker in the same office locks nobody out either."""
    assert not await log_in_from(sessions, "admin", HERE, "cookie-of-the-admin")
    for number in range(throttle.FREE_OF_CLIENT):
        await attempt(sessions, f"user{number}", HERE)
    await exhaust(sessions, "admin")
    assert await attempt(sessions, "admin", HERE, "another-cookie")
    assert not await log_in_from(sessions, "admin", HERE, "cookie-of-the-admin")


async def test_an_attempt_that_nobody_looked_at_was_none(sessions: Sessions) -> None:
    """A flood that keeps the hashes busy locks nobody out who comes in vain meanwhile."""
    for _ in range(throttle.FREE_OF_CLIENT + 2):
        assert not await attempt(sessions, "stranger", HERE)
        async with sessions.begin() as session:
            await throttle.forgive(session, "stranger", HERE)
    assert not await log_in_from(sessions, "known", HERE)
    for _ in range(throttle.FREE_OF_CLIENT + 2):
        assert not await attempt(sessions, "known", HERE)
        async with sessions.begin() as session:
            await throttle.forgive(session, "known", HERE)


async def test_an_account_of_ones_own_buys_no_guesses(sessions: Sessions) -> None:
    """Logging in between guesses does not reset the count of the address."""
    await log_in_from(sessions, "attacker", HERE)
    guesses = 0
    while guesses < 100 and not await attempt(sessions, f"victim{guesses}", HERE):
        guesses += 1
        assert not await log_in_from(sessions, "attacker", HERE)
    assert guesses == throttle.FREE_OF_CLIENT


async def test_guesses_at_once_are_counted_at_once(sessions: Sessions) -> None:
    """Forty guesses in the same moment are five guesses and thirty-five refusals."""
    waits = await asyncio.gather(
        *(attempt(sessions, "admin", f"203.0.113.{number}") for number in range(40))
    )
    assert sum(not wait for wait in waits) == throttle.FREE_OF_ACCOUNT


async def test_failures_are_forgotten(sessions: Sessions) -> None:
    """A day without one, and the count begins anew; what counts no more is removed."""
    await exhaust(sessions, "admin")
    await pass_time(sessions, throttle.FORGOTTEN + timedelta(minutes=1))
    await exhaust(sessions, "admin")
    await pass_time(sessions, throttle.FORGOTTEN + timedelta(minutes=1))
    await log_in_from(sessions, "somebody", HERE)
    async with sessions() as session:
        count = (await session.execute(text("SELECT count(*) FROM login_attempts"))).scalar_one()
    assert count == 3, "the account, the address and the client of the login"


async def test_what_was_tried_is_not_stored(sessions: Sessions) -> None:
    """A password typed where the name goes is not in the table."""
    await attempt(sessions, "my-s3cret-password", HERE)
    async with sessions() as session:
        rows = (await session.execute(text("SELECT * FROM login_attempts"))).all()
    assert "s3cret" not in repr(rows)
    assert HERE not in repr(rows)


@pytest.mark.parametrize("name", ["viewer", "nobody"])
async def test_the_answer_says_when_and_not_whether(
    anonymous: AsyncClient, log_in: Login, name: str
) -> None:
    """An account that is there and one that is not are refused alike: 429 and when to come back."""
    await log_in(Role.VIEWER)
    answers = [
        await anonymous.post("/api/v1/auth/login", json={"name": name, "password": f"{PASSWORD}!"})
        for _ in range(throttle.FREE_OF_ACCOUNT + 1)
    ]
    assert [a.status_code for a in answers] == [401] * throttle.FREE_OF_ACCOUNT + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert (
        answers[-1].json()["detail"] == "too many failed attempts to log in; wait, then try again"
    )
