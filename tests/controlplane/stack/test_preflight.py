import socket
from pathlib import Path

import pytest

from controlplane.errors import ConfigurationError
from controlplane.settings import Settings
from controlplane.stack import preflight, services


class TestDataFolder:
    def test_a_second_stack_is_refused(self, tmp_path: Path) -> None:
        """Two stacks never share a data folder."""
        settings = Settings(data=tmp_path)
        with (
            preflight.data_folder(settings),
            pytest.raises(ConfigurationError, match="another stack runs in"),
            preflight.data_folder(settings),
        ):
            pass

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        """A data folder that cannot be written is one clear sentence."""
        (tmp_path / "file").touch()
        settings = Settings(data=tmp_path / "file" / "data")

        with (
            pytest.raises(ConfigurationError, match=r"file/data \(CHM_DATA\) cannot be written"),
            preflight.data_folder(settings),
        ):
            pass


class TestPorts:
    def test_a_taken_port_is_named_with_its_setting(self) -> None:
        """A port in use is refused before anything starts, with the setting that moves it."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            settings = Settings(prometheus_port=port)

            with pytest.raises(
                ConfigurationError, match=rf"port {port} .* prometheus: .*CHM_PROMETHEUS_PORT"
            ):
                preflight.check_ports(settings, demo=False)


class TestPrograms:
    def test_a_missing_program_says_how_to_get_it(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Where Prometheus is missing, the message says what to do."""
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(ConfigurationError, match="prometheus is not on the PATH: `make up`"):
            services.program("prometheus")
