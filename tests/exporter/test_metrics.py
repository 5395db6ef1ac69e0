import re
from pathlib import Path

from exporter import metrics

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
BASE = ("seconds", "bytes", "ratio", "celsius", "rpm", "volts", "amperes", "watts", "dbm", "hertz")
UNITS = tuple(f"_{unit}" for unit in BASE)
STATES = ("_up", "_down", "_disabled", "_ok", "_enabled", "_degraded", "_active", "_success")
PLAIN = (
    *("_info", "_samples", "_hop_limit", "_prefixes_accepted", "_load_average"),
    *("_interfaces", "_collectors_failed", "_beyond_limit", "_fault"),
)


def test_page_is_current() -> None:
    """docs/metrics.md is what the catalogue says (`python -m exporter.metrics` prints it)."""
    assert PAGE.read_text() == metrics.markdown()


def test_names_carry_units() -> None:
    """Every family is named for its base unit, and none clashes with a label of the target."""
    for name, entry in metrics.CATALOGUE.items():
        assert re.fullmatch(r"chm_[a-z0-9_]+", name)
        assert name.endswith(("_total",) if entry.kind == "counter" else UNITS + STATES + PLAIN), (
            name
        )
        assert not {"device", "instance", "job", "site", "role"} & set(entry.labels)
