"""The stack watches itself: each of its parts that fails gives one alert."""

from dataclasses import replace
from string import Template

from rules import units
from rules.options import Intent
from rules.rule import Alert, Group, Record, Severity
from rules.units import Unit

DOWN = Template("""\
min by (job) (up{job="$job"}) == 0
or
absent(up{job="$job"})""")

# One alert for the control plane, whichever of its two scrapes failed.
CONTROL_PLANE_DOWN = """\
min (up{job=~"chm-intent|chm-controlplane"}) == 0
or
absent(up{job="chm-intent"})"""

# How many devices there are, asked and to be asked, is counted once for all that ask for it.
COUNTS = {
    "job:up:avg": 'avg(up{job="chm-devices"})',
    "job:up:count": 'count(up{job="chm-devices"})',
    "inventory:chm_inventory_device_info:count": "count(device:chm_inventory_device_info:current)",
}

# Prometheus scrapes, the exporter's own page answers, and yet most probes fail.
SCRAPES_FAILING = Template("""\
job:up:avg <= $most
unless on () (min(up{job="chm-exporter"}) == 0)""")
MOST = 0.5

TARGETS_MISSING = """\
inventory:chm_inventory_device_info:count > 0
unless on ()
job:up:count"""

# A control plane that knows no device at all may be one of another database.
TARGETS_WITHHELD = """\
max (chm_targets_withheld_devices) > 0
or
job:up:count unless on () inventory:chm_inventory_device_info:count"""

# With nothing to ask and nothing asked there is no list to serve, and nobody misses it.
DISCOVERY_FAILING = """\
sum (increase(prometheus_sd_refresh_failures_total{mechanism="http"}[10m])) > 0
and on ()
(job:up:count or inventory:chm_inventory_device_info:count)"""

GROUP_SLOW = """\
max by (rule_group) (prometheus_rule_group_last_duration_seconds)
> max by (rule_group) (prometheus_rule_group_interval_seconds)
or
sum by (rule_group) (increase(prometheus_rule_group_iterations_missed_total[10m])) > 0"""

DISK_FULL = Template("min (chm_data_disk_free_bytes / chm_data_disk_size_bytes) < $free")
FREE = 0.1

# 0 is said by an exporter without TLS.
EXPIRING = Template("""\
min by (instance) (chm_exporter_certificate_expiry_timestamp_seconds > 0) - time() < $soon""")
SOON, WEEK = 14 * 86_400, 7 * 86_400

# What has ended is not used any more, and who used it knows.
TOKEN_EXPIRING = Template("""\
min by (owner, token) (chm_api_token_expiry_timestamp_seconds > time()) - time() < $soon""")

NOT_DELIVERED = """\
sum (increase(prometheus_notifications_errors_total[10m])) > 0
or
sum (increase(prometheus_notifications_dropped_total[10m])) > 0
or
max (prometheus_notifications_alertmanagers_discovered) == 0"""


def groups(options: Intent) -> tuple[Group, ...]:
    """Two groups: of each part of the stack, and of all devices, as often as they are asked."""
    alerts = (
        *_services(options),
        *_prometheus(options),
        *_secrets(options),
        *_deliveries(options),
    )
    counts = tuple(Record(name, expr) for name, expr in COUNTS.items())
    return (
        Group("chm-stack", options.evaluation_interval, alerts),
        Group("chm-stack-devices", options.sample_interval, (*counts, *_devices(options))),
    )


def _services(options: Intent) -> tuple[Alert, ...]:
    return (
        _alert(
            "ExporterDown",
            DOWN.substitute(job="chm-exporter"),
            "critical",
            "An exporter is down",
            "Prometheus cannot reach an exporter: nothing is known about the devices it asks.",
            hold=options.confirm_for,
        ),
        _alert(
            "ControlPlaneDown",
            CONTROL_PLANE_DOWN,
            "critical",
            "The control plane is down",
            "Rules go on with the last known inventory for one hour; after that, "
            "alerts about devices end.",
            hold=options.confirm_for,
        ),
        _alert(
            "AlertmanagerDown",
            DOWN.substitute(job="chm-alertmanager"),
            "critical",
            "Alertmanager is down",
            "Alerts are still evaluated and shown, but nobody is told.",
            hold=options.confirm_for,
        ),
        _alert(
            "DataDiskFull",
            DISK_FULL.substitute(free=FREE),
            "critical",
            "The disk of the data folder is almost full",
            "Only {{ $value | humanizePercentage }} of it is free. Once it is full no samples are "
            "stored and no alerts evaluated.",
            hold=options.settle_for,
            bound=("ratio", FREE),
        ),
    )


def _devices(options: Intent) -> tuple[Alert, ...]:
    return (
        _alert(
            "DeviceScrapesFailing",
            SCRAPES_FAILING.substitute(most=MOST),
            "critical",
            "Most devices cannot be asked",
            "Only {{ $value | humanizePercentage }} of the scrapes of devices succeed, "
            "although the exporter runs.",
            hold=options.confirm_for,
            bound=("ratio", MOST),
        ),
        _alert(
            "DeviceTargetsMissing",
            TARGETS_MISSING,
            "critical",
            "Prometheus has no devices to ask",
            "The inventory holds {{ $value }} devices, but Prometheus has got no target.",
            hold=options.settle_for,
        ),
        _alert(
            "TargetsWithheld",
            TARGETS_WITHHELD,
            "critical",
            "The list of devices shrank too much to be believed",
            "{{ $value }} devices would vanish from Prometheus. It keeps asking those it has; "
            "changes do not reach it until somebody confirms them or puts the devices back.",
            hold=options.confirm_for,
        ),
        _alert(
            "ServiceDiscoveryFailing",
            DISCOVERY_FAILING,
            "warning",
            "Prometheus cannot fetch its targets",
            "Prometheus keeps the list of targets it has; new devices are not asked, "
            "removed ones still are.",
            hold=options.settle_for,
        ),
    )


def _prometheus(options: Intent) -> tuple[Alert, ...]:
    return (
        _alert(
            "PrometheusConfigReloadFailed",
            "max (prometheus_config_last_reload_successful) == 0",
            "critical",
            "Prometheus has refused its configuration",
            "Prometheus runs with the configuration it had before; changes have no effect.",
            hold=options.confirm_for,
        ),
        _alert(
            "RuleEvaluationFailing",
            "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[10m])) > 0",
            "critical",
            "Rules of {{ $labels.rule_group }} fail",
            "Alerts of group {{ $labels.rule_group }} may be missing or stuck.",
            hold=options.settle_for,
        ),
        _alert(
            "RuleGroupSlow",
            GROUP_SLOW,
            "warning",
            "Rules of {{ $labels.rule_group }} take longer than their interval",
            "Evaluations of group {{ $labels.rule_group }} are left out: alerts come late.",
            hold=options.settle_for,
        ),
        _alert(
            "RulesetDeploymentFailed",
            "max (chm_ruleset_deployment_failed) == 1",
            "critical",
            "The newest rules are not in force",
            "The rule set made last was refused; Prometheus runs the one before it.",
            hold=options.confirm_for,
        ),
    )


def _secrets(options: Intent) -> tuple[Alert, ...]:
    return (
        _alert(
            "CredentialsUnreadable",
            "max (chm_vault_unreadable_credentials) > 0",
            "critical",
            "Credentials do not open",
            "{{ $value }} credentials were altered or their key is gone; devices that are asked "
            "with no other are not asked.",
            hold=options.confirm_for,
        ),
        _alert(
            "CertificateExpiring",
            EXPIRING.substitute(soon=SOON),
            "warning",
            "The certificate of exporter {{ $labels.instance }} expires soon",
            "In {{ $value | humanizeDuration }} Prometheus will not talk to it any more, and "
            "nothing will be known about the devices that it asks.",
            hold=options.confirm_for,
            bound=("seconds", SOON),
        ),
        _alert(
            "TokenExpiring",
            TOKEN_EXPIRING.substitute(soon=WEEK),
            "warning",
            "Token {{ $labels.token }} of {{ $labels.owner }} expires soon",
            "A program uses it, and will be refused in {{ $value | humanizeDuration }}.",
            hold=options.confirm_for,
            bound=("seconds", WEEK),
        ),
    )


def _deliveries(options: Intent) -> tuple[Alert, ...]:
    return (
        _alert(
            "AlertsNotDelivered",
            NOT_DELIVERED,
            "critical",
            "Alerts do not reach Alertmanager",
            "Prometheus could not hand over alerts, or knows no Alertmanager.",
            hold=options.confirm_for,
        ),
        _alert(
            "AlertmanagerConfigReloadFailed",
            "max (alertmanager_config_last_reload_successful) == 0",
            "critical",
            "Alertmanager has refused its configuration",
            "Alertmanager runs with the routes it had before; changes have no effect.",
            hold=options.confirm_for,
        ),
        _alert(
            "RoutingDeploymentFailed",
            "max (chm_notification_deployment_failed) == 1",
            "critical",
            "Channels or routes are not in force as people made them",
            "Alertmanager tells whom it told before, or leaves a channel out that it cannot use.",
            hold=options.confirm_for,
        ),
        _alert(
            "NotificationsFailing",
            "sum by (integration) (increase(alertmanager_notifications_failed_total[10m])) > 0",
            "critical",
            "Notifications by {{ $labels.integration }} fail",
            "Alertmanager could not send notifications by {{ $labels.integration }}.",
            hold=options.confirm_for,
        ),
    )


def _alert(
    name: str,
    expr: str,
    severity: Severity,
    summary: str,
    description: str,
    *,
    hold: float,
    bound: tuple[Unit, float] | None = None,
) -> Alert:
    made = Alert(name, expr, severity, "stack", summary, description, hold=hold)
    if bound is None:
        return made
    unit, _ = bound
    return replace(made, value=units.shown(unit), threshold=units.shown(*bound))
