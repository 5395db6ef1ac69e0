"""What is broken by the word of the device, as `chm_fault`.

A device tells of a dozen parts and sensors that they work. So rules read of none but the others.
"""

from collections.abc import Iterable

from exporter.metrics import Family, Number, family

BAD = {
    "chm_fan_up": 0,
    "chm_power_supply_up": 0,
    "chm_module_up": 0,
    "chm_stack_member_up": 0,
    "chm_sensor_ok": 0,
    "chm_component_degraded": 1,
    "chm_alarm_active": 1,
}


def families(found: Iterable[Family]) -> list[Family]:
    """Return what says that something is broken, by the name of its family and with its labels."""
    faults: dict[str, Number] = {}
    for made in found:
        if (bad := BAD.get(made.name)) is not None:
            for block, number in made.samples:
                if number == bad:
                    faults[f'{{{block[1:-1]},metric="{made.name}"}}'] = number
    fault = family("chm_fault")
    fault.blocks, fault.numbers = list(faults), list(faults.values())
    return [fault]
