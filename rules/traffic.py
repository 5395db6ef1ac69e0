"""What ports carry: how full they are, and what part of their packets they damage and drop."""

from collections.abc import Iterator
from string import Template

from rules import intent
from rules.options import Intent, duration
from rules.rule import Alert, Record
from rules.thresholds import ThresholdAlert

# The comparison is within: there are many ports, and few are full.
UTILIZATION = Template("""\
max without (instance, job, speed) (
  rate(chm_interface_busy_seconds_total[$window])
  > $lowest
)""")

# Fewer than ten bad packets in the window prove nothing, and leave no series. Only of ports with
# more are all packets counted: these records keep the labels of the scrape to be joined with it.
BAD = Template("increase(chm_interface_${kind}_total[$window]) >= 10")

# The devices are compared first, as all labels of a port take longer.
GOOD = Template("""\
increase(chm_interface_packets_total[$window])
and on (device)
(interface:errors:increase or interface:discards:increase)
and
(interface:errors:increase or interface:discards:increase)""")

LOSSES = {"errors": "damaged packets", "discards": "dropped packets"}
LOSS = Template("""\
max without (instance, job) (
  interface:$kind:increase
  / (
    interface:$kind:increase
    + interface:packets:increase
  )
)""")

# What an operator decided not to be told of, of devices with ports that are full or lose packets.
UNWANTED = """\
(interface:chm_interface_monitored:current == 0)
and on (device)
(interface:utilization:ratio or interface:errors:ratio or interface:discards:ratio)"""
WANTED = """
unless on (device, ifName)
interface:chm_interface_monitored:unwanted
unless on (device, ifName, ifDescr)
interface:chm_interface_monitored:unwanted_described"""

PORT = "{{ $labels.device }} port {{ $labels.ifName }}"
SHARE = "{{ $value | humanizePercentage }}"


def rules(options: Intent) -> Iterator[Record | Alert]:
    """Record how full ports are, and what part of their packets they damage and drop."""
    window = duration(options.rate_window)
    alerts = (_full(window), *_losses())
    for kind in LOSSES:
        yield Record(f"interface:{kind}:increase", BAD.substitute(kind=kind, window=window))
    yield Record("interface:packets:increase", GOOD.substitute(window=window))
    yield from (alert.recorded() for alert in alerts)
    yield Record("interface:chm_interface_monitored:unwanted", UNWANTED)
    yield intent.described("unwanted", "unwanted_described")
    for alert in alerts:
        yield from alert.pair(options.settle_for)


def _full(window: str) -> ThresholdAlert:
    return ThresholdAlert(
        "InterfaceSaturated",
        "interface:utilization:ratio",
        Template(UTILIZATION.safe_substitute(window=window)),
        "interface_utilization",
        f"{PORT} is full",
        f"{PORT} ({{{{ $labels.ifAlias }}}}) carries {SHARE} of its speed "
        "({{ $labels.direction }}).",
        but=WANTED,
    )


def _losses() -> Iterator[ThresholdAlert]:
    for kind, words in LOSSES.items():
        yield ThresholdAlert(
            f"Interface{kind.capitalize()}",
            f"interface:{kind}:ratio",
            Template(LOSS.substitute(kind=kind)),
            f"interface_{kind}",
            f"{PORT} has many {words}",
            f"{SHARE} of the packets {PORT} handles ({{{{ $labels.direction }}}}) are {words}.",
            but=WANTED,
        )
