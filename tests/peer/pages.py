"""What a scrape says, as sets that can be compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """Samples by series as it is written, types and helps by name."""

    samples: dict[str, float]
    types: dict[str, str]
    helps: dict[str, str]


def parse(text: str) -> Page:
    """Return the page in a text of format 0.0.4; both exporters write labels in one order."""
    samples: dict[str, float] = {}
    types: dict[str, str] = {}
    helps: dict[str, str] = {}
    for line in text.split("\n"):
        if line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            types[name] = kind
        elif line.startswith("# HELP "):
            name, _, said = line.removeprefix("# HELP ").partition(" ")
            helps[name] = said
        elif line:
            series, _, number = line.rpartition(" ")
            assert series not in samples, series
            samples[series] = float(number)
    return Page(samples, types, helps)


def name_of(series: str) -> str:
    """Return the name of the metric in a series."""
    return series.partition("{")[0]
