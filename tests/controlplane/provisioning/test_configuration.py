import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from controlplane.provisioning import configuration
from controlplane.settings import Settings

REPOSITORY = Path(__file__).parents[3]
SHIPPED = REPOSITORY / "prometheus"


def compose_settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give the settings that the containers of compose.yaml have."""
    compose = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
    for name, value in compose["x-chm"]["environment"].items():
        if "${" not in value:
            monkeypatch.setenv(name, value)
    return Settings(notify_webhooks=("https://chat.example.net/hook",))


def check(tmp_path: Path, name: str, text: str, *command: str) -> None:
    (tmp_path / "secrets").mkdir(exist_ok=True)
    for service in ("prometheus", "alertmanager"):
        (tmp_path / "secrets" / f"{service}.token").touch()
    file = tmp_path / name
    file.write_text(text)
    checked = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def addresses(tree: Any) -> set[str]:
    return {a for group in configuration._static_groups(tree) for a in group["targets"]}


class TestPrometheus:
    def test_the_shipped_file_is_valid(self, tmp_path: Path) -> None:
        """The file in prometheus/ is a configuration that promtool accepts as it stands."""
        text = (SHIPPED / "prometheus.yml").read_text()

        check(tmp_path, "prometheus.yml", text, "promtool", "check", "config")

    def test_one_machine(self, tmp_path: Path) -> None:
        """On one machine every address is the one of the settings, and promtool accepts it."""
        settings = Settings(exporter_port=19116, prometheus_port=19090, scrape_interval=2.5)
        text = configuration.prometheus(settings)

        check(tmp_path, "prometheus.yml", text, "promtool", "check", "config")
        assert addresses(yaml.safe_load(text)) == {
            "127.0.0.1:8000",
            "127.0.0.1:9093",
            "127.0.0.1:19090",
        }
        assert yaml.safe_load(text)["global"]["scrape_interval"] == "2500ms"

    def test_containers_use_the_shipped_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With the settings of compose.yaml only remote write is added to the shipped file."""
        rendered = yaml.safe_load(configuration.prometheus(compose_settings(monkeypatch)))
        written = rendered.pop("remote_write")

        assert rendered == yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
        assert written == [{"url": "http://victoriametrics:8428/api/v1/write"}]


class TestAlertmanager:
    def test_the_shipped_file_is_valid(self, tmp_path: Path) -> None:
        """The file in prometheus/ is a configuration that amtool accepts as it stands."""
        text = (SHIPPED / "alertmanager.yml").read_text()

        check(tmp_path, "alertmanager.yml", text, "amtool", "check-config")
