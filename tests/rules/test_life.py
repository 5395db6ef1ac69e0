"""Every alert there is was seen quiet, firing and over again by promtool, in the tests before."""

from pathlib import Path

import pytest

import rules
from tests.rules.promtool import INTENT, LIFE, SHOWN

HERE = Path(__file__).parent


@pytest.fixture
def all_of_them(request: pytest.FixtureRequest) -> None:
    """Skip where only some of the tests of rules were chosen: they show only some alerts."""
    chosen = {item.path for item in request.session.items}
    if not chosen >= set(HERE.glob("test_*.py")) or request.config.option.keyword:
        pytest.skip("only some tests of rules were chosen")


@pytest.mark.usefixtures("all_of_them")
def test_every_alert_fires_and_ends() -> None:
    """An alert that nobody saw begin, or end, may be one that never does."""
    names = {alert.name for alert in rules.alerts(INTENT)}
    missing = {name: sorted(set(LIFE) - SHOWN[name]) for name in names if set(LIFE) - SHOWN[name]}
    assert missing == {}
