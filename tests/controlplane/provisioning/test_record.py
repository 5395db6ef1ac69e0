"""What is kept of attempts to put a rule set in force."""

from sqlmodel import col, select

from controlplane.audit.models import Action, AuditEntry, Kind, Outcome
from controlplane.provisioning import service
from controlplane.provisioning.deployment import Deployment
from tests.controlplane.conftest import Sessions


async def test_what_changed_is_in_the_audit_log(sessions: Sessions) -> None:
    """A set that comes into force and one that cannot are each recorded once, as done by CHM."""
    good = Deployment("a" * 16, "deployed", "3 files", running=True)
    bad = Deployment("b" * 16, "failed", "promtool refuses it", running=False)
    for result in (good, good, bad, bad):
        async with sessions.begin() as session:
            await service.record(session, result)
    async with sessions() as session:
        found = await session.scalars(select(AuditEntry).order_by(col(AuditEntry.seq)))
        first, second = found
    assert {first.action, second.action} == {Action.CONFIG_CHANGE}
    assert {first.actor_kind, second.actor_kind} == {Kind.SYSTEM}
    assert (first.outcome, second.outcome) == (Outcome.SUCCESS, Outcome.FAILURE)
    assert second.before == {"revision": good.revision}
    assert second.after == {"revision": bad.revision, "detail": "promtool refuses it"}
