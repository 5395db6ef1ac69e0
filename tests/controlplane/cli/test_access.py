"""`chm role`, `chm grant` and `chm audit`, as a shell sees them."""

import csv
import io
import os
import sys
from pathlib import Path

import psycopg
import pytest

from controlplane.cli import main
from tests.controlplane.cli.conftest import Chm

pytestmark = pytest.mark.usefixtures("ready")


class TestRolesAndGrants:
    def test_a_role_is_made_given_and_taken_back(self, chm: Chm, refused: Chm) -> None:
        """A custom role is held at a site, keeps that site and itself from being removed."""
        made = chm("role", "create", "guard", "--permission", "alerts:read")
        assert (made["built_in"], made["permissions"]) == (False, ["alerts:read"])
        assert "guard" in [role["name"] for role in chm("role", "list")]
        chm("site", "add", "north")
        chm("user", "add", "gus", "--generate")
        grant = chm("grant", "add", "gus", "guard", "--site", "north")
        assert (grant["scope"], grant["site"]) == ("site", "north")
        held = {(g["role"], g["site"]) for g in chm("grant", "list", "gus")}
        assert held == {("viewer", None), ("guard", "north")}
        assert "gus" in refused("role", "remove", "guard")
        assert "north" in refused("site", "remove", "north")
        chm("grant", "remove", "gus", grant["id"])
        chm("role", "remove", "guard")
        chm("site", "remove", "north")

    def test_what_is_not_there(self, refused: Chm) -> None:
        """A role, a person or a site that is not there is named."""
        assert "nothing" in refused("role", "show", "nothing")
        assert "nobody" in refused("grant", "list", "nobody")
        assert "nowhere" in refused("grant", "add", "admin", "viewer", "--site", "nowhere")


class TestAudit:
    def test_the_shell_leaves_a_trail(self, chm: Chm) -> None:
        """What is done in a shell is in the log, by the account of the machine that did it."""
        chm("site", "add", "north")
        newest = chm("audit", "list", "--limit", "1")[0]
        assert (newest["action"], newest["object_name"]) == ("data.create", "north")
        assert newest["actor_kind"] == "shell"
        assert newest["actor_name"] == os.environ.get("USER", newest["actor_name"])
        assert chm("audit", "list", "--object", "north", "--action", "data.delete") == []

    def test_a_good_log(self, chm: Chm) -> None:
        """The log of a new installation verifies, and the application could not rewrite it."""
        verdict = chm("audit", "verify")
        assert verdict["good"] is True
        assert verdict["entries"] > 0
        assert verdict["rewritable"] is False
        chm("audit", "verify", "--anchor", verdict["last_good"])

    def test_a_broken_log(
        self, chm: Chm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An entry that was altered is named, and the exit code is 1."""
        chm("site", "add", "north")
        address = os.environ["CHM_DATABASE_OWNER_URL"]
        with psycopg.connect(address, autocommit=True) as owner:
            owner.execute("SET session_replication_role = replica")
            owner.execute("UPDATE audit_entries SET object_name = 'south' WHERE seq = 2")
        monkeypatch.setattr(sys, "argv", ["chm", "audit", "verify"])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 1
        assert '"broken_entry": 2' in capsys.readouterr().out

    def test_an_export(self, chm: Chm, tmp_path: Path) -> None:
        """The log is taken along as a table."""
        file = tmp_path / "audit.csv"
        chm("audit", "export", "--format", "csv", "--out", str(file))
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
        assert rows[0]["seq"] == "1"
        assert rows[-1]["action"] != "compliance.audit.exported"  # that entry comes after it
        assert chm("audit", "list", "--limit", "1")[0]["action"] == "compliance.audit.exported"
