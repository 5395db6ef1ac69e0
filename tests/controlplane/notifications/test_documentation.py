"""What docs/howto/notify-people.md says is so."""

import re
from pathlib import Path

from controlplane.notifications.kinds import BY_KIND
from controlplane.notifications.schemas import Result, RouteWrite

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "notify-people.md"


def test_every_kind_and_its_settings() -> None:
    """The table names each kind, from which Alertmanager on, and all its settings."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.* \| \d+\.\d+) \|$", PAGE.read_text(), re.MULTILINE))
    assert {*rows} >= {*BY_KIND}
    for name, kind in BY_KIND.items():
        assert rows[name].endswith(".".join(map(str, kind.since)))
        for field in set(kind.model_fields) - {"kind"}:
            written = f"**`{field}`**" if field in kind.secret_names() else f"`{field}`"
            assert written in rows[name], (name, field)


def test_every_result_of_a_test() -> None:
    """The other table explains each result."""
    text = PAGE.read_text()
    assert all(f"| `{result}` |" in text for result in Result)


def test_the_route_can_be_pasted() -> None:
    """The example of a route is one."""
    (route,) = re.findall(r"<<'JSON'\n(.*?)\nJSON", PAGE.read_text(), re.DOTALL)
    assert RouteWrite.model_validate_json(route).sites == ["oslo"]
