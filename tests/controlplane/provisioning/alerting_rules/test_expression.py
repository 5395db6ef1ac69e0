"""What the expression of a rule may be, and what becomes of it."""

import time

import pytest

from controlplane.errors import Invalid
from controlplane.provisioning.alerting_rules import expression


def codes(text: str) -> set[str]:
    with pytest.raises(Invalid) as refused:
        expression.check(text)
    assert {problem.pointer for problem in refused.value.problems} == {"/expr"}
    return {problem.code for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sum(", "promql"),
        ("nosuch(up)", "promql"),
        ("1 + 1", "metric"),
        ("time()", "type"),
        ("up[5m]", "type"),
        ('{job="chm-devices"} == 0', "metric"),
        ('{__name__=~".+"}', "metric"),
        ('{__name__!="up", job="a"}', "metric"),
        ('up{a=~"' + "x" * 300 + '"}', "pattern"),
        (r'up{a=~"\\pL{20}"}', "pattern"),
        ('up{a="b" or c="d"}', "matcher"),
        ('up{"a.b"="c"}', "matcher"),
        ("max_over_time(up[8d]) > 1", "time"),
        ("max_over_time(up[7d:1s]) > 1", "time"),
        ("up offset 60d > 1", "time"),
        ("up offset -5m > 1", "time"),
        ("up @ 0 > 1", "time"),
        ('label_replace(up, "device", "core1", "a", ".*")', "label"),
        ('label_join(up, "chm_channel", "", "a")', "label"),
        ('count_values("site", up) > 1', "label"),
        ('absent(up{escalation="true"})', "label"),
        ('absent(((up{a="b",chm_channel="pager"} offset 5m)))', "label"),
        ('absent_over_time(up{role="core"}[5m])', "label"),
        ('up == 0 or absent_over_time(up{vendor="x"}[5m] offset 1h)', "label"),
        ("(" * 100 + "up" + ")" * 100, "size"),
        ("-" * 1000 + "up", "size"),
        ("up > " + "1" * 3000, "size"),
    ],
)
def test_what_no_rule_may_ask_is_refused(text: str, code: str) -> None:
    """A fault has its code, and the place is the expression."""
    assert code in codes(text)


def test_what_takes_the_parser_long_is_not_given_to_it() -> None:
    """The parser needs minutes for thousands of brackets; they are counted before it sees them."""
    began = time.process_time()
    for nested in ("(" * 900 + "up" + ")" * 900, "up" + "+up" * 600):
        assert codes(nested) == {"size"}
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("up", True),
        ("rate(ifInErrors[5m]) > 1", True),
        ("1 < up", True),
        ("sum(up) > 1", False),
        ("sum by (device) (up) > 1", True),
        ("sum without (device) (up) > 1", False),
        ("sum without (job) (up) > 1", True),
        ("topk(3, up)", True),
        ("a > on (ifIndex) b", False),
        ("a > on (device) b", True),
        ("a > ignoring (device) b", False),
        ("a > on (ifIndex) group_left (x) b", True),
        ("sum(a) * on () group_right () b", True),
        ("sum(a) * on () group_left (device) b", True),
        ("a and on () sum(b)", True),
        ("a or sum(b)", False),
        ("absent(up)", False),
        ("vector(1) and up", False),
        ("max_over_time((up > 1)[1h:1m])", True),
        ("-(up)", True),
    ],
)
def test_whether_a_result_names_its_device(text: str, *, kept: bool) -> None:
    """The label goes with aggregation and matching as in Prometheus."""
    assert expression.keeps(expression.parse(text), "device") is kept


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("up", expression.NO_COMPARISON),
        ("up > bool 1", expression.ALWAYS),
        ("sum(up) > 1", expression.NO_DEVICE),
        ("up == 0", None),
        ("up unless on (device) maintenance", None),
    ],
)
def test_doubts(text: str, warning: str | None) -> None:
    """What is allowed, but seldom meant, is said."""
    assert expression.warnings(expression.parse(text)) == ([warning] if warning else [])


@pytest.mark.parametrize(
    "text",
    [
        "up == 0",
        'up{site="south"} == 0',
        'rate(a{b=~"c.*"}[5m] offset 1h) > on (device) group_left () sum by (device) (d)',
        "max_over_time((up > 1)[1h:1m])",
        "topk(scalar(a), b)",
        r'up{a="x\"} or up{b=\"y"} > 0',
        r'up{a="\\"} > 0',
        '{__name__="up"} == 0',
        'up{a=`"} or hidden{b="`} == 0',
        'up{a="\\n\\u2028"} == 0 # } or hidden',
        'label_replace(up, "x", "} or hidden{", "a", ".*") == 0',
    ],
)
def test_every_selector_is_kept_to_the_sites(text: str) -> None:
    """Whatever an expression does with quotes, brackets and comments, it stays at its sites."""
    made = expression.within(expression.check(text), ["north", "oslo.1"])

    for selector in expression.selectors(expression.parse(made.prettify())):
        kept = [m.value for m in selector.matchers.matchers if m.name == "site"]
        assert r"north|oslo\.1" in kept
        assert selector.name != "hidden"


def test_what_names_a_device_elsewhere_is_taken_out() -> None:
    """`absent` gives the labels that it asks for: that makes no alert of a device elsewhere."""
    made = expression.within(expression.check('absent(up{device="core9"})'), ["north"])
    assert (
        made.prettify()
        == """\
  (absent(up{device="core9",site=~"north"}))
unless on (device)
  device:chm_inventory_device_info:current{site!~"north"}"""
    )


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("a > 0.8", 0.8),
        ("(a >= -5)", -5),
        ("3 > a", 3),
        ("a > 7 and on (device) b > 9", 7),
        ("(a < 1e9) unless c", 1e9),
        ("a == 0", None),
        ("a > bool 1", None),
        ("a > b", None),
        ("a > Inf", None),
        ("a > 1 or b > 2", None),
        ("absent(a)", None),
    ],
)
def test_what_fires_is_held_against_one_number(text: str, bound: float | None) -> None:
    """The threshold that is told is a number of the comparison; where there are several, none."""
    assert expression.bound(expression.parse(text)) == bound
