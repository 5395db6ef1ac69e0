"""Multi-window, multi-burn-rate alerts: the error budget of a site is used up too fast.

What is promised is that devices are up so much of the time; what counts against it is how many of
the devices of a site are down, maintenance left out. Only bad time makes samples: what was not
down, and what nobody measured, counts as good.
"""

from string import Template

from rules import burn_rates, units
from rules.burn_rates import Pair
from rules.options import Intent, duration
from rules.rule import Alert, Group, Record

DOWN = "site:device_down:ratio"

RATIO = """\
count by (site) (
  device:outage:down{site!=""}
  unless on (device)
  device:chm_maintenance_active:current
)
/
count by (site) (
  device:chm_inventory_device_info:current{site!=""}
  unless on (device)
  device:chm_maintenance_active:current
)"""

BURN = Template("""\
sum_over_time($down[$long]) / $slots > $most
and
sum_over_time($down[$short]) / $few > $most""")


def groups(options: Intent) -> tuple[Group, ...]:
    """None without an objective; else what wakes somebody as often as polled, the rest seldom."""
    objective, step = options.objective, options.sample_interval
    if objective is None:
        return ()
    alerts = [_alert(pair, objective, step) for pair in burn_rates.pairs(objective, step)]
    pages, tickets = (
        tuple(alert for alert in alerts if alert.severity == severity)
        for severity in ("critical", "warning")
    )
    return (
        Group("chm-sla", step, (Record(DOWN, RATIO), *pages)),
        Group("chm-sla-lasting", options.lasting_interval, tickets),
    )


def _alert(pair: Pair, objective: float, step: float) -> Alert:
    most = round(pair.factor * (1 - objective), 9)
    expr = BURN.substitute(
        down=DOWN,
        long=duration(pair.long),
        short=duration(pair.short),
        slots=f"{pair.long / step:.9g}",
        few=f"{pair.short / step:.9g}",
        most=f"{most:.9f}".rstrip("0"),
    )
    return Alert(
        "ErrorBudgetBurning",
        expr,
        pair.severity,
        "symptom",
        "Devices at {{ $labels.site }} are down more than is allowed for",
        f"Within {pair.words} devices at {{{{ $labels.site }}}} were down "
        "{{ $value | humanizePercentage }} of the time. That is more than "
        f"{pair.budget:.0%} of what an objective of {objective:.10g} allows for 30 days.",
        board="chm-fleet",
        labels={"window": pair.words},
        value=units.shown("ratio"),
        threshold=units.shown("ratio", most),
    )
