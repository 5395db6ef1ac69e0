"""Processors, memory, temperatures, sensors, and the parts of a device that fail or vanish."""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template

from rules import lost, units
from rules.options import Intent
from rules.rule import Alert, Group, Record, Severity
from rules.thresholds import ThresholdAlert

# The mean over the processors: one busy core of sixteen is no trouble of the device.
CPU = Template("avg without (instance, job, cpu) (chm_cpu_utilization_ratio) > $lowest")

MEMORY = Template("""\
max without (instance, job) (
  chm_memory_utilization_ratio > $lowest
  or
  chm_memory_used_bytes / (chm_memory_size_bytes > 0) > $lowest
)""")

# A sensor for which the device has a limit is judged by that alone: an ASIC may run at 90 degrees.
# A limit of 0 is one that was never set.
TEMPERATURE = Template("""\
max without (instance, job) (chm_temperature_celsius > $lowest)
unless on (device, sensor)
(chm_temperature_limit_celsius{limit=~"high_.+"} > 0)""")

OWN_TEMPERATURE = Template("""\
max without (instance, job, unit, limit) (
  chm_sensor_beyond_limit{unit="celsius", limit="high_$severity"}
)
unless on (device)
device:chm_inventory_device_info:missing""")

OWN_LIMIT = Template("""\
chm_temperature_limit_celsius{device=%[1]q, sensor=%[2]q, limit="high_$severity"} > 0""")

FAILED = Template("""\
(
  max without (instance, job, metric) (chm_fault{metric="$metric"})
  unless on (device)
  device:chm_inventory_device_info:missing
)""")

# Heat has an alert of its own.
BEYOND = """\
(
  max without (instance, job, unit, limit) (
    chm_sensor_beyond_limit{unit!="celsius", limit=~".+_critical"}
    or
    chm_sensor_beyond_limit{unit="celsius", limit="low_critical"}
  )
  unless on (device)
  device:chm_inventory_device_info:missing
)"""

# What a sensor reads beyond a critical limit of its own, and that limit, both with their unit.
READING = 'chm_sensor_beyond_limit{device=%[1]q, sensor=%[2]q, limit=~".+_critical"}'
LIMITS = " or ".join(
    f"chm_{name}{{device=%[1]q, sensor=%[2]q}}"
    for name in (
        "temperature_limit_celsius",
        *(f"sensor_limit_{unit}" for unit in ("volts", "amperes", "watts", "dbm")),
    )
)
BEYOND_LIMIT = f"0 * {READING} + on (device, sensor, limit) group_left () ({LIMITS})"
FIGURES = {
    "SensorOutOfRange": tuple(
        units.asked("labelled", promql, "device", "sensor") for promql in (READING, BEYOND_LIMIT)
    )
}

DEVICE = "{{ $labels.device }}"
SITE = "(site {{ $labels.site }})"
SHARE = "{{ $value | humanizePercentage }}"


@dataclass(frozen=True)
class Part:
    """A kind of part that can fail or vanish; `label` holds its name."""

    alert: str
    metric: str
    label: str
    noun: str
    severity: Severity = "warning"

    @property
    def lost(self) -> str:
        """The recorded time since when a part is missing."""
        return f"{self.label}:{self.metric}:lost_timestamp_seconds"


PARTS = (
    Part("FanFailed", "chm_fan_up", "fan", "Fan"),
    Part("PowerSupplyFailed", "chm_power_supply_up", "psu", "Power supply"),
    Part("ModuleFailed", "chm_module_up", "module", "Module"),
    Part("StackMemberLost", "chm_stack_member_up", "member", "Stack member", "critical"),
)


def groups(options: Intent) -> tuple[Group, ...]:
    """Two groups: what devices tell, as often as they are polled; what is gone, more seldom."""
    rules: tuple[Record | Alert, ...] = (
        *_thresholds(options),
        *_parts(options),
        *_words(options),
    )
    gone = tuple(lost.record(part.lost, part.metric, part.label, counted=True) for part in PARTS)
    return (
        Group("chm-hardware", options.sample_interval, rules),
        Group("chm-hardware-lost", options.lasting_interval, gone),
    )


def _thresholds(options: Intent) -> Iterator[Record | Alert]:
    for alert in (
        ThresholdAlert(
            "CpuHigh",
            "device:cpu_utilization:high",
            CPU,
            "cpu_utilization",
            f"The processor of {DEVICE} is busy",
            f"{DEVICE} has used {SHARE} of its processors for minutes.",
        ),
        ThresholdAlert(
            "MemoryHigh",
            "pool:memory_utilization:high",
            MEMORY,
            "memory_utilization",
            f"{DEVICE} runs out of memory",
            f"{SHARE} of memory pool {{{{ $labels.pool }}}} of {DEVICE} is in use.",
        ),
        ThresholdAlert(
            "TemperatureHigh",
            "sensor:temperature:high",
            TEMPERATURE,
            "temperature",
            f"{DEVICE} is hot",
            f"Sensor {{{{ $labels.sensor }}}} of {DEVICE} reads {{{{ $value }}}} degrees Celsius.",
            unit="celsius",
            own=OWN_TEMPERATURE,
            own_limit=OWN_LIMIT,
            part="sensor",
        ),
    ):
        yield alert.recorded()
        yield from alert.pair(options.settle_for)


def _parts(options: Intent) -> Iterator[Alert]:
    for part in PARTS:
        name = f"{part.noun} {{{{ $labels.{part.label} }}}} of {DEVICE}"
        failed = FAILED.substitute(metric=part.metric)
        yield Alert(
            part.alert,
            f"{failed}\nor\n{lost.gone(part.lost)}",
            part.severity,
            "symptom",
            f"{name} has failed or is gone",
            f"{name} {SITE} does not work, or the device knows it no more.",
            hold=options.confirm_for,
            keep=options.keep_for,
        )


def _words(options: Intent) -> Iterator[Alert]:
    """Alert on what the device itself says of its parts, its sensors and its health."""
    sensor = f"Sensor {{{{ $labels.sensor }}}} of {DEVICE}"
    part = f"{{{{ $labels.kind }}}} {{{{ $labels.component }}}} of {DEVICE}"
    alarm = f"alarm {{{{ $labels.alarm }}}} of {DEVICE}"
    not_ok = FAILED.substitute(metric="chm_sensor_ok")
    for name, expr, summary, description in (
        (
            "ComponentDegraded",
            FAILED.substitute(metric="chm_component_degraded"),
            f"A part of {DEVICE} is degraded",
            f"The {part} {SITE} works, but not well, by the word of the device.",
        ),
        (
            "DeviceAlarm",
            FAILED.substitute(metric="chm_alarm_active"),
            f"{DEVICE} raises an alarm",
            f"The {alarm} {SITE} is raised.",
        ),
        (
            "SensorOutOfRange",
            f"{not_ok}\nor\n{BEYOND}",
            f"{sensor} is out of range",
            f"{sensor} {SITE} reads what the device itself calls bad, or beyond its limits.",
        ),
    ):
        value, limit = FIGURES.get(name, ("", ""))
        yield Alert(
            name,
            expr,
            "warning",
            "symptom",
            summary,
            description,
            hold=options.confirm_for,
            keep=options.keep_for,
            value=value,
            threshold=limit,
        )
