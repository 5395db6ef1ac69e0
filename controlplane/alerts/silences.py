"""Acknowledgements as silences: one for exactly the labels of each alert, marked as ours. No I/O.

A silence is leased: it is extended while the alert fires, and ends by itself when nobody is there
to extend it. Then people are told again, which is the safe side.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from controlplane.alerts.models import Alert
from controlplane.clients.alertmanager import Matcher, Silence

MARK = re.compile(r"chm-ack:([0-9a-f-]{36})(?: .*)?", re.DOTALL)
LEASE = timedelta(minutes=15)
EXTEND = timedelta(minutes=10)  # what is left when a lease is extended


@dataclass(frozen=True)
class Plan:
    """What Alertmanager is to be told: silences to make or extend, and ids of those to end."""

    set: tuple[Silence, ...]
    expire: tuple[str, ...]


def own(silences: Sequence[Silence]) -> frozenset[str]:
    """Give the ids of the silences that hold acknowledgements, also of those that are over."""
    return frozenset(silence.id for silence in silences if MARK.fullmatch(silence.comment))


def plan(acknowledged: Sequence[Alert], silences: Sequence[Silence], moment: datetime) -> Plan:
    """Compare what is acknowledged with the silences there are: one for each, and no other.

    `acknowledged` are the alerts that fire and that somebody has. Whatever was interrupted, by
    whom or when, the next plan makes it good.
    """
    wanted = {
        str(a.id): a for a in acknowledged if not a.ack_expires_at or a.ack_expires_at > moment
    }
    held: defaultdict[str, list[Silence]] = defaultdict(list)
    for silence in sorted(silences, key=lambda silence: silence.id):
        mark = MARK.fullmatch(silence.comment)
        if mark and silence.state != "expired":
            held[mark[1]].append(silence)
    expire = [s.id for alert, ours in held.items() for s in ours[alert in wanted :]]
    made = (_fitted(alert, next(iter(held[name]), None), moment) for name, alert in wanted.items())
    return Plan(tuple(silence for silence in made if silence is not None), tuple(expire))


def _fitted(alert: Alert, held: Silence | None, moment: datetime) -> Silence | None:
    """Give the silence to make or to change to, or None where the one held will do."""
    end = min(alert.ack_expires_at or moment + LEASE, moment + LEASE)
    if held is None:
        return Silence(_matchers(alert), moment, end, alert.acknowledged_by, _comment(alert))
    enough = min(end, moment + EXTEND)
    if enough <= held.ends_at <= end + timedelta(seconds=1):
        return None
    return replace(held, ends_at=end, created_by=alert.acknowledged_by, comment=_comment(alert))


def _matchers(alert: Alert) -> tuple[Matcher, ...]:
    return tuple(Matcher(name, value) for name, value in sorted(alert.labels.items()) if value)


def _comment(alert: Alert) -> str:
    return f"chm-ack:{alert.id} {alert.ack_comment}".strip()
