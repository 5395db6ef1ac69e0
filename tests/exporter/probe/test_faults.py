"""Which parts and sensors the exporter says to be broken."""

import pytest

from exporter.metrics import family
from exporter.probe import faults


@pytest.mark.parametrize(
    ("name", "label", "bad"),
    [
        ("chm_fan_up", "fan", 0),
        ("chm_power_supply_up", "psu", 0),
        ("chm_module_up", "module", 0),
        ("chm_stack_member_up", "member", 0),
        ("chm_sensor_ok", "sensor", 0),
        ("chm_component_degraded", "component", 1),
        ("chm_alarm_active", "alarm", 1),
    ],
)
def test_what_is_broken_is_said_by_its_name(name: str, label: str, bad: int) -> None:
    """With the labels and the value that it is told with; what works is not said again."""
    told = family(name)
    told.add(bad, {label: 'Fan "1"'})
    told.add(1 - bad, {label: "2"})
    (fault,) = faults.families([told])
    assert fault.samples == [(f'{{{label}="Fan \\"1\\"",metric="{name}"}}', bad)]


def test_what_says_nothing_of_faults_is_left_out() -> None:
    """A processor that does nothing is not broken, and neither is a stack without a cable."""
    idle, ring = family("chm_cpu_utilization_ratio"), family("chm_stack_ring_up")
    idle.add(0, {"cpu": "1"})
    ring.add(0)
    (fault,) = faults.families([idle, ring])
    assert fault.samples == []
