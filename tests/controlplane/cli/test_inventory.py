"""Groups, credentials of every kind, imports and exports, in a shell."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from controlplane import files
from controlplane.cli.work import transact
from controlplane.database import now
from controlplane.devices.interfaces.learning import take_up
from controlplane.devices.interfaces.models import AdminStatus, OperStatus
from controlplane.devices.interfaces.ports import Port, Told
from controlplane.settings import Settings
from tests.controlplane.cli.conftest import Chm
from tests.controlplane.cli.test_commands import chm_process


@pytest.mark.usefixtures("ready")
def test_groups(chm: Chm, refused: Chm) -> None:
    """A group is made, asked and changed; a role on it keeps it."""
    for role in ("core", "edge"):
        chm("device-role", "create", role)
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
def test_changes(chm: Chm) -> None:
    """What was done to an object is told after it is gone, and by the request that did it."""
    chm("site", "add", "here")
    chm("device", "add", "core1", "10.0.0.1", "--site", "here")
    chm("device", "remove", "core1")
    told = chm("changes", "--type", "device", "--name", "core1")
    assert [change["action"] for change in told] == ["data.delete", "data.create"]
    assert {"field": "site", "before": None, "after": "here"} in told[1]["fields"]
    assert [change["name"] for change in chm("changes", "--limit", "1")] == ["core1"]


@pytest.mark.usefixtures("ready")
def test_thresholds(chm: Chm, refused: Chm) -> None:
    """They are set, changed and taken back for a scope; a device shows which count, and whose."""
    chm("device-role", "create", "core")
    chm("device", "add", "core1", "10.0.0.1", "--role", "core")
    chm("group", "add", "cores", "--role", "core")
    of = ("--warning", "50", "--critical", "70")
    assert chm("threshold", "set", "temperature", *of)["scope"] == "all"
    assert chm("threshold", "set", "temperature", *of, "--role", "core")["role"] == "core"
    heavy = ("--group", "cores", "--weight", "5")
    made = chm("threshold", "set", "temperature", *of, *heavy)
    changed = chm("threshold", "set", "temperature", *of, "--group", "cores")
    assert (made["id"], made["weight"], changed["weight"]) == (changed["id"], 5, 0)
    (one,) = [row for row in chm("threshold", "show", "core1") if row["metric"] == "temperature"]
    assert one["source"] == {"scope": "group", "name": "cores"}
    chm("threshold", "unset", "temperature", "--group", "cores")
    assert [row["scope"] for row in chm("threshold", "list")] == ["all", "role"]
    assert "no threshold" in refused("threshold", "unset", "temperature", "--group", "cores")
    assert "one of --role" in refused("threshold", "unset", "jitter", "--role", "a", "--site", "b")
    assert "below critical" in refused("threshold", "set", "jitter", *of[:2], "--critical", "1")


@pytest.mark.usefixtures("ready")
def test_alerts_of_rules(chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """What is changed about an alert is in the files that are rendered, and can be taken back."""
    changed = chm("rules", "change", "CpuHigh", "--for", "60", "--keep-firing-for", "120")
    assert (changed["for_seconds"], changed["keep_firing_for_seconds"]) == (60, 120)
    assert chm("rules", "change", "DeviceRebooted", "--disable")["enabled"] is False
    off = [alert["name"] for alert in chm("rules", "alerts") if not alert["enabled"]]
    assert off == ["DeviceRebooted"]
    assert chm_process("rules", "render", "--out", str(tmp_path), stdin="").returncode == 0
    rendered = "".join(file.read_text() for file in tmp_path.glob("*.yml"))
    assert "keep_firing_for: 120s" in rendered
    assert "DeviceRebooted" not in rendered
    assert chm("rules", "change", "DeviceRebooted", "--as-shipped")["enabled"] is True
    assert "no alert" in refused("rules", "change", "NoSuch", "--for", "1")


@pytest.mark.usefixtures("ready")
def test_interfaces(chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """Interfaces are listed, and something is said of one by its device and name."""
    chm("site", "add", "oslo")
    chm("device", "add", "core1", "10.0.0.1", "--site", "oslo")
    assert chm("interface", "list") == []
    up = (AdminStatus.UP, OperStatus.UP)
    names = ("Gi1/0/1", "Gi1/0/2")
    ports = {n: Port(n, i, "desk", "", 10**9, "", *up) for i, n in enumerate(names, 1)}
    transact(Settings(), lambda session: take_up(session, {"core1": Told(ports)}, now()))

    said = ("--monitored", "no", "--description", "A printer")
    assert chm("interface", "set", "core1", "Gi1/0/1", *said)["version"] == 2
    listed = chm("interface", "list", "--site", "oslo", "--monitored", "no", "--status", "up")
    assert [(one["device"], one["name"]) for one in listed] == [("core1", "Gi1/0/1")]
    shown = chm("interface", "show", "core1", "Gi1/0/1")
    assert (shown["description"], shown["importance"], shown["changes"]) == (
        *("A printer", "normal", []),
    )
    assert "no interface 'Gi9'" in refused("interface", "show", "core1", "Gi9")

    file = tmp_path / "ports.csv"
    chm("interface", "export", "--format", "csv", "--monitored", "no", "--out", str(file))
    chm("interface", "set", "core1", "Gi1/0/1", "--monitored", "auto", "--description", "")
    assert chm("import", str(file), "--kind", "interfaces")["interfaces"]["updated"] == 1
    shown = chm("interface", "show", "core1", "Gi1/0/1")
    assert (shown["description"], shown["monitored"]) == ("A printer", "no")


@pytest.mark.usefixtures("ready")
def test_names(chm: Chm, refused: Chm) -> None:
    """Sites, devices and groups are renamed, each the same object as before."""
    chm("site", "add", "oslo")
    added = chm("device", "add", "core1", "10.0.0.1", "--site", "oslo")
    chm("group", "add", "there", "--site", "oslo")
    assert chm("site", "rename", "oslo", "bergen")["name"] == "bergen"
    assert chm("group", "rename", "there", "here")["filter"]["site"] == "bergen"
    renamed = chm("device", "rename", "core1", "core2")
    assert (renamed["id"], renamed["name"]) == (added["id"], "core2")
    for noun, name in (("site", "bergen"), ("group", "here"), ("device", "core2")):
        assert "name" in refused(noun, "rename", name, "a b")
        assert f"there is no {noun}" in refused(noun, "rename", "nobody", "x")


@pytest.mark.usefixtures("ready")
def test_tags(chm: Chm, refused: Chm) -> None:
    """Tags are listed with the number of their devices, renamed and deleted."""
    chm("device", "add", "core1", "10.0.0.1", "--tag", "gold", "--tag", "lab")
    assert chm("tag", "list") == [{"name": n, "devices": 1} for n in ("gold", "lab")]
    chm("tag", "rename", "lab", "test")
    assert chm("device", "show", "core1")["tags"] == ["gold", "test"]
    chm("tag", "delete", "gold")
    assert [tag["name"] for tag in chm("tag", "list")] == ["test"]
    assert "no tag" in refused("tag", "delete", "gold")
    assert "name" in refused("tag", "rename", "test", "a b")


@pytest.mark.usefixtures("ready")
def test_baselines(chm: Chm, refused: Chm) -> None:
    """They are added by site unless told otherwise, switched off, and removed."""
    made = chm("baseline", "add", "branches", "traffic")
    assert (made["by"], made["method"], made["enabled"]) == ("site", "adaptive", True)
    chm("baseline", "add", "cores", "cpu_utilization", "--by", "role", "--method", "robust")
    assert chm("baseline", "change", "cores", "--disable", "--description", "x")["version"] == 2
    assert [row["enabled"] for row in chm("baseline", "list")] == [True, False]
    assert "already exists" in refused("baseline", "add", "cores", "traffic")
    chm("baseline", "remove", "cores")
    assert "no baseline" in refused("baseline", "remove", "cores")


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
    last = chm_process("device", "poll", "core1", "--last", stdin="")
    assert (last.returncode, json.loads(last.stdout)) == (1, told)


@pytest.mark.usefixtures("ready")
def test_rules(chm: Chm, refused: Chm, tmp_path: Path) -> None:
    """A rule is written, changed and removed in a shell; without Prometheus none is enabled."""
    runbook = tmp_path / "odd.md"
    runbook.write_text("# Look\n\nat the fan\n")
    written = ("--expr", "chm_temperature_celsius > 60", "--summary", "{{ $labels.device }} is hot")
    made = chm("rule", "add", "HotRoom", *written, "--for", "300", "--runbook", str(runbook))
    assert (made["status"], made["for_seconds"], made["runbook"]) == (
        *("draft", 300),
        runbook.read_text(),
    )
    assert [rule["name"] for rule in chm("rule", "list")] == ["HotRoom"]
    assert chm("rule", "change", "HotRoom", "--severity", "critical")["version"] == 2
    assert chm("rule", "show", "HotRoom")["severity"] == "critical"
    assert "line 1, column" in refused("rule", "change", "HotRoom", "--expr", "sum((")
    for verb in ("enable", "preview"):
        assert "Prometheus" in refused("rule", verb, "HotRoom")
    assert chm("rule", "disable", "HotRoom")["status"] == "draft"
    chm("rule", "remove", "HotRoom")
    assert "no alerting rule" in refused("rule", "show", "HotRoom")
