"""Take alerts through the steps of their policies, and tell whom a step names.

What is due is written first, one row per step and person, and then told; whoever runs next tells
what is written. So a restart loses nothing, and two at once tell nothing twice.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.database import now
from controlplane.errors import ChmError, Invalid, Unavailable
from controlplane.escalation import clock, oncall, queries
from controlplane.escalation.models import Escalation, Telling
from controlplane.escalation.schemas import PolicyFields, StepFields
from controlplane.escalation.telling import Message

log = logging.getLogger(__name__)

# "CHME": one at a time looks and tells.
LOCK = text("SELECT pg_try_advisory_xact_lock(1128811845)")


class Teller(Protocol):
    """Tells people of escalations; the same message told again is the same."""

    async def tell(self, messages: Iterable[Message]) -> None:
        """Tell what goes on and what is over, or raise Unavailable or Invalid."""


@dataclass(frozen=True)
class Engine:
    """What escalation takes: where alerts are, and who tells people."""

    sessions: async_sessionmaker[AsyncSession]
    teller: Teller

    async def run(self) -> None:
        """Look once at what fires; while another one does, do nothing."""
        async with self.sessions.begin() as session:
            if not await session.scalar(LOCK):
                return
            await self._look(session, now())
        async with self.sessions.begin() as session:
            if await session.scalar(LOCK):
                await self._tell(session)

    async def _look(self, session: AsyncSession, moment: datetime) -> None:
        await _begin(session)
        told = set((await session.execute(queries.told_positions())).tuples().all())
        for escalation, alert in (await session.execute(queries.under_way())).tuples().all():
            again = clock.advance(escalation, alert, moment)
            if again:
                await session.execute(queries.tell_again(escalation.id, moment))
            for position, step in clock.due(escalation, moment):
                # Once: whoever was on call when it came due stays told.
                if (escalation.id, position) not in told:
                    await _write(session, escalation, position, step, moment)

    async def _tell(self, session: AsyncSession) -> None:
        found = (await session.execute(queries.told())).tuples().all()
        messages = {t.id: Message.of(t, e, a) for t, e, a in found}
        if not messages:
            return
        try:
            await self.teller.tell(messages.values())
        except (Unavailable, Invalid) as error:
            _warn(error)
            return
        for live in (True, False):
            ids = [id_ for id_, message in messages.items() if message.live is live]
            if ids:
                await session.execute(queries.mark(ids, live=live))


async def _begin(session: AsyncSession) -> None:
    """Put what fires on its way through the first policy that fits it."""
    policies = [
        (policy, PolicyFields.model_validate(policy.options))
        for policy in await session.scalars(queries.in_order())
    ]
    if not policies:
        return
    for alert in await session.scalars(queries.new()):
        for policy, options in policies:
            if options.fits(alert.labels):
                began = clock.begin(alert, policy.created_at)
                steps = [step.model_dump(mode="json") for step in options.steps]
                session.add(
                    Escalation(
                        alert_id=alert.id,
                        policy=policy.name,
                        steps=steps,
                        repeat=options.repeat,
                        repeat_after=options.repeat_after,
                        counting_since=began,
                    )
                )
                break
    await session.flush()


async def _write(
    session: AsyncSession,
    escalation: Escalation,
    position: int,
    step: StepFields,
    moment: datetime,
) -> None:
    """Write down whom a step tells."""
    for values in await _whom(session, step, moment):
        telling = Telling(
            escalation_id=escalation.id,
            position=position,
            channel=values.get("channel", ""),
            person=values.get("person", ""),
            schedule=values.get("schedule", ""),
            told_at=moment,
        )
        statement = insert(Telling).values(telling.model_dump()).on_conflict_do_nothing()
        await session.execute(statement)


async def _whom(session: AsyncSession, step: StepFields, moment: datetime) -> list[dict[str, str]]:
    whom = [{"channel": channel} for channel in step.channels]
    for name in step.schedules:
        schedule = await session.scalar(queries.schedule(name))
        if schedule is None:
            log.error("a step tells whoever is on call by %r, which is gone: everybody is", name)
            whom.append({"schedule": name})
            continue
        on_call = await oncall.who(session, schedule, moment)
        person = {"person": on_call.person or "", "channel": on_call.channel or ""}
        whom.append({"schedule": name, **person})
    return whom


def _warn(error: ChmError) -> None:
    log.warning("people were not told of what is escalated; the next try will: %s", error.detail)
