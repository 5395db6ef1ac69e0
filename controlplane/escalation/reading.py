"""Escalations as people see them."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.database import now
from controlplane.escalation import clock, queries
from controlplane.escalation.models import Escalation
from controlplane.escalation.schemas import EscalationRead, StepFields, TellingRead


async def read(session: AsyncSession, found: Sequence[Escalation]) -> list[EscalationRead]:
    """Give escalations with those who were told."""
    tellings: defaultdict[UUID, list[TellingRead]] = defaultdict(list)
    for telling in await session.scalars(queries.tellings([e.id for e in found])):
        tellings[telling.escalation_id].append(TellingRead.model_validate(telling))
    moment = now()
    return [
        EscalationRead(
            alert_id=escalation.alert_id,
            policy=escalation.policy,
            steps=[StepFields.model_validate(step) for step in escalation.steps],
            repeat=escalation.repeat,
            repeat_after=escalation.repeat_after,
            waited_seconds=clock.waited(escalation, moment),
            counting=escalation.counting_since is not None,
            tellings=tellings[escalation.id],
            created_at=escalation.created_at,
            closed_at=escalation.closed_at,
        )
        for escalation in found
    ]
