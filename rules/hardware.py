"""Processors, memory, temperatures, fans and power supplies."""

from collections.abc import Iterator
from string import Template

from rules.options import Intent
from rules.rule import Alert, Group
from rules.thresholds import ThresholdAlert

# The mean over the processors: one busy core of sixteen is no trouble of the device.
CPU = "avg without (instance, job, cpu) (chm_cpu_utilization_ratio)"

MEMORY = """\
max without (instance, job) (
  chm_memory_utilization_ratio
  or
  chm_memory_used_bytes / (chm_memory_size_bytes > 0)
)"""

TEMPERATURE = "max without (instance, job) (chm_temperature_celsius)"

FAILED = Template("""\
min without (instance, job) ($metric == 0)
and on (device)
device:chm_inventory_device_info:current""")

DEVICE = "{{ $labels.device }}"
SHARE = "{{ $value | humanizePercentage }}"


def groups(options: Intent) -> tuple[Group, ...]:
    """One group, run as often as devices are polled."""
    rules = (*_thresholds(options), *_failures(options))
    return (Group("chm-hardware", options.sample_interval, rules),)


def _thresholds(options: Intent) -> Iterator[Alert]:
    for alert in (
        ThresholdAlert(
            "CpuHigh",
            CPU,
            "cpu_utilization",
            f"The processor of {DEVICE} is busy",
            f"{DEVICE} has used {SHARE} of its processors for minutes.",
        ),
        ThresholdAlert(
            "MemoryHigh",
            MEMORY,
            "memory_utilization",
            f"{DEVICE} runs out of memory",
            f"{SHARE} of memory pool {{{{ $labels.pool }}}} of {DEVICE} is in use.",
        ),
        ThresholdAlert(
            "TemperatureHigh",
            TEMPERATURE,
            "temperature",
            f"{DEVICE} is hot",
            f"Sensor {{{{ $labels.sensor }}}} of {DEVICE} reads {{{{ $value }}}} degrees Celsius.",
        ),
    ):
        yield from alert.pair(options.settle_for)


def _failures(options: Intent) -> Iterator[Alert]:
    for name, metric, label, noun in (
        ("FanFailed", "chm_fan_up", "fan", "Fan"),
        ("PowerSupplyFailed", "chm_power_supply_up", "psu", "Power supply"),
    ):
        part = f"{noun} {{{{ $labels.{label} }}}} of {DEVICE}"
        yield Alert(
            name,
            FAILED.substitute(metric=metric),
            "warning",
            "symptom",
            f"{part} has failed",
            f"{part} (site {{{{ $labels.site }}}}) does not work.",
            hold=options.confirm_for,
            keep=options.keep_for,
        )
