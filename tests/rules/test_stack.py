from pathlib import Path

import pytest

from tests.rules.promtool import Series, check, device, series

PROMETHEUS = {"job": "chm-prometheus", "instance": "prometheus:9090"}
ALERTMANAGER = {"job": "chm-alertmanager", "instance": "alertmanager:9093"}
GROUP = {**PROMETHEUS, "rule_group": "/rules.d/current/stack.yml;chm-stack"}
EXPORTER = 'up{job="chm-exporter",instance="exporter:9116"}'
FIRST_DEVICE = next(name for name in device("core") if name.startswith("up{"))


def values(name: str, text: str, **labels: str) -> Series:
    return {series(name, **labels): text}


def test_a_healthy_stack_is_quiet(tmp_path: Path) -> None:
    """Nothing fires while everything runs."""
    check(tmp_path, device("core"), firing={"5m": [], "60m": []}, classes=".+")


@pytest.mark.parametrize(
    ("alert", "broken"),
    [
        ("ExporterDown", {EXPORTER: "1x9 0x30 1x60"}),
        ("ExporterDown", {EXPORTER: "1x9 stale _x30 1x60"}),
        ("ControlPlaneDown", {'up{job="chm-intent"}': "1x9 0x30 1x60"}),
        ("ControlPlaneDown", {'up{job="chm-controlplane"}': "1x9 0x30 1x60"}),
        ("ControlPlaneDown", {'up{job="chm-intent"}': "1x9 stale _x30 1x60"}),
        ("AlertmanagerDown", {'up{job="chm-alertmanager"}': "1x9 0x30 1x60"}),
        ("DeviceScrapesFailing", {FIRST_DEVICE: "1x9 0x30 1x60"}),
        ("DeviceTargetsMissing", {FIRST_DEVICE: "1x9 stale _x30 1x60"}),
        (
            "PrometheusConfigReloadFailed",
            values("prometheus_config_last_reload_successful", "1x9 0x30 1x60", **PROMETHEUS),
        ),
        (
            "AlertmanagerConfigReloadFailed",
            values("alertmanager_config_last_reload_successful", "1x9 0x30 1x60", **ALERTMANAGER),
        ),
        (
            "CredentialsUnreadable",
            values("chm_vault_unreadable_credentials", "0x9 2x30 0x60", job="chm-controlplane"),
        ),
        (
            "DataDiskFull",
            {
                **values("chm_data_disk_free_bytes", "50x9 9x30 50x60", job="chm-controlplane"),
                **values("chm_data_disk_size_bytes", "100x120", job="chm-controlplane"),
            },
        ),
        (
            "CertificateExpiring",
            values(
                "chm_exporter_certificate_expiry_timestamp_seconds",
                "1300000x9 1200000x30 1300000x60",
                job="chm-exporter",
                instance="exporter:9116",
            ),
        ),
        (
            "TokenExpiring",
            values(
                "chm_api_token_expiry_timestamp_seconds",
                "700000x9 600000x30 700000x60",
                job="chm-intent",
                owner="ann",
                token="backup",
            ),
        ),
        (
            "RulesetDeploymentFailed",
            values("chm_ruleset_deployment_failed", "0x9 1x30 0x60", job="chm-controlplane"),
        ),
        (
            "RoutingDeploymentFailed",
            values("chm_notification_deployment_failed", "0x9 1x30 0x60", job="chm-intent"),
        ),
        (
            "RuleEvaluationFailing",
            values("prometheus_rule_evaluation_failures_total", "0x9 1+1x30 31x60", **GROUP),
        ),
        (
            "RuleGroupSlow",
            values("prometheus_rule_group_iterations_missed_total", "0x9 1+1x30 31x60", **GROUP),
        ),
        (
            "RuleGroupSlow",
            {
                **values("prometheus_rule_group_last_duration_seconds", "1x9 20x30 1x60", **GROUP),
                **values("prometheus_rule_group_interval_seconds", "15x120", **GROUP),
            },
        ),
        (
            "TargetsWithheld",
            values("chm_targets_withheld_devices", "0x9 9x30 0x60", job="chm-intent"),
        ),
        (
            "ServiceDiscoveryFailing",
            values(
                "prometheus_sd_refresh_failures_total",
                "0x9 1+1x30 31x60",
                **PROMETHEUS,
                mechanism="http",
            ),
        ),
        (
            "AlertsNotDelivered",
            values(
                "prometheus_notifications_errors_total",
                "0x9 1+1x30 31x60",
                **PROMETHEUS,
                alertmanager="http://a",
            ),
        ),
        (
            "AlertsNotDelivered",
            values("prometheus_notifications_dropped_total", "0x9 1+1x30 31x60", **PROMETHEUS),
        ),
        (
            "AlertsNotDelivered",
            values(
                "prometheus_notifications_alertmanagers_discovered",
                "1x9 0x30 1x60",
                **PROMETHEUS,
            ),
        ),
        (
            "NotificationsFailing",
            values(
                "alertmanager_notifications_failed_total",
                "0x9 1+1x30 31x60",
                **ALERTMANAGER,
                integration="email",
            ),
        ),
    ],
)
def test_one_part_that_fails_is_one_alert(tmp_path: Path, alert: str, broken: Series) -> None:
    """Each failure gives one alert and no other, and ends with its cause."""
    check(
        tmp_path,
        device("core"),
        broken,
        firing={"9m": [], "35m": [alert], "65m": []},
        classes=".+",
    )


def test_an_exporter_without_tls_has_nothing_to_expire(tmp_path: Path) -> None:
    """It says 0, which is no moment."""
    without = values("chm_exporter_certificate_expiry_timestamp_seconds", "0x60", instance="e:9116")
    check(tmp_path, device("core"), without, firing={"60m": []}, classes=".+")


def test_a_token_that_has_ended_is_no_news(tmp_path: Path) -> None:
    """Whoever used it has been refused by then."""
    ends = values("chm_api_token_expiry_timestamp_seconds", "1200x60", owner="ann", token="backup")
    check(
        tmp_path,
        device("core"),
        ends,
        firing={"15m": ["TokenExpiring"], "30m": []},
        classes=".+",
    )


def test_dead_exporter_is_one_alert_for_a_thousand_devices(tmp_path: Path) -> None:
    """While the exporter is down, it is named once, and no device is."""
    fleet: dict[str, str] = {}
    for index in range(1000):
        entry = device(f"d{index}", "1x9 stale")
        target = next(name for name in entry if name.startswith("up{"))
        fleet |= {**entry, target: "1x9 0x30"}
    exporter = {EXPORTER: "1x9 0x30"}

    check(tmp_path, fleet, exporter, firing={"30m": ["ExporterDown"]}, classes=".+")
