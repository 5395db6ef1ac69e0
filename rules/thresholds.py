"""A measured value against the thresholds of its device: one rule for warning, one for critical.

Both fire while the value is above both. Alertmanager mutes the warning of the same alert and
object: an `unless` in the rule would end the warning while the critical one is still pending.
"""

from dataclasses import dataclass
from string import Template

from rules.rule import Alert, Severity

ABOVE = Template("""\
$expr
> on (device) group_left ()
device:chm_threshold:current{metric="$metric", severity="$severity"}""")

SEVERITIES: tuple[Severity, ...] = ("critical", "warning")


@dataclass(frozen=True)
class ThresholdAlert:
    """An alert for every series of `expr` that is above the device's threshold of `metric`.

    `own` is a further comparison, by `$severity`, with limits that the device has itself; `but`
    takes series away.
    """

    name: str
    expr: str
    metric: str
    summary: str
    description: str
    own: Template | None = None
    but: str = ""

    def pair(self, hold: float) -> tuple[Alert, ...]:
        """Return the critical and the warning alert; `hold` seconds before either fires."""
        return tuple(self._alert(severity, hold) for severity in SEVERITIES)

    def _alert(self, severity: Severity, hold: float) -> Alert:
        expr = ABOVE.substitute(expr=self.expr, metric=self.metric, severity=severity)
        expr += self.but
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
        )
