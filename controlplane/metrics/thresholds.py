"""Which threshold is in force: the device's own, else the one set for all, else the default."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from controlplane.errors import Invalid, Problem
from controlplane.metrics.models import Metric, Severity


class Key(NamedTuple):
    """What a threshold is for."""

    metric: Metric
    severity: Severity


class Source(StrEnum):
    """Who says so."""

    DEFAULT = "default"
    ALL = "all"
    DEVICE = "device"


class InForce(NamedTuple):
    """A value and where it comes from."""

    value: float
    source: Source


Values = Mapping[Key, float]


# Warning and critical. Interfaces: 1 lost packet in 1,000 is felt by TCP, 1 in 100 by everyone;
# of a few echoes one is lost soon. Jitter of 30 ms is what the buffers of telephones take.
_DEFAULTS = {
    Metric.CPU_UTILIZATION: (0.8, 0.95),
    Metric.MEMORY_UTILIZATION: (0.85, 0.95),
    Metric.INTERFACE_UTILIZATION: (0.8, 0.95),
    Metric.INTERFACE_ERRORS: (0.001, 0.01),
    Metric.INTERFACE_DISCARDS: (0.001, 0.01),
    Metric.TEMPERATURE: (65.0, 80.0),
    Metric.PACKET_LOSS: (0.05, 0.2),
    Metric.RESPONSE_TIME: (0.1, 0.5),
    Metric.JITTER: (0.03, 0.1),
}
DEFAULTS: Values = MappingProxyType(
    {
        Key(metric, severity): value
        for metric, pair in _DEFAULTS.items()
        for severity, value in zip(Severity, pair, strict=True)
    }
)
RATIO = (0.0, 1.0)
CELSIUS = (-100.0, 300.0)
SECONDS = (0.0, 60.0)
BOUNDS: Mapping[Metric, tuple[float, float]] = MappingProxyType(
    {
        Metric.TEMPERATURE: CELSIUS,
        Metric.RESPONSE_TIME: SECONDS,
        Metric.JITTER: SECONDS,
    }
)


def in_force(for_all: Values, for_device: Values) -> dict[Key, InForce]:
    """Give every threshold with the value that counts."""
    return {
        key: InForce(for_device[key], Source.DEVICE)
        if key in for_device
        else InForce(for_all[key], Source.ALL)
        if key in for_all
        else InForce(default, Source.DEFAULT)
        for key, default in DEFAULTS.items()
    }


def check(thresholds: Mapping[Key, InForce], metric: Metric) -> None:
    """Raise Invalid unless the thresholds of a metric make sense, alone and together."""
    low, high = BOUNDS.get(metric, RATIO)
    values = {severity: thresholds[Key(metric, severity)].value for severity in Severity}
    for value in values.values():
        if not low < value <= high:
            detail = f"{metric.value} must be above {low:g} and at most {high:g}, not {value:g}"
            raise Invalid(detail, Problem("/value", "out_of_range", detail))
    warning, critical = values[Severity.WARNING], values[Severity.CRITICAL]
    if warning >= critical:
        detail = f"{metric.value}: warning {warning:g} must be below critical {critical:g}"
        raise Invalid(detail, Problem("/value", "order", detail))
