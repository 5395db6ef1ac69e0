"""The PromQL of a rendered board, with Grafana's variables filled in, ready to be asked."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|([A-Za-z_]\w*))")
_MACROS = {"__interval": "1m", "__rate_interval": "5m", "__range": "1h"}


class Expression(NamedTuple):
    """A query of a panel; `empty` says why it may find nothing in a healthy network, or is ''."""

    panel: str
    expr: str
    empty: str


def expressions(json_text: str, variables: Mapping[str, str] | None = None) -> list[Expression]:
    """Every query of a board, annotations included, with `variables` put in as they are.

    Variables left out mean "All" where the board offers it; `__interval`, `__rate_interval`
    and `__range` are 1m, 5m and 1h. A variable that is then unknown is a KeyError.
    """
    board = json.loads(json_text)
    known = {**_MACROS, **_everything(board), **(variables or {})}
    return [
        Expression(title, _REFERENCE.sub(lambda match: known[match[1] or match[2]], expr), empty)
        for title, expr, empty in _queries(board)
    ]


def _everything(board: Mapping[str, Any]) -> dict[str, str]:
    """Tell what "All" means, for the variables that have it."""
    choices = board["templating"]["list"]
    return {choice["name"]: choice["allValue"] for choice in choices if choice.get("includeAll")}


def _queries(board: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"], "Nothing happened"
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            # What Grafana shows in place of an empty panel is the reason why it may be empty.
            empty = panel["fieldConfig"]["defaults"].get("noValue", "")
            yield panel["title"], target["expr"], empty
