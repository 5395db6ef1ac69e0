"""The services of the stack: how each is started, for given settings."""

import os
import secrets
import shutil
import sys
from pathlib import Path

import controlplane
from controlplane import files
from controlplane.errors import ConfigurationError
from controlplane.settings import Settings
from controlplane.stack.service import Service, answers, at_once

PASSWORD_BYTES = 18  # 144 random bits, 24 characters
GRAFANA = "grafana"
# Rules make garbage, and Go's collector reads all that Prometheus holds for each round of it: with
# twice the room there are half the rounds (decision 26).
COLLECTION = "200"
DEBIAN_ALERTMANAGER = "prometheus-alertmanager"  # what Debian calls the program


def controlplane_api(settings: Settings) -> Service:
    """Give the API, UI and service discovery."""
    return Service(
        "controlplane",
        (_script("chm"), "serve"),
        answers(f"{settings.controlplane_url}/health"),
        url=settings.public_url,
        environment=settings.environment(),
    )


def worker(settings: Settings) -> Service:
    """Give the process that does the long and the periodic work."""
    argv = (_script("chm"), "worker")
    return Service("worker", argv, at_once, environment=settings.environment())


def exporter(settings: Settings) -> Service:
    """Give the exporter, fed by our control plane."""
    url = f"http://{settings.host}:{settings.exporter_port}"
    cache = settings.data.absolute() / "exporter" / "snapshot"
    cache.parent.mkdir(mode=0o700, exist_ok=True)
    return Service(
        "exporter",
        (
            _script("chm-exporter"),
            f"--web.listen-address={settings.host}:{settings.exporter_port}",
            f"--controlplane.url={settings.controlplane_url}",
            f"--controlplane.token-file={settings.token_file('exporter').absolute()}",
            f"--verify.token-file={settings.verify_token_file.absolute()}",
            f"--inventory.cache={cache}",
            f"--traps.listen-address={settings.host}:{settings.traps_port}",
            f"--alertmanager.url={settings.alertmanager_url}",
            f"--controlplane.public-url={settings.public_url}",
        ),
        answers(f"{url}/-/healthy"),
        url=url,
    )


def prometheus(settings: Settings) -> Service:
    """Give Prometheus with our rules; it keeps `settings.retention` of samples."""
    folder = settings.prometheus_folder.absolute()
    return Service(
        "prometheus",
        (
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={(settings.data / 'tsdb').absolute()}",
            f"--storage.tsdb.retention.time={settings.retention}",
            f"--web.listen-address={settings.host}:{settings.prometheus_port}",
            f"--web.external-url={settings.prometheus_public_url}",
            "--web.route-prefix=/",
            "--web.enable-lifecycle",
        ),
        answers(f"{settings.prometheus_url}/-/ready"),
        url=settings.prometheus_url,
        environment={"GOGC": os.environ.get("GOGC", COLLECTION)},
    )


def alertmanager(settings: Settings) -> Service:
    """Give Alertmanager with our routes; alone, so without a cluster port."""
    folder = settings.prometheus_folder.absolute()
    return Service(
        "alertmanager",
        (
            program("alertmanager", DEBIAN_ALERTMANAGER),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={(settings.data / 'alertmanager').absolute()}",
            f"--web.listen-address={settings.host}:{settings.alertmanager_port}",
            f"--web.external-url={settings.alertmanager_public_url}",
            "--web.route-prefix=/",
            # When it is killed it knows whom it told, and what is silenced, as it wrote it last.
            "--data.maintenance-interval=5s",
            "--cluster.listen-address=",
        ),
        answers(f"{settings.alertmanager_url}/-/ready"),
        url=settings.alertmanager_url,
    )


def grafana(settings: Settings) -> Service | None:
    """Give Grafana with our dashboards, or nothing where no grafana is on the PATH."""
    found = shutil.which(GRAFANA)
    if found is None:
        return None
    shipped = Path(controlplane.__file__).parents[1] / "grafana"
    home = next(
        (
            str(p)
            for p in (Path("/usr/share/grafana"), Path(found).resolve().parents[1])
            if p.is_dir()
        ),
        "",
    )
    return Service(
        "grafana",
        (found, "server", f"--homepath={home}", f"--config={shipped / 'grafana.ini'}"),
        answers(f"http://{settings.host}:{settings.grafana_port}/api/health"),
        url=settings.grafana_url,
        environment={
            "GF_SERVER_HTTP_ADDR": settings.host,
            "GF_SERVER_HTTP_PORT": str(settings.grafana_port),
            "GF_SERVER_ROOT_URL": settings.grafana_url,
            "GF_PATHS_DATA": str((settings.data / "grafana").absolute()),
            "GF_PATHS_LOGS": str((settings.data / "grafana" / "log").absolute()),
            "GF_SECURITY_ADMIN_PASSWORD__FILE": str(_grafana_password(settings)),
            "GF_PATHS_PROVISIONING": str(shipped / "provisioning"),
            "CHM_PROMETHEUS_URL": settings.prometheus_url,
            "CHM_DASHBOARDS": str(settings.dashboards_folder.absolute()),
        },
    )


def with_grafana(settings: Settings) -> Settings:
    """Say where people reach the Grafana that would be started, unless the operator has said."""
    if settings.grafana_url or shutil.which(GRAFANA) is None:
        return settings
    url = f"http://{settings.host}:{settings.grafana_port}"
    return settings.model_copy(update={"grafana_url": url})


def grafana_password_file(settings: Settings) -> Path:
    """Name the file of the password with which Grafana makes its admin at its first start."""
    return (settings.data / "grafana" / "admin.password").absolute()


def _grafana_password(settings: Settings) -> Path:
    file = grafana_password_file(settings)
    if not file.exists():
        files.replace(file, secrets.token_urlsafe(PASSWORD_BYTES).encode(), files.PRIVATE)
    return file


def lab(settings: Settings) -> Service:
    """Give the simulated network."""
    url = f"http://127.0.0.1:{settings.lab_http_port}"
    return Service(
        "lab",
        (
            *(sys.executable, "-m", "lab", "serve"),
            f"--http=127.0.0.1:{settings.lab_http_port}",
            f"--snmp-port={settings.lab_snmp_port}",
            f"--traps=127.0.0.1:{settings.traps_port}",
        ),
        answers(f"{url}/-/healthy"),
        url=url,
    )


def program(*names: str) -> str:
    """Find one of these programs on the PATH, or say what is missing and how to get it."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise ConfigurationError(
        f"{names[0]} is not on the PATH: `make up` gets it on Debian and Ubuntu, elsewhere install"
        f" it from your distribution or its project's releases"
    )


def _script(name: str) -> str:
    """Find a program of our own: beside this Python first, then on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if os.access(beside, os.X_OK) else program(name)
