"""How long nobody has had an alert: the time of an escalation, which stops and goes on; no I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from controlplane.alerts.models import Alert, AlertState
from controlplane.escalation.models import Escalation
from controlplane.escalation.schemas import StepFields


def begin(alert: Alert, policy_since: datetime) -> datetime | None:
    """Give since when a new escalation counts: the alert's start, but not before its policy.

    None while somebody has the alert, or nobody is told of it.
    """
    if alert.state is not AlertState.ACTIVE:
        return None
    return max(alert.starts_at, policy_since)


def advance(escalation: Escalation, alert: Alert, moment: datetime) -> bool:
    """Have the time go on or stop as the alert is; say whether it has just begun to go on."""
    counts = escalation.counting_since is not None
    if alert.state is AlertState.ACTIVE and not counts:
        escalation.counting_since, escalation.closed_at = moment, None
        return True
    if alert.state is not AlertState.ACTIVE and counts:
        escalation.waited_seconds = waited(escalation, _stopped(alert, moment))
        escalation.counting_since = None
    if alert.state is AlertState.RESOLVED and escalation.closed_at is None:
        escalation.closed_at = moment
    return False


def waited(escalation: Escalation, moment: datetime) -> float:
    """Give how many seconds nobody has had the alert so far."""
    since = escalation.counting_since
    running = max(timedelta(), moment - since) if since is not None else timedelta()
    return escalation.waited_seconds + running.total_seconds()


def due(escalation: Escalation, moment: datetime) -> Sequence[tuple[int, StepFields]]:
    """Give the steps whose time has come, with their positions; none while the time stands.

    Positions count on where the steps begin again.
    """
    if escalation.counting_since is None:
        return ()
    passed = waited(escalation, moment)
    steps = [StepFields.model_validate(step) for step in escalation.steps]
    round_seconds = steps[-1].after + escalation.repeat_after if steps else 0
    return [
        (turn * len(steps) + index, step)
        for turn in range(escalation.repeat + 1)
        for index, step in enumerate(steps)
        if turn * round_seconds + step.after <= passed
    ]


def _stopped(alert: Alert, moment: datetime) -> datetime:
    at = alert.acknowledged_at or alert.ends_at or moment
    return min(at, moment)
