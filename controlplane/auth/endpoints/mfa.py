"""The second factor of one's own account: set it up, confirm it, leave it."""

import segno
from fastapi import APIRouter

from controlplane.audit import service as audit
from controlplane.audit.models import Action
from controlplane.auth import mfa, queries, service, sessions
from controlplane.auth.dependencies import People
from controlplane.auth.presence import CurrentPerson, Person, RecentPerson
from controlplane.auth.schemas import OneCode, RecoveryCodes, SecondFactor, SecondFactorSetup
from controlplane.database import Session
from controlplane.errors import Conflict, Forbidden

router = APIRouter(prefix="/mfa")

QR_SCALE = 4  # pixels a module


@router.get("")
async def second_factor(session: Session, person: CurrentPerson) -> SecondFactor:
    """Say whether codes are asked for."""
    totp = await session.scalar(queries.totp(person.user.id))
    left = await session.scalar(queries.recovery_codes(person.user.id))
    enabled = totp is not None and totp.confirmed_at is not None
    return SecondFactor(enabled=enabled, recovery_codes_left=left or 0)


@router.post("/totp", status_code=201)
async def begin(session: Session, people: People, person: RecentPerson) -> SecondFactorSetup:
    """Make a secret for the telephone; it counts once `/mfa/totp/confirm` sees a code of it."""
    setup = await mfa.begin(session, people.vault, person.user)
    picture = segno.make(setup.uri).svg_inline(scale=QR_SCALE)
    return SecondFactorSetup(secret=setup.secret, uri=setup.uri, qr_svg=picture)


@router.post("/totp/confirm")
async def confirm(
    data: OneCode, session: Session, people: People, person: RecentPerson
) -> RecoveryCodes:
    """Have codes asked for from now on; give recovery codes, and end all other sessions."""
    code = data.code.get_secret_value()
    codes = await mfa.confirm(session, people.vault, person.user, code)
    await _changed(session, person, Action.MFA_ENABLED, "a second factor was set up")
    return RecoveryCodes(recovery_codes=codes)


@router.delete("/totp", status_code=204)
async def disable(session: Session, people: People, person: RecentPerson) -> None:
    """Have no codes asked for any more, unless a role of the account requires them."""
    if await service.requires_second_factor(session, people, person.user):
        raise Forbidden("a role of this account requires a second factor")
    if not await mfa.remove(session, person.user.id):
        raise Conflict("there is no second factor")
    await _changed(session, person, Action.MFA_DISABLED, "the second factor was removed")


@router.post("/recovery-codes")
async def renew_recovery_codes(session: Session, person: RecentPerson) -> RecoveryCodes:
    """Make new recovery codes; the old ones are worth nothing then."""
    totp = await session.scalar(queries.totp(person.user.id))
    if totp is None or totp.confirmed_at is None:
        raise Conflict("there is no second factor to recover")
    codes = await mfa.new_recovery_codes(session, person.user.id)
    await _changed(session, person, Action.MFA_ENABLED, "the recovery codes were renewed")
    return RecoveryCodes(recovery_codes=codes)


async def _changed(session: Session, person: Person, action: Action, why: str) -> None:
    await sessions.end_all(session, person.user.id, why, keep=person.login.id)
    await audit.record(
        session,
        action,
        who=person.who,
        object_type="user",
        object_id=person.user.id,
        object_name=person.user.name,
        after={"change": why},
    )
