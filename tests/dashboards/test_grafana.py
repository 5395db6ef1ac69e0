"""The configuration that Grafana starts with, in containers and on a single machine alike."""

import configparser
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import dashboards

GRAFANA = Path(__file__).parents[2] / "grafana"


@pytest.fixture
def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)  # $__env{...} is Grafana's to expand
    parser.read_string((GRAFANA / "grafana.ini").read_text())
    return parser


def provisioning(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((GRAFANA / "provisioning" / name).read_text())
    return parsed


class TestSettings:
    def test_nobody_enters_unnamed(self, settings: configparser.ConfigParser) -> None:
        """Nobody looks without a name, and nobody makes an account for themselves."""
        assert not settings.getboolean("auth.anonymous", "enabled")
        assert not settings.getboolean("users", "allow_sign_up")
        assert not settings.getboolean("public_dashboards", "enabled")

    @pytest.mark.parametrize(
        ("section", "key"),
        [
            ("analytics", "reporting_enabled"),
            ("analytics", "check_for_updates"),
            ("analytics", "check_for_plugin_updates"),
            ("news", "news_feed_enabled"),
            ("snapshots", "external_enabled"),
            ("plugins", "plugin_admin_enabled"),
        ],
    )
    def test_calls_nobody(
        self, settings: configparser.ConfigParser, section: str, key: str
    ) -> None:
        """Grafana talks to Prometheus and to nobody outside."""
        assert not settings.getboolean(section, key)

    def test_listens_on_loopback(self, settings: configparser.ConfigParser) -> None:
        """Grafana is reachable from this machine only, unless told otherwise."""
        assert settings["server"]["http_addr"] == "127.0.0.1"

    def test_no_secret(self, settings: configparser.ConfigParser) -> None:
        """No password stands in the file."""
        keys = {key for section in settings.sections() for key in settings[section]}
        assert not {key for key in keys if "password" in key or "secret" in key}

    def test_starts_with_the_fleet(self, settings: configparser.ConfigParser) -> None:
        """The first page is a board that we deploy."""
        home = settings["dashboards"]["default_home_dashboard_path"]
        assert home.removeprefix("$__env{CHM_DASHBOARDS}/") in dashboards.render()


class TestProvisioning:
    def test_datasource(self) -> None:
        """One Prometheus, at the address that the stack gives, of the kind that boards ask for."""
        (source,) = provisioning("datasources/prometheus.yml")["datasources"]

        assert (source["uid"], source["type"]) == ("chm-prometheus", "prometheus")
        assert source["url"] == "$CHM_PROMETHEUS_URL"
        assert source["isDefault"] is True
        for text in dashboards.render().values():
            first = json.loads(text)["templating"]["list"][0]
            assert first["query"] == source["type"]

    def test_boards(self) -> None:
        """Boards come from the folder that the control plane writes, and cannot be edited."""
        (provider,) = provisioning("dashboards/chm.yml")["providers"]

        assert provider["type"] == "file"
        assert provider["options"]["path"] == "$CHM_DASHBOARDS"
        assert provider["allowUiUpdates"] is False
        assert provider["disableDeletion"] is False
