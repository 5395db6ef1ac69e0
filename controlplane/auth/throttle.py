"""Guessing passwords takes for ever, and whoever guesses shuts nobody out but strangers.

Counted are an address (an IPv6 /64 is one) and an account; after some free attempts each next one
must wait twice as long. A client an account has logged in from before is known: it has a count of
its own and is not held up by what others do. The counts are in the database, by its clock, so
that replicas share them; an account that does not exist is counted like any other.
"""

import hashlib
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Delete,
    Select,
    String,
    Table,
    Update,
    bindparam,
    case,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from controlplane import networks
from controlplane.auth.models import LoginAttempt
from controlplane.errors import TooMany

FREE_OF_ACCOUNT = 5  # attempts by strangers before they have to wait
FREE_OF_CLIENT = 10  # the same of one address, or of one known client
LONGEST = 900  # seconds between attempts at most
DOUBLINGS = 10  # 2^10 s are longer than LONGEST
FORGOTTEN = timedelta(days=1)  # without a failure, and the count begins anew
KNOWN = timedelta(days=90)  # since a client last logged in

TABLE: Table = LoginAttempt.__table__  # type: ignore[attr-defined]
ATTEMPTS = TABLE.c


@dataclass(frozen=True)
class Keys:
    """What an attempt is counted under."""

    account: str
    address: str
    client: str


def keys(account: str, address: str, device: str = "") -> Keys:
    """Name what an attempt is counted under; `device` is a cookie that tells clients apart."""
    name, network = account.casefold(), networks.client(address)
    client = f"device|{name}|{device}" if device else f"client|{name}|{network}"
    texts = (f"account|{name}", f"address|{network}", client)
    return Keys(*(hashlib.sha256(text.encode()).hexdigest() for text in texts))


async def check(session: AsyncSession, account: str, address: str, device: str = "") -> None:
    """Count an attempt to log in as a failure, or raise TooMany where it comes too early.

    Commit before verifying the password: attempts that are made at once are then counted at once.
    """
    names = asdict(keys(account, address, device))
    wait = (await session.execute(ATTEMPTING, names)).scalar_one()
    if wait is not None:
        raise TooMany("too many failed attempts to log in; wait, then try again", float(wait))


async def succeeded(session: AsyncSession, account: str, address: str, device: str = "") -> None:
    """Take back the attempt that `check` counted, and know the client from now on."""
    names = keys(account, address, device)
    # In the order in which `check` locks them: whoever locks otherwise waits for ever.
    for key, free in ((names.address, FREE_OF_CLIENT), (names.account, FREE_OF_ACCOUNT)):
        await session.execute(_taken_back(key, free, names.client))
    now = func.clock_timestamp()
    fresh = {"failures": 0, "refused": False, "free_at": now, "succeeded_at": now}
    known = insert(LoginAttempt).values(key=names.client, **fresh)
    await session.execute(known.on_conflict_do_update(index_elements=["key"], set_=fresh))
    await session.execute(_forgotten())


def _known(client: Any) -> ColumnElement[bool]:
    row = aliased(LoginAttempt)  # not to be taken for the row that a statement changes
    recent = col(row.succeeded_at) > func.clock_timestamp() - KNOWN
    return select(col(row.key)).where(col(row.key) == client, recent).exists()


def _taken_back(key: str, free: int, client: str) -> Update:
    """Undo one attempt, which was counted only where the client was not known."""
    failures = func.greatest(ATTEMPTS.failures - 1, 0)
    return (
        update(LoginAttempt)
        .where(ATTEMPTS.key == key, ~_known(client))
        .values(failures=failures, free_at=func.clock_timestamp() + _delay(failures, free))
        .execution_options(synchronize_session=False)
    )


def _forgotten() -> Delete:
    """Remove what no longer counts; a stranger's attempts must not fill the table."""
    now = func.clock_timestamp()
    unknown = or_(ATTEMPTS.succeeded_at.is_(None), ATTEMPTS.succeeded_at < now - KNOWN)
    old = select(ATTEMPTS.key).where(ATTEMPTS.free_at < now - FORGOTTEN, unknown)
    return (
        delete(LoginAttempt)
        .where(ATTEMPTS.key.in_(old.with_for_update(skip_locked=True)))
        .execution_options(synchronize_session=False)
    )


def _attempting() -> Select[tuple[float | None]]:
    """Count in one statement, the account only if the address may; give the seconds to wait."""
    client = select(_known(bindparam("client", type_=String)).label("known")).cte("client_known")
    key = case(
        (client.c.known, bindparam("client", type_=String)),
        else_=bindparam("address", type_=String),
    )
    first = _counted(select(key).select_from(client), FREE_OF_CLIENT, "first")
    known, refused = select(client).where(client.c.known), select(first).where(first.c.refused)
    stranger = select(bindparam("account", type_=String)).where(~known.exists(), ~refused.exists())
    second = _counted(stranger, FREE_OF_ACCOUNT, "second")
    both = union_all(select(first), select(second)).subquery()
    seconds = func.extract("epoch", both.c.free_at - func.clock_timestamp())
    return select(func.max(seconds).filter(both.c.refused))


def _counted(key: Select[tuple[str]], free: int, name: str) -> CTE:
    """Add one to the count of the selected key, unless it is not free yet."""
    now = func.clock_timestamp()
    columns = ("key", "failures", "refused", "free_at", "succeeded_at")
    row = key.add_columns(literal(1), literal(value=False), now, null())
    statement = insert(TABLE).from_select(columns, row)
    early = ATTEMPTS.free_at > now
    failures = case((ATTEMPTS.free_at < now - FORGOTTEN, 1), else_=ATTEMPTS.failures + 1)
    return (
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "failures": case((early, ATTEMPTS.failures), else_=failures),
                "refused": early,
                "free_at": case((early, ATTEMPTS.free_at), else_=now + _delay(failures, free)),
            },
        )
        .returning(ATTEMPTS.refused, ATTEMPTS.free_at)
        .cte(name)
    )


def _delay(failures: ColumnElement[int], free: int) -> ColumnElement[timedelta]:
    doubled = func.power(2, func.least(failures - free, DOUBLINGS))
    seconds = case((failures < free, 0), else_=func.least(doubled, LONGEST))
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds)


ATTEMPTING = _attempting()  # made once: making it takes longer than running it
