"""What people write on an alert: who sees to it, and words."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.alerts import service
from controlplane.alerts.history import Change
from controlplane.alerts.models import Alert, Step
from controlplane.auth.actor import Actor
from controlplane.auth.permissions import Permission
from controlplane.errors import Invalid, NotFound, Problem
from controlplane.users import service as users

MAY = Permission.ALERTS_ACKNOWLEDGE


async def assign(
    session: AsyncSession, actor: Actor, alert_id: UUID, assignee: str | None
) -> Alert:
    """Say who sees to an alert, or with None that nobody does; Invalid for one who cannot."""
    await service.take_turn(session)
    alert = await service.get(session, actor, alert_id, MAY)
    if assignee is not None:
        await _check_person(session, assignee)
    before, after = {"assignee": alert.assignee}, {"assignee": assignee or ""}
    if before == after:
        return alert
    alert.assignee = assignee or ""
    step = Step.ASSIGNED if assignee else Step.UNASSIGNED
    detail = {"assignee": assignee} if assignee else {"assignee": before["assignee"]}
    await service.record(session, [Change(alert, step, detail=detail)], actor)
    await service.log(session, actor, alert, dict(before), dict(after))
    return alert


async def comment(session: AsyncSession, actor: Actor, alert_id: UUID, words: str) -> Alert:
    """Add words to the history of an alert, also of one that is over."""
    alert = await service.get(session, actor, alert_id, MAY)
    await service.record(session, [Change(alert, Step.COMMENTED)], actor, words)
    await service.log(session, actor, alert, {}, {"comment": words})
    return alert


async def _check_person(session: AsyncSession, name: str) -> None:
    try:
        person = await users.get(session, name)
    except NotFound as error:
        raise Invalid(error.detail, Problem("/assignee", "unknown", error.detail)) from None
    if not person.active:
        detail = f"user {name!r} is disabled"
        raise Invalid(detail, Problem("/assignee", "disabled", detail))
