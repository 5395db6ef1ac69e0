"""`chm up` where it cannot start: one clear line, exit code 2, nothing left running."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.settings import Settings
from controlplane.stack import services
from tests.e2e.running import SERVICES, free_ports

CHM = Path(sys.executable).with_name("chm")


@pytest.fixture
def data() -> Iterator[Path]:
    """Give a data folder that PostgreSQL's own account can reach, too."""
    with tempfile.TemporaryDirectory(prefix="chm-up-") as folder:
        yield Path(folder)


def refused(data: Path, **environment: str) -> str:
    """Run `chm up` and give the one line it ends with."""
    ports = zip(SERVICES, free_ports(len(SERVICES)), strict=True)
    chosen = {f"CHM_{service.upper()}_PORT": str(port) for service, port in ports}
    env = {**os.environ, **chosen, "CHM_DATA": str(data), **environment}
    ended = subprocess.run([CHM, "up"], env=env, capture_output=True, text=True, timeout=90)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not list(data.glob("run/*.pid"))
    return ended.stderr


def test_a_port_in_use(data: Path) -> None:
    """A taken port is named, with the service that wants it and the setting that moves it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        line = refused(data, CHM_ALERTMANAGER_PORT=port)

    assert line.startswith(
        f"chm: port {port} on 127.0.0.1 for alertmanager: address already in use"
    )
    assert "CHM_ALERTMANAGER_PORT" in line


def test_a_missing_program(data: Path) -> None:
    """Where Prometheus and Alertmanager are missing, nothing is started."""
    line = refused(data, PATH="/nowhere")

    assert line.startswith("chm: alertmanager is not on the PATH")
    assert not (data / "postgres").exists()


def test_a_folder_that_cannot_be_written() -> None:
    """A data folder on a file system that takes no files is named."""
    assert refused(Path("/proc/chm")).startswith("chm: the data folder /proc/chm (CHM_DATA) cannot")


def test_a_database_that_will_not_start(data: Path) -> None:
    """A cluster of another version, or a broken one: PostgreSQL's own last words are the error."""
    (data / "postgres").mkdir()
    (data / "postgres" / "PG_VERSION").write_text("9\n")

    line = refused(data)

    assert line.startswith("chm: postgres ended with exit code")
    assert f"{data}/logs/postgres.log" in line


def test_a_bad_setting(data: Path) -> None:
    """A setting that makes no sense is named before anything is started."""
    line = refused(data, CHM_SCRAPE_INTERVAL="soon")

    assert "scrape_interval" in line
    assert not (data / "postgres").exists()


def test_a_setting_that_rules_cannot_have(data: Path) -> None:
    """An interval beyond what Prometheus looks back is refused with its name."""
    assert "scrape_interval is 300.0" in refused(data, CHM_SCRAPE_INTERVAL="300")


def test_grafana_is_started_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a grafana on the PATH the stack runs it with the shipped configuration."""
    program = tmp_path / "bin" / "grafana"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))

    settings = services.with_grafana(Settings(data=tmp_path, grafana_port=3999))
    service = services.grafana(settings)

    assert service is not None
    assert service.argv[:2] == (str(program), "server")
    (config,) = (a.removeprefix("--config=") for a in service.argv if a.startswith("--config="))
    assert Path(config).is_file()
    provisioning = Path(service.environment["GF_PATHS_PROVISIONING"])
    assert sorted(p.name for p in provisioning.iterdir()) == ["dashboards", "datasources"]
    assert service.environment["CHM_DASHBOARDS"] == str(tmp_path / "grafana" / "dashboards")
    assert service.url == "http://127.0.0.1:3999"
    password = Path(service.environment["GF_SECURITY_ADMIN_PASSWORD__FILE"])
    chosen = password.read_text()
    assert len(chosen) == 24
    assert password.stat().st_mode & 0o077 == 0
    services.grafana(settings)
    assert password.read_text() == chosen, "the password is chosen once"
