"""How fast lists are: 10,000 devices, 50 people at once, each page, filter, search and cursor.

A control plane of its own (`chm serve --workers 2`) on a PostgreSQL of its own, asked by whoever
sees everything and by somebody with a site and all below it, and a tag.

PostgreSQL vacuums and analyses what was filled, by itself and once, which takes a core for some
seconds; the first question is asked after that.

The load: 50 clients on connections they keep, each of whom looks at an answer for a second before
it asks again. Beside it stands what the same 50 get who never wait: then the machine is the limit,
and the time is 50 divided by the requests a second; and what CPU time a request takes of those who
serve, of PostgreSQL, and of this program, which does no more than write it and count the bytes of
the answer. On a machine that has other work only the CPU times tell something.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import select

from bench.imports import DEVICES, inventory
from bench.logins import LOGIN, PASSWORD, PORT, USER, browser, installation
from controlplane import database
from controlplane.audit import session as audited
from controlplane.auth import keys
from controlplane.auth.actor import ScopeKind, shell
from controlplane.auth.passwords import Passwords
from controlplane.auth.permissions import Role
from controlplane.auth.roles.models import Grant
from controlplane.devices.addresses import Reach
from controlplane.devices.models import Site
from controlplane.settings import Settings
from controlplane.transfer import service
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources.draft import Given
from controlplane.users import service as users
from controlplane.vault import Vault, ring

WORKERS = 2
CLIENTS = 50
THINK_SECONDS = 1.0
SECONDS, CLOSED_SECONDS = 4.0, 1.5
BOUND_MS = 50.0  # of the 95th percentile, with people who think
SPREAD = random.Random(1)  # noqa: S311 - it spreads requests over time
GUEST, GUEST_TAG, GUEST_SITE = "guest", "edge", "site-1"

D = "/api/v1/devices"
QUERIES = {
    "devices, first page": D,
    "devices, names alone": f"{D}?fields=name,address",
    "devices, offset 5,000": f"{D}?offset=5000",
    "devices, by vendor and role": f"{D}?vendor=Cisco&role__in=access,core",
    "devices, of a site": f"{D}?site=site-11",
    "devices, one of two tags": f"{D}?tag__in=edge,lab",
    "devices, of a group": f"{D}?group=eleven",
    "devices, name__ic": f"{D}?name__ic=ice-77",
    "devices, q with many": f"{D}?q=cisco",
    "devices, q with few": f"{D}?q=sn-07777",
    "devices, q with none": f"{D}?q=nowhere",
    "devices, by time, newest": f"{D}?ordering=-updated_at",
    "devices, first cursor": f"{D}?cursor=",
    "interfaces, first page": "/api/v1/interfaces",
    "interfaces, of a device": f"{D}/device-100/interfaces",
    "interfaces, of a site": "/api/v1/interfaces?site=site-11",
    "interfaces, not monitored": "/api/v1/interfaces?monitored=no",
    "interfaces, that are down": "/api/v1/interfaces?oper_status=down",
    "interfaces, by name": "/api/v1/interfaces?ordering=name",
    "interfaces, q": "/api/v1/interfaces?q=desk-7777-7",
    "interfaces, first cursor": "/api/v1/interfaces?cursor=",
    "sites": "/api/v1/sites",
    "groups": "/api/v1/device-groups",
    "alerts that fire": "/api/v1/alerts?status=firing",
    "alerts, q": "/api/v1/alerts?q=site-11",
}
EVERYWHERE = {  # what takes a right on everything
    "audit log, newest": "/api/v1/audit",
    "audit log, of an object": "/api/v1/audit?object_name=device-77",
    "people": "/api/v1/users",
}
FACTS = """
INSERT INTO device_facts (device_id, vendor, model, os_version, serial, sys_name, profile,
  first_seen, last_seen)
SELECT id, 'Cisco', 'C9300-48P', '17.9.4', 'SN-0' || substr(name, 8), name || '.example.net',
  'cisco_ios', now(), now()
FROM devices
"""
INTERFACES = """
INSERT INTO interfaces (id, device, name, index, alias, type, speed, mac, admin_status,
  oper_status, first_seen, last_seen, description, importance, monitored, version, updated_at)
SELECT gen_random_uuid(), name, 'Gi1/0/' || n, n, 'desk-' || substr(name, 8) || '-' || n,
  'ethernetCsmacd', 1000000000, '00:00:00:00:00:00', 'up', CASE WHEN n % 12 = 0 THEN 'down'
  ELSE 'up' END, now(), now(), '', 'normal', CASE WHEN n = 24 THEN 'no' ELSE 'auto' END, 1, now()
FROM devices, generate_series(1, 24) n
"""
ALERTS = """
INSERT INTO alerts (id, fingerprint, status, state, alertname, severity, device, site, labels,
  annotations, starts_at, ends_at, received_at, tellings, silenced_by, inhibited_by,
  acknowledged_by, ack_comment, assignee, made_by, device_id)
SELECT gen_random_uuid(), md5(n::text), CASE WHEN n % 20 = 0 THEN 'firing' ELSE 'resolved' END,
  CASE WHEN n % 20 = 0 THEN 'active' ELSE 'resolved' END, 'DeviceDown', 'critical',
  'device-' || n % 10000, 'site-' || n % 100, '{}', '{"summary": "It does not answer."}',
  now() - n * interval '1 minute',
  CASE WHEN n % 20 = 0 THEN NULL ELSE now() - n * interval '1 minute' END, now(), '{}', '[]',
  '[]', '', '', '', '', devices.id FROM generate_series(1, 20000) n
  LEFT JOIN devices ON devices.name = 'device-' || n % 10000
"""
GROUP = """
INSERT INTO device_groups (id, name, description, site_id, roles, vendors, tags_any, tags_all,
  pattern, version, created_at, updated_at)
SELECT gen_random_uuid(), 'eleven', '', id, '{access}', '{}', '{lab}', '{}', 'device-*', 1, now(),
  now() FROM sites WHERE name = 'site-1'
"""


UNSETTLED = """
SELECT relname FROM pg_stat_user_tables WHERE relname IN ('devices', 'device_facts', 'interfaces',
  'alerts') AND (last_autovacuum IS NULL OR last_autoanalyze IS NULL)
"""
PATIENCE = 300.0  # seconds


async def fill(settings: Settings) -> None:
    """Fill the database: devices, what they tell, alerts, a group, and a guest with two grants."""
    engine = database.connect(settings)
    sessions = audited.sessions(engine, keys.load(settings.secrets / "audit.key"))
    vault, reach = Vault(ring.from_settings(settings)), Reach.of(settings)
    document = inventory()
    for number, device in enumerate(document["devices"]):
        device["tags"] = [GUEST_TAG if number % 50 == 0 else "gold", "lab"]
    given = Given(document)
    passwords = Passwords()
    async with sessions.begin() as session:
        report = await service.load(session, shell(), vault, reach, given, ImportQuery())
        if report.errors:
            raise SystemExit(report.errors[0].message)
        for statement in (FACTS, INTERFACES, ALERTS, GROUP):
            await session.execute(text(statement))
        site = (await session.scalars(select(Site).where(Site.name == GUEST_SITE))).one()
        guest = await users.add(session, GUEST, await passwords.hash(PASSWORD))
        admin = await users.get(session, USER)
        grants = (
            (admin.id, Role.ADMIN, ScopeKind.EVERYTHING, ""),
            (guest.id, Role.VIEWER, ScopeKind.SITE, str(site.id)),
            (guest.id, Role.VIEWER, ScopeKind.TAG, GUEST_TAG),
        )
        for user, role, scope, value in grants:
            session.add(Grant(user_id=user, role=role, scope=scope, value=value))
    passwords.close()
    await settled(engine)
    await engine.dispose()


async def settled(engine: AsyncEngine) -> None:
    """Wait until PostgreSQL has vacuumed and analysed what is new to it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        async with engine.connect() as connection:
            tables = list(await connection.scalars(text(UNSETTLED)))
        if not tables:
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"not vacuumed within {PATIENCE:g} s: {', '.join(tables)}")
        await asyncio.sleep(1)


@dataclass(frozen=True)
class Caller:
    """Somebody who asks, and the token they show."""

    name: str
    token: str

    async def ask(self, address: str, times: list[float], ends: float, think: float) -> None:
        """Ask on one connection until the end; note the milliseconds of each answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        request = f"GET {address} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}"
        content = f"{request}\r\n\r\n".encode()
        await asyncio.sleep(SPREAD.uniform(0, think))
        while time.perf_counter() < ends:
            started = time.perf_counter()
            writer.write(content)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(line.lower().partition(b": ")[::2] for line in head.split(b"\r\n")[1:])
            await reader.readexactly(int(lines[b"content-length"]))
            times.append((time.perf_counter() - started) * 1e3)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{address}: {head.decode()}")
            await asyncio.sleep(SPREAD.uniform(0.5, 1.5) * think)
        writer.close()

    async def load(self, address: str, seconds: float, think: float) -> list[float]:
        """Have all clients ask; give the milliseconds of every answer."""
        times: list[float] = []
        ends = time.perf_counter() + seconds
        await asyncio.gather(*(self.ask(address, times, ends, think) for _ in range(CLIENTS)))
        return times


@dataclass(frozen=True)
class Cpu:
    """The CPU time of those who serve, of PostgreSQL, and of this program."""

    serve: int
    postgres: int

    def spent(self) -> tuple[float, float, float]:
        """Give the seconds so far, of processes with those they started."""
        return _seconds(self.serve), _seconds(self.postgres), time.process_time()


def _seconds(root: int) -> float:
    """Give the CPU seconds of a process and all below it (proc(5), /proc/pid/stat)."""
    spent, found = 0.0, {root}
    stats = [_stat(file) for file in Path("/proc").glob("[0-9]*/stat")]
    for pid, parent, ticks in sorted(filter(None, stats)):  # a process is younger than its parent
        if pid in found or parent in found:
            found.add(pid)
            spent += ticks / os.sysconf("SC_CLK_TCK")
    return spent


def _stat(file: Path) -> tuple[int, int, int] | None:
    try:
        content = file.read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None  # it has ended meanwhile
    fields = content.rpartition(")")[2].split()
    ticks = sum(map(int, fields[11:15]))  # its own, and of those it started that have ended
    return int(file.parent.name), int(fields[1]), ticks


def _postmaster(settings: Settings) -> int:
    """Give the process id of the server of PostgreSQL, as it leaves it in its folder."""
    file = settings.data / "postgres" / "postmaster.pid"
    return int(file.read_text(encoding="utf-8").split()[0])


async def log_in(client: httpx.AsyncClient, name: str) -> Caller:
    """Log somebody in; the token is good for minutes."""
    response = await client.post(LOGIN, json={"name": name, "password": PASSWORD})
    if response.status_code != HTTPStatus.OK:
        raise SystemExit(response.text)
    return Caller(name, response.json()["access_token"])


async def measure(client: httpx.AsyncClient, serve: Cpu, name: str, chosen: Sequence[str]) -> bool:
    """Print the table of one caller; say whether all bounds are kept."""
    addresses = QUERIES | (EVERYWHERE if name == USER else {})
    print(f"\n{name}: {CLIENTS} clients, {THINK_SECONDS:g} s between answer and request")
    print(
        f"{'':28}{'median ms':>10}{'p95 ms':>9}   without waiting: {'1/s':>5}{'p95 ms':>9}", end=""
    )
    print("   CPU ms a request: served  stored  asked")
    kept = True
    for what, address in addresses.items():
        if chosen and not any(part in what for part in chosen):
            continue
        caller = await log_in(client, name)
        await caller.load(address, 0.3, 0)
        times = await caller.load(address, SECONDS, THINK_SECONDS)
        before = serve.spent()
        closed = await caller.load(address, CLOSED_SECONDS, 0)
        spent = [
            (after - at) / len(closed) * 1e3
            for at, after in zip(before, serve.spent(), strict=True)
        ]
        middle, high = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        rate, worst = len(closed) / CLOSED_SECONDS, statistics.quantiles(closed, n=20)[-1]
        missed = "" if high <= BOUND_MS else f"  over {BOUND_MS:g} ms"
        print(f"{what:28}{middle:10.1f}{high:9.1f}   {'':16}{rate:6.0f}{worst:9.1f}", end="")
        print(f"   {'':18}{spent[0]:6.1f}  {spent[1]:6.1f} {spent[2]:6.1f}{missed}", flush=True)
        kept = kept and high <= BOUND_MS
    return kept


async def main(folder: Path, chosen: Sequence[str]) -> None:
    """Measure as both callers; leave with an error where a bound is missed."""
    settings = Settings(data=folder, management_networks="10.0.0.0/8")
    with installation(folder, "--workers", str(WORKERS)) as serve:
        async with browser() as client:
            await fill(settings)
            print(f"{DEVICES} devices; {WORKERS} processes serve, on {os.cpu_count()} cores that")
            print("they share with PostgreSQL and with this program, which asks")
            print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
            cpu = Cpu(serve.pid, _postmaster(settings))
            kept = [await measure(client, cpu, name, chosen) for name in (USER, GUEST)]
    if not all(kept):
        raise SystemExit("a bound is missed")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="chm-lists-") as temporary:
        Path(temporary).chmod(0o755)  # PostgreSQL runs as an account of its own
        asyncio.run(main(Path(temporary), sys.argv[1:]))
