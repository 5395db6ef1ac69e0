import json
from pathlib import Path

import pytest

import dashboards
from controlplane.provisioning import boards

FOREIGN = '{"uid": "chm-mine", "tags": ["mine"], "title": "Mine"}'
RETIRED = '{"uid": "chm-retired", "tags": ["chm"], "title": "Of an earlier release"}'


class TestDeploy:
    def test_writes_every_board(self, tmp_path: Path) -> None:
        """A folder that was not there holds exactly the boards of this release."""
        folder = tmp_path / "grafana" / "dashboards"

        names = boards.deploy(folder)

        assert names == sorted(dashboards.render())
        assert {path.name: path.read_text() for path in folder.iterdir()} == dashboards.render()

    def test_others_can_read(self, tmp_path: Path) -> None:
        """Grafana runs as another user and can read the boards."""
        boards.deploy(tmp_path)

        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}

    def test_removes_retired_boards(self, tmp_path: Path) -> None:
        """A board that this release no longer has goes away."""
        (tmp_path / "chm-retired.json").write_text(RETIRED)

        boards.deploy(tmp_path)

        assert not (tmp_path / "chm-retired.json").exists()

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("mine.json", RETIRED),
            ("chm-mine.json", FOREIGN),
            ("chm-copy.json", RETIRED),
            ("chm-broken.json", "{"),
            ("chm-binary.json", "\x00"),
            ("chm-list.json", "[]"),
            ("chm-odd.json", '{"uid": "chm-odd", "tags": 1}'),
            ("chm-notes.txt", RETIRED),
        ],
    )
    def test_leaves_foreign_files(self, tmp_path: Path, name: str, content: str) -> None:
        """Files of anybody else stay as they are, whatever they are called."""
        (tmp_path / name).write_text(content)

        boards.deploy(tmp_path)

        assert (tmp_path / name).read_text() == content

    def test_repairs_edited_boards(self, tmp_path: Path) -> None:
        """A board that was edited on disk is what the release says again."""
        boards.deploy(tmp_path)
        (tmp_path / "chm-fleet.json").write_text(json.dumps({"title": "edited"}))

        boards.deploy(tmp_path)

        assert (tmp_path / "chm-fleet.json").read_text() == dashboards.render()["chm-fleet.json"]

    def test_does_not_touch_what_is_right(self, tmp_path: Path) -> None:
        """Without a change no file is written, so Grafana reads nothing again."""
        boards.deploy(tmp_path)
        before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}

        boards.deploy(tmp_path)

        assert {path.name: path.stat().st_ino for path in tmp_path.iterdir()} == before

    def test_failure_leaves_the_old_board(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the disk refuses, the error is told, the old board stays, no half file is left."""
        old = tmp_path / "chm-fleet.json"
        old.write_text("old")

        def refuse(_: Path, target: Path) -> Path:
            raise OSError(28, "No space left on device", str(target))

        monkeypatch.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match="No space left"):
            boards.deploy(tmp_path)

        assert old.read_text() == "old"
        assert [path.name for path in tmp_path.iterdir()] == ["chm-fleet.json"]
