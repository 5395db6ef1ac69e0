"""The command `chm` on an installation of its own."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from controlplane.cli import main
from tests.controlplane.conftest import application_url

Chm = Callable[..., Any]


@pytest.fixture
def data(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the data folder of a new installation on an empty database of its own."""
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS chm_commands WITH (FORCE)")
        admin.execute("CREATE DATABASE chm_commands")
    monkeypatch.setenv("CHM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("CHM_PROMETHEUS_URL", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("CHM_ALERTMANAGER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CHM_EXPORTERS", "127.0.0.1:9")
    monkeypatch.setenv("CHM_MANAGEMENT_NETWORKS", "10.0.0.0/8,127.0.0.0/8")  # the lab, too
    address = postgres.replace("/chm_tests?", "/chm_commands?")
    monkeypatch.setenv("CHM_DATABASE_URL", application_url(address))
    monkeypatch.setenv("CHM_DATABASE_OWNER_URL", address)
    return tmp_path / "data"


@pytest.fixture
def chm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Chm:
    """Give a function that runs a command and gives its JSON."""

    def chm(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["chm", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        return json.loads(captured.out) if captured.out else None

    return chm


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Chm:
    """Give a function that runs a command that fails and gives its one line of error."""

    def refused(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["chm", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        captured = capsys.readouterr()
        assert end.value.code == 2
        assert captured.out == ""
        assert captured.err.startswith("chm: ")
        assert captured.err.count("\n") == 1
        return captured.err

    return refused


@pytest.fixture
def ready(data: Path, chm: Chm) -> Path:
    """Give the data folder of an installation that is ready."""
    chm("init")
    return data
