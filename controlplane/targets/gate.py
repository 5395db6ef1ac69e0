"""No list that shrank for no reason: Prometheus forgets at once what is not in it any more.

A list is withheld where more than a fifth of the devices that were served within the last hour are
not in it, unless an operator has allowed so few; what Prometheus has it keeps meanwhile. The loss
of a handful passes, so that small inventories are no nuisance. See docs/decisions/0019.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import select

from controlplane import events
from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth.actor import Actor
from controlplane.database import now
from controlplane.devices import queries
from controlplane.targets.models import Served
from controlplane.targets.schemas import Allowance, TargetsRead

SHARE = 0.2
HANDFUL = 5  # devices that anybody may remove
MEMORY = timedelta(hours=1)  # in which losses add up


@dataclass(frozen=True)
class Verdict:
    """What would go from Prometheus with this list, and whether it may."""

    served: int
    wanted: int
    lost: tuple[str, ...]
    withheld: bool

    def __str__(self) -> str:
        """Say why a list is withheld."""
        if not self.served:
            return "the inventory is empty, and nothing was ever served"
        return (
            f"{len(self.lost)} of {self.served} devices would vanish from Prometheus;"
            " `chm targets status` names them, `chm targets confirm` lets them go"
        )


def judge(served: Served, wanted: Collection[str], moment: datetime) -> Verdict:
    """Say whether a list may be served after what was served last."""
    lost = tuple(sorted(set(served.devices).difference(wanted)))
    if served.taken_at is None:
        withheld = not wanted  # an empty database is more often the wrong one than a new one
    else:
        withheld = len(lost) > max(HANDFUL, SHARE * len(served.devices))
    return Verdict(
        len(served.devices), len(wanted), lost, withheld and not _allowed(served, wanted, moment)
    )


async def admit(
    sessions: async_sessionmaker[AsyncSession], wanted: Sequence[str], counted: int
) -> Verdict:
    """Judge a list of the state with this count of changes; one that passes is what is served."""
    async with sessions.begin() as session:
        await session.execute(insert(Served).values(id=1).on_conflict_do_nothing())
        served = (await session.execute(_served().with_for_update())).scalar_one()
        verdict = judge(served, wanted, now())
        if not verdict.withheld and counted >= served.counter:
            _take(served, wanted, now(), counted)
        return verdict


async def status(session: AsyncSession) -> TargetsRead:
    """Say what would go from Prometheus now."""
    served = await session.scalar(_served()) or Served()
    verdict = judge(served, await _wanted(session), now())
    return TargetsRead(
        served=verdict.served,
        wanted=verdict.wanted,
        withheld=verdict.withheld,
        lost=list(verdict.lost),
        least=served.least,
        allowed_until=served.allowed_until,
    )


async def confirm(session: AsyncSession, actor: Actor, data: Allowance) -> TargetsRead:
    """Allow lists to shrink for a while: to what the inventory holds now, or to `least`."""
    await events.changed(session)
    await session.execute(insert(Served).values(id=1).on_conflict_do_nothing())
    served = (await session.execute(_served().with_for_update())).scalar_one()
    wanted = await _wanted(session)
    served.least = len(wanted) if data.least is None else data.least
    served.allowed_until = now() + timedelta(minutes=data.minutes)
    await session.flush()
    verdict = judge(served, wanted, now())
    await audit.record(
        session,
        Action.CONFIG_CHANGE,
        who=actor.who,
        object_type="targets",
        object_name="confirmation",
        after={
            "least": served.least,
            "until": served.allowed_until,
            "served": verdict.served,
            "lost": len(verdict.lost),
        },
    )
    return await status(session)


def _take(served: Served, wanted: Sequence[str], moment: datetime, counted: int) -> None:
    """Remember what is served; what went missing within the hour stays, so that losses add up."""
    lost = set(served.devices).difference(wanted)
    recent = served.taken_at is not None and moment - served.taken_at < MEMORY
    if lost and recent and not _allowed(served, wanted, moment):
        devices = sorted(lost.union(wanted))
    else:
        devices, served.taken_at = list(wanted), moment
    if devices != served.devices:
        served.devices = devices
    served.counter = counted


def _allowed(served: Served, wanted: Collection[str], moment: datetime) -> bool:
    until, least = served.allowed_until, served.least
    return until is not None and least is not None and moment < until and len(wanted) >= least


def _served() -> Select[tuple[Served]]:
    return select(Served)


async def _wanted(session: AsyncSession) -> list[str]:
    return [name for _, name in await session.execute(queries.monitored_names())]
