"""What a login tells and costs: the time of a refusal, and a flood of 200 logins at once.

A control plane of its own on a PostgreSQL of its own; every request comes from another address, as
a proxy would report it, so that the brakes on guessing do not end the measurement.
"""

import asyncio
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from itertools import count
from pathlib import Path
from signal import SIGTERM
from subprocess import PIPE

import httpx
import psycopg

from bench._installation import WAIT_SECONDS, postgres, running
from controlplane.settings import Settings

TRIES = 200
FLOOD = 200
PORT = 18731
USER, PASSWORD = "bench", "a violin under eleven umbrellas"
LOGIN = "/api/v1/auth/login"
HEALTH_BOUND = 0.1
# Two hashes at once, and what 200 requests that wait take beside them.
MEMORY_BOUND_MIB = 2 * 64 + 32

addresses = (f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in count(1))


@contextmanager
def installation(folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a control plane with options of `chm serve`, and end it."""
    settings = Settings(data=folder, controlplane_port=PORT)
    environment = {
        **os.environ,
        **settings.environment(),
        "CHM_TRUSTED_PROXIES": "127.0.0.1/32",
        "CHM_RATE_LOGIN": "0",
        "CHM_RATE_READ": "0",
    }
    chm = [sys.executable, "-c", "from controlplane.cli import main; main()"]
    with postgres(settings):
        subprocess.run([*chm, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
        given = f"{PASSWORD}\n{PASSWORD}\n".encode()
        add = [*chm, "user", "add", USER]
        subprocess.run(add, env=environment, check=True, stdout=subprocess.DEVNULL, input=given)
        with running([*chm, "serve", *options], SIGTERM, env=environment) as serve:
            yield serve


@asynccontextmanager
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the control plane, once it answers."""
    limits = httpx.Limits(max_connections=None)
    base = f"http://127.0.0.1:{PORT}"
    async with httpx.AsyncClient(
        base_url=base, timeout=120, limits=limits, trust_env=False
    ) as client:
        for _ in range(WAIT_SECONDS * 10):
            try:
                if (await client.get("/health")).is_success:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        yield client


async def attempt(client: httpx.AsyncClient, name: str, password: str) -> tuple[int, float]:
    """Log in; give the status and the seconds it took."""
    headers = {"X-Forwarded-For": next(addresses)}
    body = {"name": name, "password": password}
    started = time.perf_counter()
    response = await client.post(LOGIN, json=body, headers=headers)
    return response.status_code, time.perf_counter() - started


async def timing(client: httpx.AsyncClient, database: str) -> None:
    """Compare the refusals of a wrong password and of an unknown name, in turns."""
    known: list[float] = []
    unknown: list[float] = []
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        for number in range(TRIES):
            for name, times in ((USER, known), (f"nobody{number}", unknown)):
                # An account that is guessed at has to wait, whatever the address: forget it.
                await connection.execute("DELETE FROM login_attempts")
                status, seconds = await attempt(client, name, "wrong")
                if status != HTTPStatus.UNAUTHORIZED:
                    raise SystemExit(f"a wrong password was answered with {status}")
                times.append(seconds)
    for what, times in (("wrong password", known), ("unknown name", unknown)):
        middle, spread = statistics.median(times), statistics.quantiles(times, n=4)
        print(
            f"{what}: median {middle * 1e3:.2f} ms, quartiles {spread[0] * 1e3:.2f}"
            f" and {spread[2] * 1e3:.2f} ms, {len(times)} tries"
        )
    chance, z = ranks(known, unknown)
    print(
        f"chance that an unknown name takes longer: {chance:.3f} (0.5: nobody can tell), z={z:+.2f}"
    )


def ranks(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Give the chance that one of the second is larger, and its z (Mann and Whitney, 1947)."""
    larger = sum(b > a for a in first for b in second)
    n, m = len(first), len(second)
    deviation = (n * m * (n + m + 1) / 12) ** 0.5
    return larger / (n * m), (larger - n * m / 2) / deviation


async def flood(client: httpx.AsyncClient, pid: int) -> None:
    """Log in FLOOD times at once, and look at memory and health meanwhile."""
    before = resident(pid)
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.logins", "health"), stdin=PIPE, stdout=PIPE
    )
    if watching.stdout is not None:
        await watching.stdout.readline()  # it has begun
    logins = [asyncio.create_task(attempt(client, f"somebody{n}", PASSWORD)) for n in range(FLOOD)]
    peak = before
    while not all(login.done() for login in logins):
        peak = max(peak, resident(pid))
        await asyncio.sleep(0.05)
    statuses = [status for status, _ in await asyncio.gather(*logins)]
    told, _ = await watching.communicate(b"\n")
    answered = [float(seconds) for seconds in told.split()]
    counted = {status: statuses.count(status) for status in sorted(set(statuses))}
    print(f"{FLOOD} logins at once: {counted} (503: come back later)")
    print(f"memory: {before:.0f} MiB before, {peak:.0f} MiB at most, bound +{MEMORY_BOUND_MIB} MiB")
    slowest = max(answered)
    print(
        f"health meanwhile: median {statistics.median(answered) * 1e3:.1f} ms,"
        f" slowest {slowest * 1e3:.1f} ms of {len(answered)}, bound {HEALTH_BOUND * 1e3:.0f} ms"
    )
    if peak - before > MEMORY_BOUND_MIB or slowest > HEALTH_BOUND:
        raise SystemExit("a bound is broken")


def health() -> None:
    """Ask for health until a line comes in, and print the seconds that each answer took.

    In a process of its own: the one that floods is too busy to tell when an answer came.
    """
    print("begun", flush=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=WAIT_SECONDS) as client:
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            started = time.perf_counter()
            client.get("/health").raise_for_status()
            print(time.perf_counter() - started)


def resident(pid: int) -> float:
    """Give the resident memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def main(folder: Path) -> None:
    """Measure both."""
    with installation(folder) as serve:
        database = (folder / "secrets" / "database.url").read_text(encoding="utf-8").strip()
        async with browser() as client:
            await attempt(client, USER, PASSWORD)  # the first login makes the key that signs
            await timing(client, database)
            await flood(client, serve.pid)


if __name__ == "__main__":
    if sys.argv[1:] == ["health"]:
        health()
    else:
        with tempfile.TemporaryDirectory(prefix="chm-logins-") as temporary:
            Path(temporary).chmod(0o755)  # PostgreSQL runs as an account of its own
            asyncio.run(main(Path(temporary)))
