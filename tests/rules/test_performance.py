from pathlib import Path

import pytest

from tests.rules.promtool import Series, check, device, series, threshold

LABELS = {
    "device": "sw1",
    "site": "lab",
    "role": "core",
    "vendor": "Cisco",
    "instance": "sw1",
    "job": "chm-devices",
}


def echoes(name: str, values: str) -> Series:
    return {series(f"chm_icmp_{name}", **LABELS): values}


@pytest.mark.parametrize(
    ("alert", "measured", "metric", "values"),
    [
        ("PacketLoss", "loss_ratio", "packet_loss", (0, 0.1, 0.5)),
        ("ResponseSlow", "rtt_avg_seconds", "response_time", (0.02, 0.2, 0.9)),
        ("JitterHigh", "jitter_seconds", "jitter", (0.001, 0.05, 0.3)),
    ],
)
def test_what_is_above_its_threshold_for_minutes_is_told_and_resolves(
    tmp_path: Path, alert: str, measured: str, metric: str, values: tuple[float, float, float]
) -> None:
    """The warning comes, the critical alert joins it, and both end when the way is good again."""
    good, bad, worse = values
    warning, critical = (
        f'{alert}{{device="sw1", severity="{severity}"}}' for severity in ("warning", "critical")
    )
    check(
        tmp_path,
        device("sw1"),
        threshold("sw1", metric, bad / 2, worse / 2),
        echoes(measured, f"{good}x19 {bad}x40 {worse}x40 {good}x40"),
        firing={"18m": [], "40m": [warning], "90m": [critical, warning], "130m": []},
        by="device, severity",
    )


def test_one_lost_echo_tells_nobody(tmp_path: Path) -> None:
    """A burst that is over after one scrape is no alert."""
    check(
        tmp_path,
        device("sw1"),
        threshold("sw1", "packet_loss", 0.05, 0.2),
        echoes("loss_ratio", "0x19 0.5x0 0x40"),
        firing={"21m": [], "25m": [], "30m": []},
    )


def test_a_device_that_answers_no_echo_at_all_is_behind_a_filter(tmp_path: Path) -> None:
    """A device that answers SNMP and never an echo has no bad line."""
    check(
        tmp_path,
        device("sw1"),
        threshold("sw1", "packet_loss", 0.05, 0.2),
        echoes("loss_ratio", "1x60"),
        firing={"40m": []},
    )


def test_a_device_that_is_down_loses_no_packets(tmp_path: Path) -> None:
    """Of a device that died one alert speaks, not a second one about its echoes."""
    check(
        tmp_path,
        device("sw1", "1x19 0x60"),
        threshold("sw1", "packet_loss", 0.05, 0.2),
        echoes("loss_ratio", "0x19 1x60"),
        firing={"40m": ['DeviceDown{device="sw1"}']},
    )
