"""The queries of the boards, asked over a small network by promtool's own engine."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import dashboards
from dashboards.queries import expressions
from tests.tools import tool

ROOT = Path(__file__).parents[2]
CORE = 'job="chm-devices", instance="core1", device="core1", site="demo", role="core"'
EDGE = 'job="chm-devices", instance="edge1", device="edge1"'  # no site, no role
DARK = 'job="chm-devices", instance="dark1", device="dark1", site="demo"'  # its exporter is down
INTENT = 'job="chm-intent", instance="controlplane"'
PORT = f'{CORE}, ifAlias="uplink", ifDescr="GigabitEthernet0/1", ifIndex="1", ifName="Gi0/1"'
ALERT = 'alertname="PowerSupplyFailed", device="core1", site="demo", severity="critical"'
BAND = 'baseline="loss", aggregate="packet_loss", method="robust", site="demo"'
WATCHDOG = 'alertname="Watchdog", alertclass="stack", severity="none"'

# One sample a minute for two hours, in the notation of promtool. The numbers are sums of powers
# of two, so that what comes out can be compared exactly.
NETWORK = {
    "up": {CORE: "1x120", EDGE: "1x120", DARK: "0x120", 'job="chm-intent"': "1x120"},
    "scrape_duration_seconds": {CORE: "2x120", EDGE: "1x120"},
    "chm_device_up": {CORE: "1x120", EDGE: "0x60 1x59"},
    "chm_uptime_seconds": {CORE: "0+60x120"},
    "chm_device_info": {f'{CORE}, vendor="Cisco", model="C9300", os_version="17"': "1x120"},
    "chm_collector_success": {
        f'{CORE}, collector="snmp"': "1x120",
        f'{CORE}, collector="ssh"': "0x120",
    },
    "chm_cpu_utilization_ratio": {f'{CORE}, cpu="1"': "0.25x120", f'{CORE}, cpu="2"': "0.75x120"},
    "chm_memory_used_bytes": {f'{CORE}, pool="main"': "640x120"},
    "chm_memory_size_bytes": {f'{CORE}, pool="main"': "1024x120"},
    "chm_memory_utilization_ratio": {f'{EDGE}, pool="main"': "0.5x120"},
    "chm_temperature_celsius": {f'{CORE}, sensor="inlet"': "40x120"},
    "chm_fan_up": {f'{CORE}, fan="1"': "1x120"},
    "chm_power_supply_up": {f'{CORE}, psu="A"': "0x120"},
    "chm_module_up": {f'{CORE}, module="1"': "1x120"},
    "chm_stack_member_up": {f'{CORE}, member="1"': "1x120"},
    "chm_temperature_limit_celsius": {
        f'{CORE}, sensor="inlet", limit="high_critical"': "75x120",
    },
    "chm_sensor_dbm": {f'{CORE}, sensor="Rx"': "-4x120"},
    "chm_bgp_session_up": {f'{CORE}, peer="192.0.2.1", remote_as="64500"': "1x120"},
    "chm_bgp_session_enabled": {f'{CORE}, peer="192.0.2.1", remote_as="64500"': "1x120"},
    "chm_ospf_neighbor_up": {f'{CORE}, neighbor="192.0.2.2"': "1x120"},
    "ifHCInOctets": {PORT: "0+3750000000x120"},  # 500 Mbit/s
    "ifHCOutOctets": {PORT: "0+937500000x120"},  # 125 Mbit/s
    "ifInErrors": {PORT: "0+60x120"},
    "ifOutErrors": {PORT: "0+120x120"},
    "ifInDiscards": {PORT: "0+60x120"},
    "ifOutDiscards": {PORT: "0x120"},
    "ifHighSpeed": {PORT: "1000x120"},
    "ifAdminStatus": {PORT: "1x120"},
    "ifOperStatus": {PORT: "2x120"},
    "chm_inventory_device_info": {
        f'{INTENT}, device="core1", site="demo", role="core"': "1x120",
        f'{INTENT}, device="edge1"': "1x120",
        f'{INTENT}, device="lost1", site="demo"': "1x120",  # not even a target
    },
    "chm_topology_parent": {
        f'{INTENT}, device="core1", parent="edge1"': "1x120",
        f'{INTENT}, device="core1", parent="lost1"': "1x120",
    },
    "chm_threshold": {
        f'{INTENT}, device="core1", severity="warning", metric="cpu_utilization"': "0.5x120",
    },
    "chm_threshold_common": {
        f'{INTENT}, severity="warning", metric="{metric}"': "0.7x120"
        for metric in ("cpu_utilization", "memory_utilization", "temperature")
    },
    "baseline:aggregate:value": {BAND: "35x120"},
    "baseline:aggregate:band_lower": {BAND: "10x120"},
    "baseline:aggregate:band_upper": {BAND: "30x120"},
    "ALERTS": {
        f'{ALERT}, alertclass="cause", alertstate="firing"': "1x120",
        f'{WATCHDOG}, alertstate="firing"': "1x120",
    },
    "ALERTS_FOR_STATE": {f'{ALERT}, alertclass="cause"': "3600x120", WATCHDOG: "0x120"},
}
SERIES = [
    {"series": f"{name}{{{labels}}}", "values": values}
    for name, series in NETWORK.items()
    for labels, values in series.items()
]


def ask(folder: Path, questions: list[tuple[str, list[dict[str, Any]]]]) -> str:
    """Let promtool compare each query's answer after two hours; its complaints, or ''."""
    test = {
        "interval": "1m",
        "input_series": SERIES,
        "promql_expr_test": [
            {"expr": expr, "eval_time": "2h", "exp_samples": samples} for expr, samples in questions
        ],
    }
    file = folder / "boards.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [test]})
    )
    result = subprocess.run(
        [tool("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr


def query(name: str, panel: str, index: int = 0, **variables: str) -> str:
    found = expressions(dashboards.render()[name], variables)
    expr = [each.expr for each in found if each.panel == panel][index]
    return f"round({expr}, 0.125)"  # the extrapolation of rate() is right to some 15 digits


def test_every_query_finds_data(text: str, tmp_path: Path) -> None:
    """Over a network that has one of everything, no panel stays empty and no query fails."""
    name = {"device": "core1"} if '"uid": "chm-device"' in text else None
    questions = [
        (f"count({each.expr}) > bool 0", [{"labels": "{}", "value": 1}])
        for each in expressions(text, name)
    ]
    assert ask(tmp_path, questions) == ""


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        ("Up", {"{}": 2}),
        ("Down", {"{}": 0}),
        ("Unknown", {"{}": 2}),  # dark1: no exporter; lost1: not even a target
        ("Alerts: critical", {"{}": 1}),
        ("Alerts: warning", {"{}": 0}),
        ("Outages", {'{device="edge1"}': 1}),
        ("What is unusual", {'{baseline="loss", site="demo"}': 1.25}),
        (
            "Devices",
            {
                '{device="core1", role="core", site="demo"}': 1,
                '{device="edge1"}': 1,
                '{device="dark1", site="demo"}': -1,
                '{device="lost1", site="demo"}': -1,
            },
        ),
        (
            "Busiest interfaces",
            {
                '{device="core1", ifName="Gi0/1", direction="in"}': 0.5,
                '{device="core1", ifName="Gi0/1", direction="out"}': 0.125,
            },
        ),
        (
            "Interfaces with errors",
            {
                '{device="core1", ifName="Gi0/1", direction="in"}': 1,
                '{device="core1", ifName="Gi0/1", direction="out"}': 2,
            },
        ),
        ("Failing collectors", {'{device="core1", collector="ssh"}': 0}),
        (
            "Firing alerts",
            {
                '{alertname="PowerSupplyFailed", alertclass="cause", device="core1", '
                'severity="critical", site="demo"}': 3600
            },
        ),
    ],
)
def test_fleet(tmp_path: Path, panel: str, expected: dict[str, float]) -> None:
    """The fleet board counts what is there, what is down, and what nobody knows."""
    samples = [{"labels": labels, "value": value} for labels, value in expected.items()]

    assert ask(tmp_path, [(query("chm-fleet.json", panel, device=".*"), samples)]) == ""


@pytest.mark.parametrize(
    ("device", "panel", "value"),
    [
        ("core1", "State", '{device="core1", role="core", site="demo"} 1'),
        ("dark1", "State", '{device="dark1", site="demo"} -1'),
        ("core1", "Availability", "{} 1"),
        ("dark1", "Availability", "{} 0"),
        ("core1", "Interfaces down", "{} 1"),
        ("core1", "Failed parts", "{} 1"),
        ("edge1", "Failed parts", "{} 0"),
        ("core1", "CPU", '{device="core1"} 0.75'),
        ("core1", "Memory", '{device="core1"} 0.625'),
        ("edge1", "Memory", '{device="edge1"} 0.5'),
        ("core1", "Temperature", '{device="core1"} 40'),
        ("core1", "Uptime", "{} 7200"),
    ],
)
def test_device(tmp_path: Path, device: str, panel: str, value: str) -> None:
    """The device board tells the worst of each signal, and unknown from down."""
    labels, number = value.rsplit(" ", 1)
    samples = [{"labels": labels, "value": float(number)}]

    assert ask(tmp_path, [(query("chm-device.json", panel, device=device), samples)]) == ""


def test_upstream(tmp_path: Path) -> None:
    """The device board shows the state of what lies before the device, unknown ones included."""
    samples: list[dict[str, Any]] = [
        {"labels": '{parent="edge1"}', "value": 1},
        {"labels": '{parent="lost1"}', "value": -1},
    ]
    expr = query("chm-device.json", "Upstream", device="core1")

    assert ask(tmp_path, [(expr, samples)]) == ""


def test_interface_table(tmp_path: Path) -> None:
    """Each column of the interface table has the unit it claims."""
    labels = '{ifAlias="uplink", ifIndex="1", ifName="Gi0/1"}'
    values = [2, 1, 1e9, 5e8, 1.25e8, 0.5, 0.125, 3]
    questions = [
        (
            query("chm-device.json", "Interfaces in detail", index, device="core1"),
            [{"labels": labels, "value": value}],
        )
        for index, value in enumerate(values)
    ]
    assert ask(tmp_path, questions) == ""
