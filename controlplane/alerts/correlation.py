"""Which alert is behind another: by what Alertmanager mutes, and by the way to a device. No I/O."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from controlplane.alerts.models import Alert

DOWN = frozenset({"DeviceDown", "DeviceFlapping"})  # the device itself does not answer, or often
UNREACHABLE = "DeviceUnreachable"  # every way to it leads through one that does not

Parents = Mapping[str, Collection[str]]


def causes(firing: Sequence[Alert], parents: Parents) -> dict[UUID, Alert]:
    """Give for each symptom among the alerts that fire the alert at its root.

    An alert that is inhibited is a symptom of what inhibits it; a device that cannot be reached,
    of the nearest device above it that is down. `parents` maps a device to its parents.
    """
    by_fingerprint = {alert.fingerprint: alert for alert in firing}
    down = {alert.device: alert for alert in firing if alert.alertname in DOWN and alert.device}
    found: dict[UUID, Alert] = {}
    for alert in firing:
        way = {alert.id: alert}
        above = _above(alert, by_fingerprint, down, parents)
        while above is not None and above.id not in way:
            way[above.id] = above
            above = _above(above, by_fingerprint, down, parents)
        if above is None and len(way) > 1:  # a ring has no root
            found[alert.id] = list(way.values())[-1]
    return found


def _above(
    alert: Alert,
    by_fingerprint: Mapping[str, Alert],
    down: Mapping[str, Alert],
    parents: Parents,
) -> Alert | None:
    inhibitors = (by_fingerprint.get(fingerprint) for fingerprint in alert.inhibited_by)
    cause = next((inhibitor for inhibitor in inhibitors if inhibitor is not None), None)
    if cause is None and alert.alertname == UNREACHABLE:
        cause = _nearest(alert.device, down, parents)
    return cause


def _nearest(device: str, down: Mapping[str, Alert], parents: Parents) -> Alert | None:
    """Walk up level by level to a device that is down; a ring ends the walk."""
    level, seen = sorted(parents.get(device, ())), {device}
    while level:
        found = next((down[name] for name in level if name in down), None)
        if found is not None:
            return found
        seen.update(level)
        level = sorted({p for name in level for p in parents.get(name, ())} - seen)
    return None
