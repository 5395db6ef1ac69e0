"""Tell people of an escalation through Alertmanager: an alert about an alert.

It has the labels `escalation="true"`, by which routes know it, and `chm_channel`, the channel that
is meant; where that is missing or no channel of ours, the route of everybody takes it. It carries
the device and the site, so that what is silenced by maintenance is silent here, too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.alerts.models import Alert
from controlplane.clients.alertmanager import Alertmanager, PostedAlert
from controlplane.database import now
from controlplane.escalation.models import Escalation, Telling

NAME = "AlertEscalated"
LABEL = "escalation"
CHANNEL = "chm_channel"
LEASE = timedelta(hours=1)  # how long it goes on while nobody of ours runs
KEPT = ("severity", "device", "site", "role", "vendor", "team")
MINUTE = 60


@dataclass(frozen=True)
class Message:
    """What one person or channel is told; `live` is whether it still goes on."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    told_at: datetime
    live: bool

    @classmethod
    def of(cls, telling: Telling, escalation: Escalation, alert: Alert) -> "Message":
        """Make the message of a step that came due."""
        labels = {name: alert.labels[name] for name in KEPT if name in alert.labels}
        turn, place = divmod(telling.position, len(escalation.steps))
        labels |= {
            "alertname": NAME,
            LABEL: "true",
            "alert": alert.alertname,
            "episode": str(alert.id),
            "step": str(place + 1),
            "round": str(turn + 1) if turn else "",
            CHANNEL: telling.channel,
            "person": telling.person,
            "schedule": telling.schedule,
        }
        return cls(
            {name: value for name, value in labels.items() if value},
            _annotations(telling, escalation, alert),
            telling.told_at,
            escalation.counting_since is not None,
        )


@dataclass(frozen=True)
class ThroughAlertmanager:
    """Tells by alerts that Alertmanager routes; what is told again is no new notification."""

    alertmanager: Alertmanager

    async def tell(self, messages: Iterable[Message]) -> None:
        """Have Alertmanager hold what goes on, and end what is over."""
        moment = now()
        await self.alertmanager.post_alerts(
            [
                PostedAlert(
                    m.labels, m.annotations, m.told_at, moment + LEASE if m.live else moment
                )
                for m in messages
            ]
        )


def _after(telling: Telling, escalation: Escalation) -> float:
    """Give for how many seconds nobody had the alert when this was due."""
    turn, place = divmod(telling.position, len(escalation.steps))
    round_seconds = escalation.steps[-1]["after"] + escalation.repeat_after
    after: float = turn * round_seconds + escalation.steps[place]["after"]
    return after


def _annotations(telling: Telling, escalation: Escalation, alert: Alert) -> dict[str, str]:
    kept = dict(alert.annotations)
    about = kept.get("summary") or alert.alertname
    kept["summary"] = f"{about}: not acknowledged for {_after(telling, escalation) / MINUTE:g} min"
    if telling.person:
        kept["on_call"] = telling.person
    elif telling.schedule:
        kept["on_call"] = f"nobody by {telling.schedule}"
    return kept
