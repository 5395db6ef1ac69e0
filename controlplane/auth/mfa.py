"""The second factor: one-time codes by the clock (TOTP, RFC 6238), and codes for a lost telephone.

A code is good for its own step of 30 seconds and the steps beside it, once: the step of the last
accepted code is kept, and nothing of that step or before is accepted again (ASVS 5.0, 6.5.1).
"""

import hmac
import re
import secrets
import time
from base64 import b32encode
from dataclasses import dataclass, field
from uuid import UUID

import pyotp
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import UpdateBase

from controlplane.auth import queries, secret
from controlplane.auth.models import RecoveryCode, Totp
from controlplane.database import now
from controlplane.errors import Conflict, Invalid, Problem
from controlplane.users.models import User
from controlplane.vault import Place, Sealed, Vault

ISSUER = "Catalyst Health Monitor"
STEP_SECONDS = 30
DRIFT = (0, -1, 1)  # steps by which the clocks of server and telephone may differ
CODE = re.compile(r"[0-9]{6}", re.ASCII)
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 bits, 16 letters: too many to try, few enough to type


@dataclass(frozen=True)
class Setup:
    """What goes into the telephone: the secret, and the same as an `otpauth:` address."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


async def begin(session: AsyncSession, vault: Vault, user: User) -> Setup:
    """Make a secret that counts from when `confirm` sees its first code."""
    held = await session.scalar(queries.totp(user.id))
    if held is not None and held.confirmed_at is not None:
        raise Conflict("there is a second factor already; disable it first")
    if held is not None:
        await session.delete(held)
        await session.flush()
    made = pyotp.random_base32()
    totp = Totp(user_id=user.id, key_version=0, data_key=b"", secret=b"")
    sealed = vault.seal(_place(totp), {"secret": made})
    totp.key_version, totp.data_key = sealed.key_version, sealed.data_key
    totp.secret = sealed.secrets["secret"]
    session.add(totp)
    await session.flush()
    return Setup(made, pyotp.TOTP(made).provisioning_uri(name=user.name, issuer_name=ISSUER))


async def confirm(session: AsyncSession, vault: Vault, user: User, code: str) -> list[str]:
    """Have the second factor count from now on; give the recovery codes, which are kept nowhere."""
    totp = await session.scalar(queries.totp(user.id))
    if totp is None or totp.confirmed_at is not None:
        raise Conflict("there is no second factor that waits for its first code")
    if not await accept(session, vault, totp, code):
        detail = "this is not the code of this moment"
        raise Invalid(detail, Problem("/code", "wrong_code", detail))
    totp.confirmed_at = now()
    return await new_recovery_codes(session, user.id)


async def accept(session: AsyncSession, vault: Vault, totp: Totp, code: str) -> bool:
    """Say whether a code is right and was not used; it is used then."""
    plain = code.replace(" ", "")
    if not CODE.fullmatch(plain):
        return False
    generator = pyotp.TOTP(_open(vault, totp), interval=STEP_SECONDS)
    current = current_step()
    for step in (current + drift for drift in DRIFT):
        if hmac.compare_digest(generator.generate_otp(step), plain):
            return await _changes_a_row(session, queries.use_step(totp.id, step))
    return False


def current_step() -> int:
    """Give the number of the time step we are in, counted from 1970."""
    return int(time.time()) // STEP_SECONDS


async def recover(session: AsyncSession, user_id: UUID, code: str) -> bool:
    """Say whether a recovery code is one of this person; it is used up then."""
    plain = re.sub(r"[\s-]", "", code).upper()
    return await _changes_a_row(session, queries.use_recovery_code(user_id, secret.digest(plain)))


async def new_recovery_codes(session: AsyncSession, user_id: UUID) -> list[str]:
    """Make new recovery codes in place of the old; they are shown this once."""
    await session.execute(queries.delete_recovery_codes(user_id))
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=secret.digest(c)) for c in codes)
    await session.flush()
    return ["-".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in codes]


async def remove(session: AsyncSession, user_id: UUID) -> bool:
    """Remove the second factor and its recovery codes; say whether there was one."""
    await session.execute(queries.delete_recovery_codes(user_id))
    return await _changes_a_row(session, queries.delete_totp(user_id))


async def _changes_a_row(session: AsyncSession, statement: UpdateBase) -> bool:
    result = await session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount == 1


def _place(totp: Totp) -> Place:
    return Place(Totp.__tablename__, totp.id)


def _open(vault: Vault, totp: Totp) -> str:
    sealed = Sealed(totp.key_version, totp.data_key, {"secret": totp.secret})
    return vault.open(_place(totp), sealed)["secret"]
