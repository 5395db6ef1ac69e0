"""The text format 0.0.4 of Prometheus, written safely: no value can end a label or a line.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True)
class Sample:
    """A value and its labels; an empty label is the same as none, and is left out."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """The gauges of one name; samples may be made as they are written."""

    name: str
    help: str
    samples: Iterable[Sample]

    def __post_init__(self) -> None:
        if not METRIC_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the name of a metric")


def render(families: Iterable[Family]) -> bytes:
    """Write families as a scrape."""
    return "".join(line for family in families for line in _lines(family)).encode()


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {_escape_help(family.help)}\n"
    yield f"# TYPE {family.name} gauge\n"
    for sample in family.samples:
        labels = ",".join(
            [
                f'{_label_name(name)}="{_escape(value)}"'
                for name, value in sample.labels.items()
                if value
            ]
        )
        yield f"{family.name}{{{labels}}} {_number(sample.value)}\n"


@lru_cache(maxsize=256)  # a label stands on as many lines as there are devices
def _label_name(name: str) -> str:
    if not LABEL_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a label")
    return name


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escape(value: str) -> str:
    return _escape_help(value).replace('"', r"\"")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
