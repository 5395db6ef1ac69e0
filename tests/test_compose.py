"""compose.yaml: what containers would run, as far as it can be seen without running them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from controlplane import database
from controlplane.settings import Settings
from controlplane.stack.services import COLLECTION

REPOSITORY = Path(__file__).parents[1]
SECRETS = {
    "CHM_DATABASE_OWNER_PASSWORD": "owner",
    "CHM_DATABASE_PASSWORD": "application",
    "GF_SECURITY_ADMIN_PASSWORD": "grafana",
}


def compose(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("docker-compose") or "docker-compose", "-f", "compose.yaml", *arguments]
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Give the services as Docker Compose understands the file."""
    config = compose("config", **SECRETS)
    assert config.returncode == 0, config.stderr
    services: dict[str, Any] = yaml.safe_load(config.stdout)["services"]
    return services


@pytest.mark.parametrize("missing", SECRETS)
def test_passwords_are_chosen_by_the_operator(missing: str) -> None:
    """Nothing starts with a password that everybody knows."""
    refused = compose("config", **{k: v for k, v in SECRETS.items() if k != missing})

    assert refused.returncode != 0
    assert "choose a password" in refused.stderr


def test_a_password_is_any_text() -> None:
    """A password reaches the services as it is: what has a meaning in a URL has none here."""
    password = "p@s%s/w:rd#"
    config = compose("config", **{**SECRETS, "CHM_DATABASE_PASSWORD": password})
    services = yaml.safe_load(config.stdout)["services"]
    environment = services["controlplane"]["environment"]
    settings = Settings(
        database_url=environment["CHM_DATABASE_URL"],
        database_password=environment["CHM_DATABASE_PASSWORD"],
    )

    assert database.url(settings).password == password


def test_only_init_owns_the_database(services: dict[str, Any]) -> None:
    """The audit log cannot be rewritten by what serves requests: it is another role."""
    owners = [
        name
        for name, service in services.items()
        if "CHM_DATABASE_OWNER_PASSWORD" in service.get("environment", {})
    ]

    assert owners == ["init"]
    init, api = (services[name]["environment"] for name in ("init", "controlplane"))
    assert urlsplit(init["CHM_DATABASE_OWNER_URL"]).username == "chm"
    assert urlsplit(api["CHM_DATABASE_URL"]).username == "chm_app"
    assert init["CHM_DATABASE_URL"] == api["CHM_DATABASE_URL"]


def test_people_are_sent_to_addresses_they_reach() -> None:
    """Links of pages and notifications never lead to the name of a container."""
    chosen = {
        "CHM_PUBLIC_URL": "https://chm.example.net",
        "CHM_PROMETHEUS_PUBLIC_URL": "https://prometheus.example.net",
        "CHM_ALERTMANAGER_PUBLIC_URL": "https://alertmanager.example.net",
        "CHM_GRAFANA_URL": "https://grafana.example.net",
    }
    services = yaml.safe_load(compose("config", **SECRETS, **chosen).stdout)["services"]

    assert chosen.items() <= services["controlplane"]["environment"].items()
    for name in ("prometheus", "alertmanager"):
        url = chosen[f"CHM_{name.upper()}_PUBLIC_URL"]
        assert f"--web.external-url={url}" in services[name]["command"]
    assert services["grafana"]["environment"]["GF_SERVER_ROOT_URL"] == chosen["CHM_GRAFANA_URL"]


def test_images_are_pinned(services: dict[str, Any]) -> None:
    """Every image of others has a version, so that a start today is a start tomorrow."""
    images = {service["image"] for service in services.values() if "build" not in service}

    assert len(images) == 5
    assert not [image for image in images if not re.search(r":v?\d+[\w.-]*$", image)]


def test_ports_are_on_loopback(services: dict[str, Any]) -> None:
    """Nobody else reaches a port unless the operator says so."""
    ports = [str(port) for service in services.values() for port in service.get("ports", ())]

    assert ports
    assert not [port for port in ports if not port.startswith("127.0.0.1:")]


def test_traps_are_heard(services: dict[str, Any]) -> None:
    """The exporter takes traps where the operator says, and tells the Alertmanager of the stack."""
    command = dict(part.split("=", 1) for part in services["exporter"]["command"] if "=" in part)
    settings = services["controlplane"]["environment"]
    assert command["--alertmanager.url"] == settings["CHM_ALERTMANAGER_URL"]
    assert command["--controlplane.public-url"] == settings["CHM_PUBLIC_URL"]

    inside = command["--traps.listen-address"].rpartition(":")[2]
    assert services["exporter"]["ports"] == [f"127.0.0.1:1162:{inside}/udp"]
    open_to_all = yaml.safe_load(
        compose("config", **SECRETS, CHM_TRAPS_ADDRESS="0.0.0.0:162").stdout
    )
    assert open_to_all["services"]["exporter"]["ports"] == [f"0.0.0.0:162:{inside}/udp"]


def test_prometheus_is_started_alike(services: dict[str, Any]) -> None:
    """Go's collector has as much room in a container as under `chm up`, unless somebody says so."""
    assert services["prometheus"]["environment"]["GOGC"] == COLLECTION
    chosen = yaml.safe_load(compose("config", **SECRETS, GOGC="75").stdout)["services"]
    assert chosen["prometheus"]["environment"]["GOGC"] == "75"


def test_our_commands_exist(services: dict[str, Any]) -> None:
    """What the containers of our image run are commands and flags that there are."""
    for service in (service for service in services.values() if "build" in service):
        program, *arguments = service["command"]
        script = Path(sys.executable).with_name(program)
        shown = subprocess.run(
            [script, "--help"], env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True
        )
        for argument in arguments:
            assert re.search(rf"(?m)^[│\s]*{argument.split('=')[0]}\b", shown.stdout), argument


def test_services_read_what_init_writes(services: dict[str, Any]) -> None:
    """Prometheus and Alertmanager start with the files that `chm init` makes, and with no key."""
    for name in ("prometheus", "alertmanager", "exporter"):
        volumes = [str(volume).split(":")[0] for volume in services[name]["volumes"]]
        assert "secrets" not in volumes, name
    for name in ("prometheus", "alertmanager"):
        volumes = [str(volume).split(":")[0] for volume in services[name]["volumes"]]
        command = " ".join(services[name]["command"])
        assert f"--config.file=/data/prometheus/{name}.yml" in command
        assert "prometheus-config" in volumes
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "0.0.0.0"  # noqa: S104 - compared
    assert services["controlplane"]["environment"]["CHM_REMOTE_WRITE"].startswith(
        "http://victoriametrics:8428/"
    )
