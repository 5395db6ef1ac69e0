"""The command `chm`, as a shell sees it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.auth import keys
from controlplane.cli import command_line, main
from tests.controlplane.cli.conftest import Chm
from tests.controlplane.devices.test_import import DOCUMENT


def secrets(data: Path) -> dict[str, tuple[int, bytes]]:
    """Give mode and content of every key and token below the data folder."""
    places = ("secrets/*", "exporter/*.token", "prometheus/secrets/*")
    files = [file for place in places for file in data.glob(place)]
    return {f.name: (f.stat().st_mode & 0o777, f.read_bytes()) for f in files}


def show_rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Give what `chm rules` prints, which is for people alone."""
    with pytest.raises(SystemExit) as end:
        command_line("rules")(["rules", *arguments])
    captured = capsys.readouterr()
    assert end.value.code == 0, captured.err
    return captured.out


@pytest.mark.usefixtures("data")
class TestInit:
    def test_everything_is_made_once(self, data: Path, chm: Chm) -> None:
        """Keys, tokens and a first admin are made; a second run changes and tells nothing."""
        made = chm("init")
        assert made["user"] == "admin"
        assert len(made["password"]) == 24
        before = secrets(data)
        assert before.keys() == {
            "audit.key",
            "vault.key",
            "exporter.token",
            "verify.token",
            "prometheus.token",
            "alertmanager.token",
        }
        assert {mode for mode, _ in before.values()} == {0o600}
        assert chm("init") == {"user": "admin", "password": None}
        assert secrets(data) == before

    def test_prometheus_starts_with_what_was_made(self, data: Path, chm: Chm) -> None:
        """Configuration, rules and dashboards are in place before anything is started."""
        chm("init")
        made = {str(f.relative_to(data)) for f in data.rglob("*") if f.is_file()}
        assert {"prometheus/prometheus.yml", "prometheus/alertmanager.yml"} <= made
        assert "grafana/dashboards/chm-fleet.json" in made
        assert (data / "prometheus/rules.d/current/availability.yml").is_file()

    def test_rules_tell_what_they_change(
        self, data: Path, chm: Chm, capsys: pytest.CaptureFixture[str], refused: Chm
    ) -> None:
        """The set in force is listed, and a new file of the operator is shown before it is used."""
        chm("init")
        (attempt,) = chm("rules", "list")
        assert attempt["status"] == "deployed"
        assert show_rules(capsys, "diff") == ""
        local = data / "rules.local"
        local.mkdir(exist_ok=True)
        (local / "mine.yml").write_text("groups: []\n")
        assert "+groups: []" in show_rules(capsys, "diff").splitlines()
        assert "availability.yml" in show_rules(capsys, "diff", attempt["revision"])
        assert "not kept" in refused("rules", "diff", "0" * 16)
        assert "files are good" in show_rules(capsys, "check")

    def test_a_lost_token_is_not_ended_unasked(self, data: Path, chm: Chm, refused: Chm) -> None:
        """Another machine may hold a token that is not here, so only --new-tokens ends it."""
        chm("init")
        before = secrets(data)
        (data / "exporter" / "exporter.token").unlink()
        assert "--new-tokens" in refused("init")
        (data / "exporter" / "exporter.token").write_text("chm_of-another-database")
        assert "exporter.token" in refused("init")
        chm("init", "--new-tokens")
        after = secrets(data)
        assert {name for name in before if before[name] != after[name]} == {"exporter.token"}

    def test_keys_of_another_folder_are_asked_for(
        self, chm: Chm, refused: Chm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """An empty folder makes no keys of its own for a database that is in use."""
        chm("init")
        monkeypatch.setenv("CHM_DATA", str(tmp_path / "second"))
        line = refused("init")
        assert "vault.key" in line
        assert "copy them" in line
        assert not list((tmp_path / "second").rglob("*.key"))
        assert not list((tmp_path / "second").rglob("*.token"))


@pytest.mark.usefixtures("ready")
class TestInventory:
    def test_the_life_of_a_device(self, chm: Chm) -> None:
        """Site, device with parent, list, show, remove."""
        chm("site", "add", "demo", "--description", "The lab")
        chm("device", "add", "router1", "10.0.0.1")
        chm("device-role", "create", "core")
        added = chm(
            *("device", "add", "core1", "10.0.0.2", "--site", "demo", "--role", "core"),
            *("--vendor", "Arista", "--parent", "router1", "--port", "1161"),
        )
        assert (added["site"], added["parents"], added["port"]) == ("demo", ["router1"], 1161)
        assert chm("device", "show", "core1") == added
        assert [d["name"] for d in chm("device", "list")] == ["core1", "router1"]
        assert [d["name"] for d in chm("device", "list", "--role", "core")] == ["core1"]
        assert [s["name"] for s in chm("site", "list")] == ["demo"]
        chm("device", "remove", "core1")
        chm("site", "remove", "demo")
        assert [d["name"] for d in chm("device", "list", "--json")] == ["router1"]

    def test_import(self, chm: Chm, tmp_path: Path) -> None:
        """The document of the API is the document of the command, and secrets stay inside."""
        file = tmp_path / "inventory.json"
        file.write_text(json.dumps(DOCUMENT))
        assert chm("device", "import", str(file))["devices"]["created"] == 2
        (credential,) = chm("credential", "list")
        assert credential["secrets"] == ["community"]
        assert "s3cret" not in json.dumps(credential)

    def test_a_list_for_people(
        self, chm: Chm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On a terminal a list is a table."""
        chm("device", "add", "core1", "10.0.0.2")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setattr(sys, "argv", ["chm", "device", "list"])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit):
            main()
        shown = capsys.readouterr().out
        assert "core1" in shown
        assert not shown.startswith("[")


@pytest.mark.usefixtures("ready")
class TestRefusals:
    def test_what_the_api_refuses(self, chm: Chm, refused: Chm) -> None:
        """The commands use the same checks, and say the field and the reason in one line."""
        assert "name: must be" in refused("device", "add", 'x"} or vector(1) #', "10.0.0.1")
        assert "address: must be" in refused("device", "add", "a", "1.2.3")
        assert "there is no site 'x'" in refused("device", "add", "a", "10.0.0.1", "--site", "x")
        assert "there is no device 'a'" in refused("device", "show", "a")
        chm("device", "add", "a", "10.0.0.1")
        assert "already exists" in refused("device", "add", "a", "10.0.0.1")
        assert "must match" in refused("token", "issue", "A B", "--permission", "devices:read")

    def test_files(self, refused: Chm, tmp_path: Path) -> None:
        """A missing file and one that is no document are errors of one line."""
        assert "cannot read" in refused("device", "import", str(tmp_path / "missing"))
        file = tmp_path / "broken.json"
        file.write_text('{"devices": [{"name": "a"')
        assert "JSON" in refused("device", "import", str(file))

    def test_no_vault_key(self, refused: Chm, ready: Path, tmp_path: Path) -> None:
        """Without its key the vault is not written."""
        (ready / "secrets" / "vault.key").unlink()
        file = tmp_path / "inventory.json"
        file.write_text(json.dumps(DOCUMENT))
        assert "vault.key" in refused("device", "import", str(file))


class TestDatabase:
    @pytest.mark.usefixtures("data")
    def test_before_init(self, refused: Chm) -> None:
        """A database without tables is explained."""
        assert "chm init" in refused("device", "list")

    def test_without_a_database(
        self, refused: Chm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A database that is not set, not there or not PostgreSQL is explained."""
        monkeypatch.setenv("CHM_DATA", str(tmp_path))
        monkeypatch.delenv("CHM_DATABASE_URL", raising=False)
        monkeypatch.delenv("DATABASE_URL", raising=False)
        assert "CHM_DATABASE_URL" in refused("device", "list")
        monkeypatch.setenv("CHM_DATABASE_URL", "postgresql://x@/x?host=/nonexistent")
        assert "does not answer" in refused("init")
        keys.ensure(tmp_path / "secrets" / "audit.key")
        assert "does not answer" in refused("device", "list")
        monkeypatch.setenv("CHM_DATABASE_URL", "sqlite:///x")
        assert "only PostgreSQL" in refused("device", "list")


@pytest.mark.usefixtures("ready")
class TestPeople:
    def test_a_generated_password(self, chm: Chm) -> None:
        """It is printed once, with the new user."""
        added = chm("user", "add", "ann", "--role", "operator", "--generate")
        assert (added["name"], added["role"], len(added["password"])) == ("ann", "operator", 24)

    def test_an_admin(self, chm: Chm) -> None:
        """--admin makes an admin."""
        assert chm("user", "add", "root", "--admin", "--generate")["role"] == "admin"

    def test_a_token(self, chm: Chm) -> None:
        """A service's token is printed once."""
        issued = chm("token", "issue", "grafana", "--permission", "devices:read")
        assert issued["name"] == "grafana"
        assert issued["token"].startswith("chm_")
        assert issued["expires_at"] is None

    def test_a_token_that_ends(self, chm: Chm, refused: Chm) -> None:
        """It says until when it is good, which is later than now."""
        given = ("token", "issue", "grafana", "--permission", "devices:read", "--expires")
        assert chm(*given, "2100-01-02")["expires_at"] == "2100-01-02T00:00:00+00:00"
        (listed,) = [token for token in chm("token", "list") if token["name"] == "grafana"]
        assert listed["expires_at"] == "2100-01-02T00:00:00Z"
        assert "later than now" in refused(*given, "2001-01-02")


def chm_process(*arguments: str, stdin: str) -> subprocess.CompletedProcess[str]:
    code = "from controlplane.cli import command_line, main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.usefixtures("ready")
def test_secrets_come_from_standard_input(chm: Chm) -> None:
    """They are no arguments, which every user of the machine could read, and are not echoed."""
    run = chm_process(
        *("credential", "add", "core", "--version", "3", "--username", "monitor"),
        *("--auth-protocol", "SHA256", "--priv-protocol", "AES"),
        stdin="s3cret-auth\ns3cret-priv\n",
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["secrets"] == ["password", "priv_password"]
    assert "s3cret" not in run.stdout + run.stderr
    assert [c["name"] for c in chm("credential", "list")] == ["core"]
    short = chm_process("user", "add", "ann", stdin="short\nshort\n")
    assert short.returncode == 2
    assert "at least 12 characters" in short.stderr


@pytest.mark.usefixtures("ready")
def test_a_credential_is_rotated(chm: Chm, refused: Chm) -> None:
    """Stage, promote, retire; a device whose exporter does not answer is a result, and exit 1."""
    chm("device", "add", "sw1", "10.0.0.1")
    added = chm_process("credential", "add", "lab", stdin="s3cret-one\n")
    assert added.returncode == 0, added.stderr
    staged = chm_process("credential", "version", "lab", stdin="s3cret-two\n")
    assert json.loads(staged.stdout)["number"] == 2
    assert "s3cret" not in staged.stdout + staged.stderr
    tested = chm_process("credential", "verify", "lab", "2", "--device", "sw1", stdin="")
    assert tested.returncode == 1
    assert json.loads(tested.stdout)[0]["outcome"] == "untested"
    assert [v["number"] for v in chm("credential", "promote", "lab", "2")] == [2, 1]
    assert "in force" in refused("credential", "retire", "lab", "2")
    assert chm("credential", "retire", "lab", "1") is None
    assert [v["number"] for v in chm("credential", "versions", "lab")] == [2]
