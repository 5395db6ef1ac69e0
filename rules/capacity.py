"""What will be full: memory and storage, a month ahead, where the past allows a word about it.

A straight line through two points foretells anything. So the line of a week and that of a day must
agree, for longer than a day, in which a single step leaves the line of the day; there must be a
week of points; and less than half full is nobody's worry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from string import Template

from rules import units
from rules.options import Intent
from rules.rule import Alert, Group, Record

HOUR = 3600.0
AHEAD = 30 * 24 * HOUR
ENOUGH = 134  # of the 168 hours of a week
BELIEVED = 26 * HOUR

MEMORY = """\
max without (instance, job) (
  chm_memory_utilization_ratio
  or
  chm_memory_used_bytes / (chm_memory_size_bytes > 0)
)"""

STORAGE = """\
max without (instance, job) (
  chm_storage_used_bytes / (chm_storage_size_bytes > 0)
)"""

# One point an hour: a week of scrapes of every pool would be too dear to read at each evaluation.
HOURLY = Template("avg_over_time($value[1h])")

FULL = Template("""\
predict_linear($hourly[1w], $ahead) > 1
and predict_linear($hourly[1d], $ahead) > 1
and count_over_time($hourly[1w]) >= $enough
and $value > 0.5
and on (device)
device:chm_inventory_device_info:current""")


@dataclass(frozen=True)
class Resource:
    """Something that fills: `value` records the ratio `expr`, `label` holds its name."""

    alert: str
    value: str
    expr: str
    label: str
    noun: str

    @property
    def hourly(self) -> str:
        """The recorded mean of an hour."""
        return f"{self.value}_avg1h"


RESOURCES = (
    Resource("MemoryFull", "pool:memory_utilization:ratio", MEMORY, "pool", "Memory pool"),
    Resource("StorageFull", "storage:utilization:ratio", STORAGE, "storage", "Storage"),
)


def groups(options: Intent) -> tuple[Group, ...]:
    """Points once an hour, the rest before samples are forgotten: alerts must not grow stale."""
    hourly = tuple(Record(one.hourly, HOURLY.substitute(value=one.value)) for one in RESOURCES)
    values = tuple(Record(one.value, one.expr) for one in RESOURCES)
    return (
        Group("chm-capacity-hourly", HOUR, hourly),
        Group("chm-capacity", options.lasting_interval, (*values, *_alerts())),
    )


def _alerts() -> Iterator[Alert]:
    for one in RESOURCES:
        name = f"{one.noun} {{{{ $labels.{one.label} }}}} of {{{{ $labels.device }}}}"
        yield Alert(
            one.alert,
            FULL.substitute(hourly=one.hourly, value=one.value, ahead=int(AHEAD), enough=ENOUGH),
            "warning",
            "symptom",
            f"{name} will be full within a month",
            f"{name} (site {{{{ $labels.site }}}}) grows so fast that in 30 days it would hold "
            "{{ $value | humanizePercentage }} of its size, by the last week and the last day.",
            hold=BELIEVED,
            keep=HOUR,
            value=units.shown("ratio"),
            threshold=units.shown("ratio", 1),
        )
