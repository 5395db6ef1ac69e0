"""Baselines: bands in which an aggregate has kept so far, and an alert that it left them.

Only aggregates that somebody chose have bands, for each costs six recorded series a site or role.
Two ways to learn a band, after https://github.com/grafana/promql-anomaly-detection:

adaptive  the mean of the last hour, of this hour yesterday and of this hour a week ago, and twice
          the mean of the standard deviations of the hours of a day; hours in which nothing moves
          do not count, or a quiet night would make the band too narrow for the morning
robust    the median of a day, and twice the median of the distances from it (MAD): a few outliers,
          however far, move neither

A deviation of less than half of what is usual, or too small to matter, is none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Template

from rules import units
from rules.options import Aggregate, Baseline, Intent, Method, duration
from rules.rule import Alert, Group, Record

LEARNING = 240.0  # seconds between two looks: within five minutes a sample is forgotten
DAY = 86_400
ENOUGH = 0.8  # of the values of a day

VALUE = "baseline:aggregate:value"
CENTER = "baseline:aggregate:center"
VARIATION = "baseline:aggregate:variation"
TOLERANCE = "baseline:aggregate:tolerance"
UPPER = "baseline:aggregate:band_upper"
LOWER = "baseline:aggregate:band_lower"


@dataclass(frozen=True)
class Measure:
    """An aggregate: its expression by `$by`, and the smallest deviation that matters."""

    expr: Template
    floor: float


MEASURES: Mapping[Aggregate, Measure] = {
    "traffic": Measure(
        Template("""\
8 * sum by ($by) (
  rate(ifHCInOctets{$by!=""}[$window])
  or
  rate(ifInOctets{$by!=""}[$window])
)"""),
        1_000_000,
    ),
    "packet_loss": Measure(Template('avg by ($by) (device:icmp_loss:ratio_avg{$by!=""})'), 0.01),
    "response_time": Measure(
        Template('avg by ($by) (device:icmp_rtt:seconds_avg{$by!=""})'), 0.005
    ),
    "cpu_utilization": Measure(
        Template("""\
avg by ($by) (
  avg by (device, $by) (chm_cpu_utilization_ratio{$by!=""})
)"""),
        0.05,
    ),
}

# The same hour yesterday and a week ago: half an hour before and after this moment.
SEASONS = Template("""\
$pick without (season) (
  label_replace($center, "season", "now", "", "")
  or
  label_replace($center offset 23h30m, "season", "day", "", "")
  or
  label_replace($center offset 167h30m, "season", "week", "", "")
)""")


@dataclass(frozen=True)
class Learning:
    """A way to learn: the middle of a band, what varies about it, and how much of that is usual."""

    center: Template
    variation: Template
    spread: Template
    middle: Template


LEARNINGS: Mapping[Method, Learning] = {
    "adaptive": Learning(
        Template("avg_over_time($value[1h])"),
        Template("stddev_over_time($value[1h]) > 0.05 * $center"),
        Template("avg_over_time($variation[26h])"),
        SEASONS,
    ),
    "robust": Learning(
        Template("quantile_over_time(0.5, $value[1d])"),
        Template("abs($value - $center)"),
        Template("quantile_over_time(0.5, $variation[1d])"),
        Template("$center"),
    ),
}

# There is none, and so no band, before a day was seen, or while much of it is missing.
TOLERATED = Template("""\
clamp_min(
  (2 * $spread > 0.5 * $center)
  or
  0.5 * $center,
  $floor
)
and
count_over_time($value[1d]) >= $enough""")

BAND = Template("clamp_min($middle $sign $tolerance, 0)")

DEVIATION = f"""\
{VALUE} > {UPPER}
or
{VALUE} < {LOWER}"""

# The side of the band that it left.
SERIES = "{baseline=%[1]q, site=%[2]q, role=%[3]q}"
LEFT = f"({UPPER}{SERIES} < {VALUE}{SERIES}) or ({LOWER}{SERIES} > {VALUE}{SERIES})"


def groups(options: Intent) -> tuple[Group, ...]:
    """Values and the alert as often as devices are asked, bands a little less often."""
    enough = int(ENOUGH * DAY / options.sample_interval)
    bands = tuple(record for one in options.baselines for record in _bands(one, enough))
    values = tuple(_value(one, options) for one in options.baselines)
    return (
        Group("chm-baselines-bands", LEARNING, bands),
        Group("chm-baselines", options.sample_interval, (*values, _alert(options))),
    )


def _value(baseline: Baseline, options: Intent) -> Record:
    expr = MEASURES[baseline.aggregate].expr.substitute(
        by=baseline.by, window=duration(options.rate_window)
    )
    return Record(VALUE, expr, baseline.labels)


def _bands(baseline: Baseline, enough: int) -> Iterator[Record]:
    way = LEARNINGS[baseline.method]
    series = {
        word: name + baseline.selector
        for word, name in (
            *(("value", VALUE), ("center", CENTER)),
            *(("variation", VARIATION), ("tolerance", TOLERANCE)),
        )
    }
    labels = baseline.labels
    yield Record(CENTER, way.center.substitute(series), labels)
    yield Record(VARIATION, way.variation.substitute(series), labels)
    known = {
        "spread": way.spread.substitute(series),
        "floor": f"{MEASURES[baseline.aggregate].floor:g}",
        "enough": enough,
    }
    yield Record(TOLERANCE, TOLERATED.substitute(series, **known), labels)
    for name, pick, sign in ((UPPER, "max", "+"), (LOWER, "min", "-")):
        middle = way.middle.substitute(series, pick=pick)
        yield Record(name, BAND.substitute(series, middle=middle, sign=sign), labels)


def _alert(options: Intent) -> Alert:
    where = "{{ $labels.site }}{{ $labels.role }}"  # it has one of the two
    return Alert(
        "BaselineDeviation",
        DEVIATION,
        "info",
        "symptom",
        f"{{{{ $labels.aggregate }}}} of {where} is unusual",
        f"{{{{ $labels.aggregate }}}} of {where} is {{{{ $value | humanize }}}}: outside of the "
        "band that baseline {{ $labels.baseline }} has learned.",
        hold=options.settle_for,
        keep=options.keep_for,
        board="chm-fleet",
        value=units.shown("number"),
        threshold=units.asked("number", LEFT, "baseline", "site", "role"),
    )
