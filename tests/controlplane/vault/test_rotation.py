"""A new key for the vault while everything runs, and records that somebody tampered with."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import text
from typer.testing import CliRunner

from controlplane.app import create_app
from controlplane.auth.keys import ensure
from controlplane.auth.permissions import Permission
from controlplane.cli import command_line
from controlplane.credentials import queries, service
from controlplane.settings import Settings
from controlplane.vault import Place, Vault, ring, rotation
from controlplane.vault.ring import Files
from tests.controlplane.conftest import Service, Sessions

SNAPSHOT = "/api/v1/exporter/snapshot"
CREDENTIALS = "/api/v1/credentials"
COUNT = 12


@pytest.fixture
def keys(settings: Settings) -> Files:
    """Give the ring of files that the running application uses."""
    found = ring.from_settings(settings)
    assert isinstance(found, Files)
    return found


@pytest.fixture
async def inventory(client: AsyncClient) -> AsyncClient:
    """Give an admin's client, and twelve devices with a credential each."""
    names = [f"c{number}" for number in range(COUNT)]
    document = {
        "credentials": [{"name": n, "version": 2, "community": f"s3cret-{n}"} for n in names],
        "devices": [{"name": f"d-{n}", "address": "192.0.2.1", "credentials": [n]} for n in names],
    }
    (await client.post("/api/v1/devices/import", json=document)).raise_for_status()
    return client


@pytest.fixture
async def replica(settings: Settings, sessions: Sessions) -> AsyncIterator[FastAPI]:
    """Give a second control plane on the same database and folder of keys."""
    assert sessions
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


def of(app: FastAPI, client: AsyncClient) -> AsyncClient:
    """Give the same client, at another control plane."""
    return AsyncClient(
        transport=ASGITransport(app),
        base_url="http://chm.test",
        headers=client.headers,
        event_hooks=client.event_hooks,
    )


async def over_and_over(
    request: Callable[[int], Awaitable[Response]], answers: list[Response], ended: asyncio.Event
) -> None:
    number = 0
    while not ended.is_set():
        answers.append(await request(number))
        number += 1


async def test_rotation_under_load(
    inventory: AsyncClient, service: Service, replica: FastAPI, keys: Files, sessions: Sessions
) -> None:
    """Three new keys while two control planes read and write: no failed request, no lost secret."""
    exporter = await service(Permission.SNAPSHOT_READ)
    elsewhere, writer = of(replica, exporter), of(replica, inventory)
    answers, ended = list[Response](), asyncio.Event()

    def write(client: AsyncClient, stem: str) -> Callable[[int], Awaitable[Response]]:
        def patch(number: int) -> Awaitable[Response]:
            body = {"community": f"s3cret-{stem}-{number}"}
            return client.patch(f"{CREDENTIALS}/c{number % COUNT}", json=body)

        return patch

    load = [
        asyncio.create_task(over_and_over(request, answers, ended))
        for request in (
            lambda _: exporter.get(SNAPSHOT),
            lambda _: elsewhere.get(SNAPSHOT),
            write(inventory, "here"),
            write(writer, "there"),
        )
    ]
    first = keys.current()
    wrapped = 0
    for _ in range(3):
        keys.activate()
        done, broken = await rotation.rewrap(sessions, Vault(Files(keys.folder)))
        assert not broken
        wrapped += done
        before = len(answers)
        while len(answers) < before + 20:
            await asyncio.sleep(0.01)
    ended.set()
    await asyncio.gather(*load)
    await rotation.rewrap(sessions, Vault(Files(keys.folder)))

    assert {answer.status_code for answer in answers} == {200}
    assert wrapped >= COUNT
    async with sessions() as session:
        assert (await rotation.census(session)).keys() == {first + 3}
        assert await rotation.unreadable(session, Vault(Files(keys.folder))) == []
    auths = (await exporter.get(SNAPSHOT)).json()["auths"]
    assert auths == (await elsewhere.get(SNAPSHOT)).json()["auths"]
    assert all(auth["community"].startswith("s3cret-") for auth in auths.values())
    for used in (elsewhere, writer):
        await used.aclose()


async def test_a_rotation_that_was_cut_short_goes_on(
    inventory: AsyncClient, keys: Files, sessions: Sessions
) -> None:
    """Half of the rows are under the new key; the next run does the other half only."""
    assert inventory
    keys.activate()
    vault = Vault(Files(keys.folder))
    async with sessions.begin() as session:
        [count] = (await rotation.census(session)).values()
        for name in ("c1", "c2", "c3"):
            row = (await session.scalars(queries.by_name(name))).one()
            place = Place("credentials", row.id)
            row.key_version, row.data_key = vault.rewrap(place, row.key_version, row.data_key)
    assert await rotation.rewrap(sessions, vault) == (count - 3, [])
    assert await rotation.rewrap(sessions, vault) == (0, [])


def altered(column: str) -> str:
    flipped = f"set_byte({column}, 20, get_byte({column}, 20) # 1)"
    return f"UPDATE credentials SET {column} = {flipped} WHERE name = 'c3'"  # noqa: S608 - of this test


SWAPPED = (
    "UPDATE credentials a SET community = b.community FROM credentials b"
    " WHERE a.name IN ('c3', 'c4') AND b.name IN ('c3', 'c4') AND a.name <> b.name"
)
MOVED = (
    "UPDATE credentials a SET key_version = b.key_version, data_key = b.data_key,"
    " community = b.community FROM credentials b WHERE a.name = 'c3' AND b.name = 'c4'"
)
ANOTHER_FIELD = "UPDATE credentials SET password = community, community = NULL WHERE name = 'c3'"
ANOTHER_VERSION = "UPDATE credentials SET key_version = 99 WHERE name = 'c3'"
CASES = {
    "a flipped bit of a secret": (altered("community"), {"c3"}),
    "a flipped bit of a data key": (altered("data_key"), {"c3"}),
    "two secrets swapped": (SWAPPED, {"c3", "c4"}),
    "a row moved to another record": (MOVED, {"c3"}),
    "a secret moved to another field": (ANOTHER_FIELD, {"c3"}),
    "another version of the key": (ANOTHER_VERSION, {"c3"}),
}


@pytest.mark.parametrize(("statement", "broken"), CASES.values(), ids=CASES.keys())
async def test_tampering_is_refused_and_reported(  # noqa: PLR0917 - fixtures
    inventory: AsyncClient,
    service: Service,
    sessions: Sessions,
    app: FastAPI,
    caplog: pytest.LogCaptureFixture,
    statement: str,
    broken: set[str],
) -> None:
    """Only the record at fault is left out, somebody is told, and every other device goes on."""
    async with sessions.begin() as session:
        await session.execute(text(statement))
        await session.execute(text("UPDATE changes SET counter = counter + 1"))
    exporter = await service(Permission.SNAPSHOT_READ)

    snapshot = (await exporter.get(SNAPSHOT)).json()
    whole = {f"c{number}" for number in range(COUNT)} - broken
    assert snapshot["auths"].keys() == whole
    assert snapshot["devices"].keys() == {f"d-{name}" for name in whole}
    health = (await inventory.get("/health")).json()
    assert health["status"] == "ok"
    assert f": {len(broken)} credentials do not open" in health["warnings"][0]
    metrics = (await inventory.get("/metrics")).text
    assert f"chm_vault_unreadable_credentials {len(broken)}.0" in metrics
    assert 'chm_vault_refusals_total{table="credentials"}' in metrics
    async with sessions() as session:
        found = await rotation.unreadable(session, app.state.vault)
        rows = {row.name: row.id for row in await session.scalars(queries.named(broken))}
    assert {record.id for record in found} == set(rows.values())
    assert all(str(id_) in caplog.text for id_ in rows.values())

    part = await inventory.patch(f"{CREDENTIALS}/c3", json={"version": 1})
    assert part.status_code == 409
    assert "s3cret" not in part.text + caplog.text
    assert (await inventory.get(f"{CREDENTIALS}/c3")).status_code == 200
    assert (await inventory.patch(f"{CREDENTIALS}/c5", json={"version": 1})).status_code == 200

    for name in broken:
        whole_again = {"community": f"s3cret-{name}", "password": None}
        mended = await inventory.patch(f"{CREDENTIALS}/{name}", json=whole_again)
        assert mended.status_code == 200, mended.text
    assert len((await exporter.get(SNAPSHOT)).json()["devices"]) == COUNT
    assert (await inventory.get("/health")).json()["warnings"] == []


async def test_without_any_key_the_exporter_keeps_what_it_has(
    inventory: AsyncClient, service: Service, sessions: Sessions
) -> None:
    """Where nothing opens the fault is the key's: an error, never a snapshot without secrets."""
    assert inventory
    async with sessions.begin() as session:
        await session.execute(text("UPDATE credentials SET key_version = 99"))
        await session.execute(text("UPDATE changes SET counter = counter + 1"))
    exporter = await service(Permission.SNAPSHOT_READ)
    assert (await exporter.get(SNAPSHOT)).status_code == 503


def test_the_command_knows_every_sealed_table() -> None:
    """In a process of its own, which imports less than these tests do, no table is forgotten."""
    code = (
        "import controlplane.cli.vault; from controlplane.vault import rotation;"
        "print(*(table.name for table in rotation.tables()))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.split() == [table.name for table in rotation.tables()], run.stderr
    assert "credentials" in run.stdout


class TestCommands:
    """`chm vault`, in a data folder of its own on the same database."""

    @pytest.fixture
    def chm(
        self, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., tuple[int, Any]]:
        """Give a function that runs a command, and gives its exit code and what it printed."""
        assert settings.database_url is not None
        monkeypatch.setenv("CHM_DATABASE_URL", settings.database_url.get_secret_value())
        monkeypatch.setenv("CHM_DATA", str(tmp_path))
        ring.ensure(Settings(data=tmp_path))
        ensure(tmp_path / "secrets" / "audit.key")

        def run(*arguments: str, given: str = "") -> tuple[int, Any]:
            result = CliRunner().invoke(command_line(), [*arguments], input=given)
            return result.exit_code, json.loads(result.stdout or "null") or result.exception

        return run

    async def test_rotate_and_retire(
        self, chm: Callable[..., tuple[int, Any]], sessions: Sessions, tmp_path: Path
    ) -> None:
        """A key is retired when nothing is under it, and not before."""
        assert sessions

        def work() -> None:
            add = ("credential", "add", "lab", "--json")
            assert chm(*add, given="s3cret\n")[0] == 0
            code, status = chm("vault", "status", "--json")
            assert (code, status["keys"]) == (0, [{"version": 1, "state": "wraps", "records": 1}])
            assert chm("vault", "rotate", "--prepare")[1] == {"prepared": 2}
            assert "1 is the one" in chm("vault", "retire", "1")[1].detail
            assert chm("vault", "rotate")[1] == {"key": 2, "wrapped": 1, "unreadable": []}
            assert "2 is the one" in chm("vault", "retire", "2")[1].detail
            assert chm("vault", "retire", "1")[1] == {"retired": 1}
            assert chm("vault", "status")[1]["keys"] == [
                {"version": 2, "state": "wraps", "records": 1}
            ]

        await asyncio.to_thread(work)
        assert [p.name for p in (tmp_path / "secrets").glob("vault*")] == ["vault.2.key"]
        vault = Vault(Files(tmp_path / "secrets"))
        async with sessions() as session:
            told = "SELECT object_name FROM audit_entries WHERE action = 'security.key.rotated'"
            assert list(await session.scalars(text(f"{told} ORDER BY seq"))) == ["2", "1"]
            row = (await session.scalars(queries.by_name("lab"))).one()
        assert service.opened(vault, row) == {"version": 2, "community": "s3cret"}

    async def test_status_names_what_does_not_open(
        self, chm: Callable[..., tuple[int, Any]], inventory: AsyncClient
    ) -> None:
        """Records under another vault's key: each is named, and the exit code is 1."""
        assert inventory
        code, status = await asyncio.to_thread(chm, "vault", "status")
        assert code == 1
        of_credentials = [line for line in status["unreadable"] if " credentials " in line]
        assert len(of_credentials) == COUNT
