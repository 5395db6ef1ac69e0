"""A measured value against the thresholds of its device: one rule for warning, one for critical.

Both fire while the value is above both. Alertmanager mutes the warning of the same alert and
object: an `unless` in the rule would end the warning while the critical one is still pending.
"""

from dataclasses import dataclass
from string import Template

from rules import units
from rules.rule import Alert, Record, Severity
from rules.units import Unit

# There are many values, and few are above the lowest threshold of any device: no others are
# recorded and held against thresholds. Most devices have the same, which is one number; only of
# those that have others there is a series each.
LOWEST = Template("""scalar(metric:chm_threshold:lowest{metric="$metric"})""")

ABOVE = Template("""\
$record
> on (device) group_left ()
device:chm_threshold:current{metric="$metric", severity="$severity"}
or
$record
> scalar(metric:chm_threshold_common:current{metric="$metric", severity="$severity"})
unless on (device)
device:chm_threshold:current{metric="$metric", severity="$severity"}
unless on (device)
device:chm_inventory_device_info:missing""")

# The same of one device, to be told: a threshold that changes makes no other alert.
THRESHOLD = Template("""\
device:chm_threshold:current{device=%[1]q, metric="$metric", severity="$severity"}
or on ()
metric:chm_threshold_common:current{metric="$metric", severity="$severity"}""")

SEVERITIES: tuple[Severity, ...] = ("critical", "warning")


@dataclass(frozen=True)
class ThresholdAlert:
    """An alert for every series of `expr` that is above the device's threshold of `metric`.

    `expr` is recorded as `record`; it leaves out what is not above `$lowest`, the lowest threshold.
    `own` is a further comparison, by `$severity`, with limits that the device has itself, and
    `own_limit` asks for such a limit (`units.asked`, by the device and `part`); `but` takes series
    away.
    """

    name: str
    record: str
    expr: Template
    metric: str
    summary: str
    description: str
    unit: Unit = "ratio"
    own: Template | None = None
    own_limit: Template | None = None
    part: str = ""
    but: str = ""

    def recorded(self) -> Record:
        """Return the record that the alerts read."""
        lowest = LOWEST.substitute(metric=self.metric)
        return Record(self.record, self.expr.substitute(lowest=lowest))

    def pair(self, hold: float) -> tuple[Alert, ...]:
        """Return the critical and the warning alert; `hold` seconds before either fires."""
        return tuple(self._alert(severity, hold) for severity in SEVERITIES)

    def _alert(self, severity: Severity, hold: float) -> Alert:
        expr = ABOVE.substitute(record=self.record, metric=self.metric, severity=severity)
        if self.but:
            expr = f"(\n{expr}\n){self.but}"
        if self.own:
            expr += "\nor\n" + self.own.substitute(severity=severity)
        return Alert(
            self.name,
            expr,
            severity,
            "symptom",
            self.summary,
            self.description,
            hold=hold,
            value=units.shown(self.unit),
            threshold=self._threshold(severity),
        )

    def _threshold(self, severity: Severity) -> str:
        promql = THRESHOLD.substitute(metric=self.metric, severity=severity)
        if self.own_limit is None:
            return units.asked(self.unit, promql, "device")
        own = self.own_limit.substitute(severity=severity)
        return units.asked(self.unit, f"max({own}) or max({promql})", "device", self.part)
