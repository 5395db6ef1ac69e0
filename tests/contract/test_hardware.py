"""Each vendor's device, its parts broken one by one, told by the exporter and seen by the rules."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from exporter.profiles.loader import Configuration
from lab import platforms
from lab.platforms.platform import Platform
from lab.server import Lab
from lab.topology import DeviceSpec, Topology
from tests.fidelity.observation import page, parsed, shipped
from tests.rules.promtool import Series, device, evaluate, threshold

BASE = "127.0.95."
HOT = 92.0  # Celsius: above every limit of every platform
CATALOGUE = {
    name: platform
    for name, platform in platforms.catalogue().items()
    if name not in {"catalyst-9300x-24y", "catalyst-48-ports"}  # other ports, same parts
}
Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]
Break = tuple[str, dict[str, object]]
OTHERS = ("chm_collector", "chm_device", "chm_interface", "chm_neighbor", "chm_uptime")

FAN: Break = ("fan-failed", {"fan": 1})
SUPPLY: Break = ("psu-failed", {"psu": 1})
MODULE: Break = ("module-failed", {"module": 1})
HEAT: Break = ("temperature-high", {"celsius": HOT})

STACKS = {"dell-s4810-os9", "extreme-x460g2"}  # whose modules are members of a stack


def topology(*names: str) -> Topology:
    """Return a device of each of these platforms, without cables."""
    return Topology(
        tuple(
            DeviceSpec(name, CATALOGUE[name], "access", f"{BASE}{10 + number}", "lab")
            for number, name in enumerate(names)
        )
    )


def breaks(platform: Platform) -> list[Break]:
    """Return what of a platform can be broken."""
    there = ((FAN, platform.fans), (SUPPLY, platform.power_supplies), (MODULE, platform.modules))
    return [HEAT, *(each for each, count in there if count)]


def shows(name: str, broken: Break) -> str:
    """Return the family that shows what is broken."""
    if broken == MODULE and name in STACKS:
        return "chm_stack_member_up"
    return {
        "fan-failed": "chm_fan_up",
        "psu-failed": "chm_power_supply_up",
        "module-failed": "chm_module_up",
        "temperature-high": "chm_temperature_celsius",
    }[broken[0]]


async def seen(lab: Lab, name: str, configuration: Configuration) -> Page:
    """Return what the exporter tells of the parts of a device."""
    told = parsed(await page(f"{lab.address(name)}:{lab.port}", configuration))
    return {
        series: value
        for series, value in told.items()
        if series[0].startswith("chm_") and not series[0].startswith(OTHERS)
    }


def values(page: Page, family: str) -> list[float]:
    return sorted(value for (name, _), value in page.items() if name == family)


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return shipped()


@pytest.mark.parametrize("name", CATALOGUE)
async def test_every_vendors_failure_is_told(name: str, configuration: Configuration) -> None:
    """One part broken is one sample changed, under the same name whoever built the device."""
    async with Lab(topology(name), snmp_port=0) as lab:
        healthy = await seen(lab, name, configuration)
        for broken in breaks(CATALOGUE[name]):
            well = values(healthy, shows(name, broken))
            lab.start(name, *broken)
            ill = values(await seen(lab, name, configuration), shows(name, broken))
            lab.stop(name, broken[0])
            assert well, broken
            if broken == HEAT:
                assert well[-1] < HOT - 1
                assert ill[-1] == pytest.approx(HOT, abs=0.5)
            else:
                assert (well, ill) == ([1] * len(well), [0, *[1] * (len(well) - 1)]), broken


async def test_every_vendors_failure_is_an_alert(
    tmp_path: Path, configuration: Configuration
) -> None:
    """Over devices of all vendors nothing fires while they are well, and each part when broken."""
    pages: list[Series] = []
    async with Lab(topology(*CATALOGUE), snmp_port=0) as lab:
        for name, platform in CATALOGUE.items():
            well = await seen(lab, name, configuration)
            for broken in breaks(platform):
                lab.start(name, *broken)
            pages.append(series(name, well, await seen(lab, name, configuration)))
    inventory = [device(name) for name in CATALOGUE]
    limits = [threshold(name, "temperature", 60, 75) for name in CATALOGUE]
    alerts = [
        {"labels": f'{{alertname="{alert(name, broken)}", device="{name}"}}', "value": 1}
        for name, platform in CATALOGUE.items()
        for broken in breaks(platform)
    ]
    names = "|".join(sorted({alert(name, b) for name, p in CATALOGUE.items() for b in breaks(p)}))
    fired = f'ALERTS{{alertstate="firing", alertname=~"{names}"}}'
    some = 'count(ALERTS{alertstate="firing", alertclass=~"cause|symptom"})'

    parts = (*inventory, *limits, *pages)
    evaluate(tmp_path, *parts, expr=some, expected={"9m": []})
    expr = f"count by (alertname, device) ({fired}) > bool 0"
    evaluate(tmp_path, *parts, expr=expr, expected={"20m": alerts})


def alert(name: str, broken: Break) -> str:
    """Return the alert that tells of what is broken."""
    return {
        "chm_fan_up": "FanFailed",
        "chm_power_supply_up": "PowerSupplyFailed",
        "chm_module_up": "ModuleFailed",
        "chm_stack_member_up": "StackMemberLost",
        "chm_temperature_celsius": "TemperatureHigh",
    }[shows(name, broken)]


def series(name: str, well: Page, ill: Page) -> Mapping[str, str]:
    """Return ten minutes of health, and then the failure."""
    made = {}
    for family, labels in dict.fromkeys((*well, *ill)):
        pairs = {
            **dict(labels),
            "device": name,
            "site": "lab",
            "role": "core",
            "vendor": "Cisco",
            "instance": name,
            "job": "chm-devices",
        }
        inside = ",".join(f"{key}={json.dumps(value)}" for key, value in pairs.items())
        before, after = (page.get((family, labels)) for page in (well, ill))
        made[f"{family}{{{inside}}}"] = f"{notation(before)}x9 {notation(after)}x20"
    return made


def notation(value: float | None) -> str:
    return "_" if value is None else f"{value:.10f}"
