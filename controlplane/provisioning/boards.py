"""Dashboards on disk, where Grafana's file provisioning finds them."""

import json
from pathlib import Path

import dashboards
from controlplane import files


def deploy(folder: Path) -> list[str]:
    """Bring the folder to the boards of this release; answer with their file names.

    Each file is replaced in one step and only when its text changed. Boards of an earlier release
    are removed; files of anybody else stay. OSError if the folder cannot be written.
    """
    boards = dashboards.render()
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob(f"{dashboards.PREFIX}*.json")):
        if path.name not in boards and _is_ours(path):
            path.unlink()
    for name, text in boards.items():
        files.replace(folder / name, text.encode())
    return sorted(boards)


def _is_ours(path: Path) -> bool:
    """Whether we wrote the file: it holds a board that has our tag and is named by its uid."""
    try:
        board = json.loads(path.read_bytes())
    except ValueError:  # not JSON, so not from us
        return False
    return (
        isinstance(board, dict)
        and board.get("uid") == path.stem
        and isinstance(board.get("tags"), list)
        and dashboards.TAG in board["tags"]
    )
