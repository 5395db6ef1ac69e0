"""Rule sets on disk: `rev-<revision>/` folders, and the symlink `current` to the one in force."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from controlplane.provisioning.ruleset import RuleSet

KEPT = 20


@dataclass(frozen=True)
class Revisions:
    """The folder `rules.d` that Prometheus loads `current/*.yml` from; one writer at a time."""

    folder: Path

    @property
    def link(self) -> Path:
        """The symlink to the revision in force."""
        return self.folder / "current"

    def path(self, revision: str) -> Path:
        """Return the folder of a revision."""
        return self.folder / f"rev-{revision}"

    def current(self) -> str | None:
        """Return the revision that `current` leads to, if it is there."""
        try:
            name = self.link.readlink().name
        except FileNotFoundError:
            return None
        revision = name.removeprefix("rev-")
        return revision if self.path(revision).is_dir() else None

    def holds(self, ruleset: RuleSet) -> bool:
        """Say whether the files of the set are on disk exactly as they should be."""
        folder = self.path(ruleset.revision)
        try:
            names = {path.name for path in folder.iterdir()}
            return names == set(ruleset.files) and all(
                (folder / name).read_text(encoding="utf-8") == text
                for name, text in ruleset.files.items()
            )
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return False

    def stage(self, ruleset: RuleSet) -> Path:
        """Write the set, synced to disk, to a folder that Prometheus does not read."""
        folder = self.folder / f"new-{ruleset.revision}"
        self.discard(folder)
        folder.mkdir(parents=True)
        for name, text in ruleset.files.items():
            with (folder / name).open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        _sync(folder)
        return folder

    def admit(self, staged: Path, ruleset: RuleSet) -> None:
        """Give a staged set that passed its checks the name of its revision."""
        final = self.path(ruleset.revision)
        damaged = self.folder / f"old-{ruleset.revision}"
        self.discard(damaged)
        if final.exists():
            final.rename(damaged)
        staged.rename(final)
        _sync(self.folder)
        self.discard(damaged)

    def discard(self, folder: Path) -> None:
        """Remove a folder, or what a crash has left of it."""
        if folder.exists():
            shutil.rmtree(folder)

    def switch(self, revision: str | None) -> None:
        """Let `current` lead to a revision in one atomic step, or to none."""
        if revision is None:
            self.link.unlink(missing_ok=True)
        else:
            os.utime(self.path(revision))
            beside = self.folder / "current.tmp"
            beside.unlink(missing_ok=True)
            beside.symlink_to(self.path(revision).name)
            beside.replace(self.link)
        _sync(self.folder)

    def prune(self) -> None:
        """Remove all but the revisions used last; the one in force always stays."""
        found = sorted(self.folder.glob("rev-*"), key=lambda path: path.stat().st_mtime_ns)
        current = self.current()
        for path in found[:-KEPT]:
            if path.name != f"rev-{current}":
                self.discard(path)
        for path in (*self.folder.glob("new-*"), *self.folder.glob("old-*")):
            with suppress(FileNotFoundError):
                self.discard(path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
