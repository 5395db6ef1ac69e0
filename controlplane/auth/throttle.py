"""Guessing passwords takes for ever, and whoever guesses shuts nobody out but strangers.

Counted are an address (an IPv6 /64 is one) and an account; after some free attempts each next one
must wait twice as long. A client an account has logged in from before is known: it has a count of
its own and is not held up by what others do. The counts are in the database, by its clock, so
that replicas share them; an account that does not exist is counted like any other.

The statements are SQL: SQLAlchemy would work out an upsert anew at every attempt, which costs more
than all the rest of it.
"""

import hashlib
from dataclasses import asdict, dataclass
from datetime import timedelta
from string import Template

from sqlalchemy import String, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import networks
from controlplane.errors import TooMany

FREE_OF_ACCOUNT = 5  # attempts by strangers before they have to wait
FREE_OF_CLIENT = 10  # the same of one address, or of one known client
LONGEST = 900  # seconds between attempts at most
DOUBLINGS = 10  # 2^10 s are longer than LONGEST
FORGOTTEN = timedelta(days=1)  # without a failure, and the count begins anew
KNOWN = timedelta(days=90)  # since a client last logged in

# The next attempt has to wait so long.
DELAY = Template("""make_interval(secs => CASE WHEN $failures < $free THEN 0
    ELSE least(power(2, least($failures - $free, $doublings)), $longest) END)""")
# Whether the client has logged in to the account of late.
CLIENT_KNOWN = """EXISTS (SELECT FROM login_attempts AS client
    WHERE client.key = :client AND client.succeeded_at > clock_timestamp() - $known)"""
# One is added to the count of the selected key, unless it is not free yet.
COUNTED = Template("""
    INSERT INTO login_attempts AS counted (key, failures, refused, free_at)
    SELECT $key, 1, false, clock_timestamp() $condition
    ON CONFLICT (key) DO UPDATE SET
        refused = counted.free_at > clock_timestamp(),
        failures = CASE WHEN counted.free_at > clock_timestamp() THEN counted.failures
            ELSE $failures END,
        free_at = CASE WHEN counted.free_at > clock_timestamp() THEN counted.free_at
            ELSE clock_timestamp() + $delay END
    RETURNING refused, free_at""")
TAKEN_BACK = Template("""
    UPDATE login_attempts
    SET failures = greatest(failures - 1, 0), free_at = clock_timestamp() + $delay
    WHERE key = :key AND $condition""")


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
    names = (f"account|{name}", f"address|{network}", client)
    return Keys(*(hashlib.sha256(name.encode()).hexdigest() for name in names))


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
    await _take_back(session, names)
    await session.execute(KNOWING, {"client": names.client})
    await session.execute(FORGETTING)


async def forgive(session: AsyncSession, account: str, address: str, device: str = "") -> None:
    """Take back the attempt that `check` counted, for nobody looked at the password."""
    names = keys(account, address, device)
    await session.execute(OF_KNOWN, {"key": names.client, "client": names.client})
    await _take_back(session, names)


async def _take_back(session: AsyncSession, names: Keys) -> None:
    """Undo what was counted of a stranger, in the order in which `check` locks the counts.

    Whoever locks otherwise waits for ever.
    """
    await session.execute(OF_ADDRESS, {"key": names.address, "client": names.client})
    await session.execute(OF_ACCOUNT, {"key": names.account, "client": names.client})


def _statement(sql: str, **parts: str) -> TextClause:
    """Fill in what a statement is made of; what comes from people is a parameter."""
    days = {"known": KNOWN, "forgotten": FORGOTTEN}
    intervals = {name: f"make_interval(days => {span.days})" for name, span in days.items()}
    while "$" in sql:  # parts hold parts
        sql = Template(sql).substitute(intervals, client_known=CLIENT_KNOWN, **parts)
    given = [name for name in ("account", "address", "client", "key") if f":{name}" in sql]
    return text(sql).bindparams(*(bindparam(name, type_=String) for name in given))


def _delay(failures: str, free: int) -> str:
    return DELAY.substitute(failures=failures, free=free, doublings=DOUBLINGS, longest=LONGEST)


def _counted(key: str, condition: str, free: int) -> str:
    forgotten = "counted.free_at < clock_timestamp() - $forgotten"
    failures = f"(CASE WHEN {forgotten} THEN 1 ELSE counted.failures + 1 END)"
    delay = _delay(failures, free)
    return COUNTED.substitute(key=key, condition=condition, failures=failures, delay=delay)


def _taken_back(condition: str, free: int) -> TextClause:
    delay = _delay("greatest(failures - 1, 0)", free)
    return _statement(TAKEN_BACK.substitute(delay=delay, condition=condition))


# Counts in one statement, the account only if the address may; gives the seconds to wait.
ATTEMPTING = _statement(
    """
    WITH client_known AS (SELECT $client_known AS known),
    first AS ($first),
    second AS ($second)
    SELECT max(extract(epoch FROM free_at - clock_timestamp())) FILTER (WHERE refused)
    FROM (SELECT * FROM first UNION ALL SELECT * FROM second) AS counted""",
    first=_counted(
        "CASE WHEN known THEN :client ELSE :address END", "FROM client_known", FREE_OF_CLIENT
    ),
    second=_counted(
        ":account",
        "WHERE NOT EXISTS (SELECT FROM client_known WHERE known)"
        " AND NOT EXISTS (SELECT FROM first WHERE refused)",
        FREE_OF_ACCOUNT,
    ),
)
OF_KNOWN = _taken_back("$client_known", FREE_OF_CLIENT)
OF_ADDRESS = _taken_back("NOT $client_known", FREE_OF_CLIENT)
OF_ACCOUNT = _taken_back("NOT $client_known", FREE_OF_ACCOUNT)
KNOWING = _statement("""
    INSERT INTO login_attempts (key, failures, refused, free_at, succeeded_at)
    VALUES (:client, 0, false, clock_timestamp(), clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET
        failures = 0, refused = false,
        free_at = excluded.free_at, succeeded_at = excluded.succeeded_at""")
# What no longer counts is removed; a stranger's attempts must not fill the table.
FORGETTING = _statement("""
    DELETE FROM login_attempts WHERE key IN (
        SELECT key FROM login_attempts
        WHERE free_at < clock_timestamp() - $forgotten
            AND (succeeded_at IS NULL OR succeeded_at < clock_timestamp() - $known)
        FOR UPDATE SKIP LOCKED)""")
