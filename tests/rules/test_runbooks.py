import re
from pathlib import Path

import promql_parser

import rules
from tests.rules.promtool import INTENT

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
HEADINGS = ("## Look first", "## Do", "## Silence")


def _pages() -> dict[str, str]:
    return {path.stem: path.read_text() for path in RUNBOOKS.glob("*.md") if path.stem != "README"}


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    """Whoever is woken finds a page, and no page speaks of an alert that is gone."""
    assert set(_pages()) == {alert.name for alert in rules.alerts(INTENT)}


def test_every_page_says_what_to_look_at_what_to_do_and_when_to_be_quiet() -> None:
    """A page opens with the name of its alert and has the same three sections as all others."""
    for name, text in _pages().items():
        assert text.startswith(f"# {name}\n"), name
        assert [line for line in text.splitlines() if line.startswith("## ")] == list(HEADINGS), (
            name
        )


def test_every_query_of_a_page_can_be_pasted() -> None:
    """Queries are valid PromQL and ask for no recorded series that no rule records."""
    recorded = set(re.findall(r"record: (\S+)", "".join(rules.render(INTENT).values())))
    for name, text in _pages().items():
        queries = re.findall(r"```promql\n(.*?)\n```", text, re.DOTALL)
        assert queries, f"{name} has no query"
        for query in queries:
            promql_parser.parse(query)
            assert set(re.findall(r"\b[a-z]+:\w+:\w+", query)) <= recorded, f"{name}: {query}"


def test_every_alert_a_page_speaks_of_exists() -> None:
    """Pages that lead to other pages lead to ones that are there."""
    names = {alert.name for alert in rules.alerts(INTENT)}
    suffixes = (
        "Down|Failed|Failing|High|Unknown|Unreachable|Missing|Slow|Delivered|Saturated"
        "|Lost|Degraded|Alarm|Range|Flapping|Loss|Full"
    )
    for name, text in _pages().items():
        mentioned = set(re.findall(rf"`([A-Z][A-Za-z]+(?:{suffixes}))`", text))
        assert mentioned <= names, name
