"""Groups, credentials of every kind, imports and exports, in a shell."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from controlplane import files
from controlplane.settings import Settings
from tests.controlplane.cli.conftest import Chm
from tests.controlplane.cli.test_commands import chm_process


@pytest.mark.usefixtures("ready")
def test_groups(chm: Chm, refused: Chm) -> None:
    """A group is made, asked and changed; a role on it keeps it."""
    chm("device", "add", "core1", "10.0.0.1", "--role", "core")
    chm("device", "add", "edge1", "10.0.0.2", "--role", "edge")
    chm("group", "add", "core", "--role", "core")
    assert [device["name"] for device in chm("group", "members", "core")] == ["core1"]
    assert [device["name"] for device in chm("device", "list", "--group", "core")] == ["core1"]
    chm("group", "change", "core", "--role", "edge", "--pattern", "e*")
    assert [device["name"] for device in chm("group", "members", "core")] == ["edge1"]
    assert chm("group", "show", "core")["version"] == 2
    assert "asks nothing" in refused("group", "add", "all")
    assert [group["name"] for group in chm("group", "list")] == ["core"]
    chm("group", "remove", "core")
    assert "no group" in refused("group", "show", "core")


@pytest.mark.usefixtures("ready")
def test_credentials_of_other_kinds(chm: Chm, tmp_path: Path) -> None:
    """Secrets come from standard input, a private key from the file that is named there."""
    key = Ed25519PrivateKey.generate()
    file = tmp_path / "id_ed25519"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    named = ("credential", "add-ssh", "ssh", "monitor", "--private-key")
    made = json.loads(chm_process(*named, stdin=f"{file}\n").stdout)
    assert (made["secrets"], made["host_key_policy"]) == (["private_key"], "strict")
    none = chm_process(*named, stdin=f"{tmp_path / 'none'}\n")
    assert (none.returncode, "cannot read" in none.stderr) == (2, True)
    made = json.loads(chm_process("credential", "add-rest", "api", "bearer", stdin="t\n").stdout)
    assert (made["secrets"], made["scheme"]) == (["token"], "bearer")
    kinds = {row["name"]: row["kind"] for row in chm("credential", "list")}
    assert kinds == {"ssh": "ssh", "api": "rest"}


@pytest.mark.usefixtures("ready")
@pytest.mark.parametrize("form", ["json", "yaml", "csv"])
def test_export_and_import(chm: Chm, tmp_path: Path, form: str) -> None:
    """What a shell exports it imports; a trial that finds something wrong ends with 1."""
    chm("site", "add", "oslo")
    chm("device", "add", "core1", "10.0.0.1", "--site", "oslo", "--tag", "gold")
    file = tmp_path / f"devices.{form}"
    chm("device", "export", "--format", form, "--out", str(file))
    chm("device", "remove", "core1")
    trial = chm("device", "import", str(file), "--dry-run")
    assert (trial["dry_run"], trial["devices"]["created"]) == (True, 1)
    assert chm("device", "list") == []
    assert chm("device", "import", str(file))["devices"]["created"] == 1
    assert chm("device", "show", "core1")["tags"] == ["gold"]
    again = chm_process(*("device", "import", str(file), "--mode", "create", "--dry-run"), stdin="")
    assert again.returncode == 1
    assert json.loads(again.stdout)["errors"][-1]["code"] == "exists"


@pytest.mark.usefixtures("ready")
def test_other_systems(chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """A shell imports what other systems export, and exports what it asks for."""
    file = tmp_path / "hosts"
    file.write_text("[edge]\ne[1:3] ansible_host=10.0.0.1\n[core]\nc1 ansible_host=10.0.0.9\n")
    assert chm("import", str(file), "--from", "ansible")["devices"]["created"] == 4
    out = tmp_path / "core.json"
    chm("export", "--tag", "core", "--out", str(out))
    exported = json.loads(out.read_text(encoding="utf-8"))
    assert [device["name"] for device in exported["devices"]] == ["c1"]
    file.write_text("h[1:x]\n")
    assert "no range" in refused("import", str(file), "--from", "ansible")


@pytest.mark.usefixtures("ready")
def test_a_file_has_a_bound(refused: Chm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is larger than any import over HTTP is not read to its end."""
    monkeypatch.setenv("CHM_MAX_REQUEST_BYTES", "1024")
    file = tmp_path / "large.json"
    file.write_bytes(b" " * 100_000_000)
    assert "more than 1024 bytes" in refused("import", str(file))


@pytest.mark.usefixtures("ready")
def test_poll(chm: Chm) -> None:
    """A poll that tells nothing of the device says why in JSON, and ends with 1."""
    files.replace(Settings().verify_token_file, b"t0ken", files.PRIVATE)
    add = ("credential", "add", "lab", "--version", "2")
    assert chm_process(*add, stdin="s3cret\n").returncode == 0
    chm("device", "add", "core1", "10.0.0.1", "--credential", "lab", "--status", "planned")
    polled = chm_process("device", "poll", "core1", stdin="")
    told = json.loads(polled.stdout)
    assert (polled.returncode, told["device"], told["outcome"]) == (1, "core1", "untested")
    assert "does not answer" in told["detail"]
    assert "s3cret" not in polled.stdout + polled.stderr


@pytest.mark.usefixtures("ready")
def test_rules(chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """A rule is written, changed and removed in a shell; without Prometheus none is enabled."""
    runbook = tmp_path / "odd.md"
    runbook.write_text("# Look\n\nat the fan\n")
    written = ("--expr", "chm_temperature_celsius > 60", "--summary", "{{ $labels.device }} is hot")
    made = chm("rules", "add", "HotRoom", *written, "--for", "300", "--runbook", str(runbook))
    assert (made["status"], made["for_seconds"], made["runbook"]) == (
        *("draft", 300),
        runbook.read_text(),
    )
    assert [rule["name"] for rule in chm("rules", "list")] == ["HotRoom"]
    assert chm("rules", "change", "HotRoom", "--severity", "critical")["version"] == 2
    assert chm("rules", "show", "HotRoom")["severity"] == "critical"
    assert "line 1, column" in refused("rules", "change", "HotRoom", "--expr", "sum((")
    for verb in ("enable", "preview"):
        assert "Prometheus" in refused("rules", verb, "HotRoom")
    assert chm("rules", "disable", "HotRoom")["status"] == "draft"
    chm("rules", "remove", "HotRoom")
    assert "no alerting rule" in refused("rules", "show", "HotRoom")
