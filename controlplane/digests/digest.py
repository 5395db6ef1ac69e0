"""What a digest says of the alerts it tells: how many, where, and the first of them. No I/O."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from controlplane.digests.models import Heard

NAME = "NotificationDigest"
SEVERITIES = ("critical", "warning", "info")  # the worst first
NAMED, SITES, CHARACTERS = 5, 10, 80


@dataclass(frozen=True)
class Digest:
    """A digest as the alert by which it is told."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def digest(alerts: Sequence[Heard], moment: datetime, public_url: str) -> Digest:
    """Tell of some alerts, in the order in which they were heard of, at this moment."""
    by_severity = Counter(alert.labels.get("severity", "") for alert in alerts)
    by_site = Counter(alert.labels.get("site", "") for alert in alerts)
    labels = {"alertname": NAME, "severity": min(by_severity, key=_rank)}
    if len(by_site) == 1:
        labels["site"] = next(iter(by_site))
    since = min(alert.heard_at for alert in alerts)
    annotations = {
        "summary": f"{_count(alerts)} since {since:%H:%M} UTC: {_severities(by_severity)}",
        "description": f"{_sites(by_site)}. {_first(alerts)}{_over(alerts)}",
        "alerts_url": _list(public_url, min(alert.starts_at for alert in alerts), moment),
    }
    return Digest({name: value for name, value in labels.items() if value}, annotations)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _count(alerts: Sequence[Heard]) -> str:
    return "1 more alert" if len(alerts) == 1 else f"{len(alerts)} more alerts"


def _severities(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[s]} {s or 'other'}" for s in sorted(counts, key=_rank))


def _sites(counts: Counter[str]) -> str:
    """Count by site, the busiest first; what is at no site is said so."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [
        f"{count} at {_short(site)}" if site else f"{count} at no site" for site, count in ranked
    ]
    rest = sum(count for _, count in ranked[SITES:])
    more = [f"{rest} at {len(ranked) - SITES} more sites"] if rest else []
    return "By site: " + ", ".join(parts[:SITES] + more)


def _first(alerts: Sequence[Heard]) -> str:
    """Name the worst, the first of them first; how many are not named is said."""
    worst = sorted(alerts, key=lambda alert: _rank(alert.labels.get("severity", "")))
    names = "; ".join(_short(_title(alert)) for alert in worst[:NAMED])
    left = len(alerts) - NAMED
    return f"Among them: {names}" + (f"; and {left} more." if left > 0 else ".")


def _title(alert: Heard) -> str:
    name, device = alert.labels.get("alertname", ""), alert.labels.get("device", "")
    return alert.annotations.get("summary") or f"{name} {device}".strip()


def _over(alerts: Sequence[Heard]) -> str:
    over = sum(alert.over_at is not None for alert in alerts)
    if not over:
        return ""
    return " All are over by now." if over == len(alerts) else f" {over} are over by now."


def _short(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"


def _list(public_url: str, since: datetime, until: datetime) -> str:
    """Give the address of the list of what fired in this time."""
    span = {"since": _written(since), "until": _written(until), "ordering": "starts_at"}
    return f"{public_url.rstrip('/')}/api/v1/alerts?{urlencode(span)}"


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
