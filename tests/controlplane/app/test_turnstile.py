"""The way to the login, when many want to go it at once."""

import asyncio
from collections.abc import AsyncIterator, Callable

from httpx import AsyncClient

from controlplane.auth.passwords import THREADS, Passwords
from tests.controlplane.conftest import PASSWORD

LOGIN = "/api/v1/auth/login"
FLOOD = 60


async def test_a_flood_is_served_in_turns(
    anonymous: AsyncClient, equip: Callable[..., None], statements: list[str]
) -> None:
    """Whoever has a seat is answered, whoever has none is told to come back, and room returns."""
    seats = THREADS + 3
    passwords = Passwords(memory_kib=64, queue=3)
    equip(passwords=passwords)

    async def log_in(number: int) -> int:
        body = {"name": f"somebody{number}", "password": PASSWORD}
        response = await anonymous.post(LOGIN, json=body)
        if response.status_code == 503:
            assert int(response.headers["Retry-After"]) > 0
            assert response.json()["title"] == "Busy"
        return response.status_code

    answers = await asyncio.gather(*map(log_in, range(FLOOD)))

    assert sorted(answers) == [401] * seats + [503] * (FLOOD - seats)
    assert len([s for s in statements if "FROM users" in s]) == seats
    assert await log_in(FLOOD) == 401
    passwords.close()


async def test_who_sends_slowly_keeps_nobody_waiting(
    anonymous: AsyncClient, equip: Callable[..., None]
) -> None:
    """A seat is for a request that is here: slow bodies, however many, take none."""
    passwords = Passwords(memory_kib=64, queue=1 - THREADS)  # one seat
    equip(passwords=passwords)
    ended = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"name": "ann", '
        await ended.wait()
        yield b'"password": "a violin under eleven umbrellas"}'

    headers = {"Content-Type": "application/json"}
    sending = [
        asyncio.create_task(anonymous.post(LOGIN, content=slow(), headers=headers))
        for _ in range(3)
    ]
    await asyncio.sleep(0)
    quick = await anonymous.post(LOGIN, json={"name": "eve", "password": PASSWORD})
    ended.set()
    statuses = {response.status_code for response in await asyncio.gather(*sending)}

    assert quick.status_code == 401
    assert statuses <= {401, 503}
    passwords.close()
