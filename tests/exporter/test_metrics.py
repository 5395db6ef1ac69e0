import re
from pathlib import Path

from exporter import metrics

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
UNITS = ("_seconds", "_bytes", "_ratio", "_celsius", "_rpm", "_volts", "_amperes", "_watts", "_dbm")
PLAIN = ("_up", "_info", "_success", "_samples", "_hop_limit")


def test_page_is_current() -> None:
    """docs/metrics.md is what the catalogue says (`python -m exporter.metrics` prints it)."""
    assert PAGE.read_text() == metrics.markdown()


def test_names_carry_units() -> None:
    """Every family is named for its base unit, and none clashes with a label of the target."""
    for name, entry in metrics.CATALOGUE.items():
        assert re.fullmatch(r"chm_[a-z0-9_]+", name)
        assert name.endswith(UNITS + PLAIN), name
        assert not {"device", "instance", "job", "site", "role"} & set(entry.labels)
