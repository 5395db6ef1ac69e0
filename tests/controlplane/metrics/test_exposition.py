"""The text format."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from controlplane.metrics.exposition import Family, Sample, render


def test_hostile_values_come_back_whole() -> None:
    """Whatever a value holds, a parser reads one sample with just that value."""
    for hostile in ('x"} 1\nevil 2', "back\\slash", "new\nline", "ünïcödé", '\\"', "\\n"):
        text = render([Family("chm_x", "Some\nhelp \\ text.", [Sample(1, {"a": hostile})])])
        (family,) = text_string_to_metric_families(text.decode())
        assert [(s.name, s.labels, s.value) for s in family.samples] == [
            ("chm_x", {"a": hostile}, 1.0)
        ]


def test_the_bytes() -> None:
    """Gauges with help, type, labels in the order given; empty labels are left out."""
    family = Family("chm_x", "Help.", [Sample(0.5, {"b": "1", "a": "2", "c": ""}), Sample(3)])
    assert render([family]) == (
        b'# HELP chm_x Help.\n# TYPE chm_x gauge\nchm_x{b="1",a="2"} 0.5\nchm_x{} 3\n'
    )


def test_numbers_that_are_none() -> None:
    """Infinity and not-a-number are spelled as Prometheus reads them."""
    samples = [Sample(math.inf), Sample(-math.inf), Sample(math.nan)]
    assert render([Family("x", "", samples)]).split()[-5::2] == [b"+Inf", b"-Inf", b"NaN"]


@pytest.mark.parametrize("name", ["", "1x", "a b", "a\n", 'x"', "a-b"])
def test_names_are_checked(name: str) -> None:
    """A name that is none never reaches the wire."""
    with pytest.raises(ValueError, match="name of a metric"):
        Family(name, "", [])
    with pytest.raises(ValueError, match="name of a label"):
        render([Family("x", "", [Sample(1, {name: "v"})])])
