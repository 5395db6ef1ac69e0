"""Rate limits in PostgreSQL: one bucket for each class of requests and client, for all replicas.

The generic cell rate algorithm (ITU-T I.371): a bucket is one moment, by which the requests so far
are paid for. A replica takes several requests at once out of a bucket and grants them without
asking again, so a busy client costs a statement in twenty requests.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Delete, Float, Integer, Table, bindparam, case, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import col

from controlplane import database
from controlplane.limits.models import Bucket

WINDOW = 60.0  # seconds that a limit is for
MOST = 10_000  # clients whose grants are remembered
PRUNE_EVERY = 1000  # statements
ROUNDING = 0.001  # of a request: what binary fractions lose
FORGOTTEN = timedelta(hours=1)

TABLE: Table = Bucket.__table__  # type: ignore[attr-defined]
BUCKETS = TABLE.c


@dataclass(frozen=True)
class Limit:
    """So many requests a minute, which may come at once; `share` of them are taken together."""

    name: str
    per_minute: int
    share: int = 1

    @property
    def interval(self) -> float:
        """The seconds that pay for one request."""
        return WINDOW / self.per_minute


@dataclass(frozen=True)
class Standing:
    """What a client has left, and the seconds until it has all; or those it must wait."""

    remaining: int
    reset: float
    retry_after: float | None = None


@dataclass
class _Grant:
    """What was taken out of a bucket and not used yet; `until` is on the monotonic clock."""

    left: int
    until: float
    standing: Standing


@dataclass
class Buckets:
    """The buckets of all clients, through one replica."""

    sessions: async_sessionmaker[AsyncSession]
    _grants: OrderedDict[str, _Grant] = field(default_factory=OrderedDict)
    _statements: int = 0

    async def take(self, limit: Limit, client: str) -> Standing:
        """Count one request of a client; `retry_after` says that it is one too many."""
        key = f"{limit.name}|{client}"
        grant = self._grants.get(key)
        now = time.monotonic()
        if grant is None or now >= grant.until:
            grant = await self._ask(limit, key)
            self._remember(key, grant)
        if grant.standing.retry_after is not None:
            left = max(grant.until - time.monotonic(), 0.001)
            return Standing(0, grant.standing.reset, left)
        grant.left -= 1
        if not grant.left:
            self._grants.pop(key, None)
        return Standing(grant.standing.remaining + grant.left, grant.standing.reset)

    async def _ask(self, limit: Limit, key: str) -> _Grant:
        async with self.sessions.begin() as session:
            await database.reach(session)
            values = {"key": key, "share": limit.share, "interval": limit.interval}
            granted, busy = (await session.execute(TAKING, values)).one()
            self._statements += 1
            if self._statements % PRUNE_EVERY == 0:
                await session.execute(_forgotten())
        now, busy = time.monotonic(), max(float(busy), 0.0)
        remaining = max(int((WINDOW - busy) / limit.interval + ROUNDING), 0)
        if granted:
            return _Grant(granted, now + granted * limit.interval, Standing(remaining, busy))
        wait = busy + limit.interval - WINDOW
        return _Grant(0, now + wait, Standing(0, busy, wait))

    def _remember(self, key: str, grant: _Grant) -> None:
        self._grants[key] = grant
        while len(self._grants) > MOST:
            self._grants.popitem(last=False)


def _taking() -> ReturningInsert[tuple[int, float]]:
    """Take up to a share of requests out of a bucket; give how many, and the seconds it is busy."""
    now, share = func.clock_timestamp(), bindparam("share", type_=Integer)
    interval = bindparam("interval", type_=Float)
    statement = insert(TABLE).values(
        key=bindparam("key"), granted=share, busy_until=now + _seconds(share * interval)
    )
    ahead = func.greatest(func.extract("epoch", BUCKETS.busy_until - now), 0.0)
    room = func.floor((WINDOW - ahead) / interval + ROUNDING)
    granted = func.greatest(func.least(room, share), 0)
    paid_until = func.greatest(BUCKETS.busy_until, now) + _seconds(granted * interval)
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "granted": granted,
            "busy_until": case((granted > 0, paid_until), else_=BUCKETS.busy_until),
        },
    ).returning(BUCKETS.granted, func.extract("epoch", BUCKETS.busy_until - now))


def _seconds(seconds: object) -> Any:
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds)


TAKING = _taking()  # made once: making it takes longer than running it


def _forgotten() -> Delete:
    return delete(Bucket).where(col(Bucket.busy_until) < func.clock_timestamp() - FORGOTTEN)
