"""A PostgreSQL of one's own with the tables of the control plane, and programs beside it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import Signals

import psycopg

from controlplane import database
from controlplane.auth import keys
from controlplane.settings import Settings
from controlplane.stack import embedded

WAIT_SECONDS = 60


@contextmanager
def migrated() -> Iterator[Settings]:
    """Give the settings of an installation with keys and tables, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="chm-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as a user of its own
        settings = Settings(data=folder, management_networks="10.0.0.0/8", rate_service=0)
        for key in ("vault.key", "audit.key"):
            keys.ensure(settings.secrets / key)
        with postgres(settings):
            database.migrate(settings)
            yield settings


@contextmanager
def postgres(settings: Settings) -> Iterator[None]:
    """Run the embedded PostgreSQL, from the moment it answers."""
    cluster = embedded.prepare(settings)
    server = embedded.service(cluster)
    with running(server.argv, server.stop, user=server.user):
        _wait_for(cluster.url)
        yield


@contextmanager
def running(
    command: Sequence[str],
    stop: Signals,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block, whatever ends it."""
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=nowhere, stderr=nowhere, user=user, env=env) as process:
        try:
            yield process
        finally:
            process.send_signal(stop)


def _wait_for(url: str) -> None:
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return
