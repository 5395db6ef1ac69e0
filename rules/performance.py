"""What the way to a device does to packets: loss, round trips and jitter of the echoes."""

from collections.abc import Iterator
from string import Template

from rules.options import Intent, duration
from rules.rule import Alert, Group, Record
from rules.thresholds import ThresholdAlert

# A device that is down has an alert of its own; one that answers SNMP but not a single echo sits
# behind a filter, which loses nothing.
LOSS = Template("""\
max without (instance, job) (avg_over_time(chm_icmp_loss_ratio[$window]) < 1)
unless on (device)
device:outage:down""")

MEAN = Template("max without (instance, job) (avg_over_time($metric[$window]))")

DEVICE = "{{ $labels.device }}"
WAY = f"the way to {DEVICE} (site {{{{ $labels.site }}}})"
SECONDS = "{{ $value | humanizeDuration }}"

ALERTS = (
    ThresholdAlert(
        "PacketLoss",
        "device:icmp_loss:ratio_high",
        Template("device:icmp_loss:ratio_avg > $lowest"),
        "packet_loss",
        f"Packets to {DEVICE} are lost",
        f"{{{{ $value | humanizePercentage }}}} of the echoes on {WAY} are lost.",
    ),
    ThresholdAlert(
        "ResponseSlow",
        "device:icmp_rtt:seconds_high",
        Template("device:icmp_rtt:seconds_avg > $lowest"),
        "response_time",
        f"{DEVICE} answers slowly",
        f"A round trip on {WAY} takes {SECONDS}.",
        unit="seconds",
    ),
    ThresholdAlert(
        "JitterHigh",
        "device:icmp_jitter:seconds_high",
        Template("device:icmp_jitter:seconds_avg > $lowest"),
        "jitter",
        f"Round trips to {DEVICE} vary",
        f"Round trips on {WAY} differ by {SECONDS} from one to the next.",
        unit="seconds",
    ),
)


def groups(options: Intent) -> tuple[Group, ...]:
    """One group, run as often as its windows of four samples allow."""
    rules: tuple[Record | Alert, ...] = (*_records(options), *_alerts(options))
    return (Group("chm-performance", options.window_interval, rules),)


def _records(options: Intent) -> Iterator[Record]:
    window = duration(options.rate_window)
    yield Record("device:icmp_loss:ratio_avg", LOSS.substitute(window=window))
    for record, metric in (
        ("device:icmp_rtt:seconds_avg", "chm_icmp_rtt_avg_seconds"),
        ("device:icmp_jitter:seconds_avg", "chm_icmp_jitter_seconds"),
    ):
        yield Record(record, MEAN.substitute(metric=metric, window=window))
    yield from (alert.recorded() for alert in ALERTS)


def _alerts(options: Intent) -> Iterator[Alert]:
    for alert in ALERTS:
        yield from alert.pair(options.settle_for)
