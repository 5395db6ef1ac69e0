"""Intent to Grafana dashboards: pure functions, no I/O, one module per board."""

from dashboards import device, fleet
from dashboards.dashboard import TAG, to_json

PREFIX = "chm-"
"""How the file name and the uid of every board begin."""

__all__ = ["PREFIX", "TAG", "render"]


def render() -> dict[str, str]:
    """Every board of the product: file name to JSON text, the same bytes on every call."""
    return {f"{board.uid}.json": to_json(board) for board in (fleet.board(), device.board())}
