"""Statements about tokens, sessions, signing keys and one-time secrets."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Select, Update, Uuid, bindparam, delete, func, or_, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from controlplane.auth.models import (
    ApiToken,
    FormerPassword,
    LoginSession,
    OneTimeSecret,
    Purpose,
    RecoveryCode,
    ServiceToken,
    SigningKey,
    Totp,
)
from controlplane.auth.roles.models import CustomRole, Grant
from controlplane.users.models import User

SIGNING_KEYS_LOCK = 0x43484D02  # advisory: two replicas must not both make the first key
PROOF_LOCK = 0x43484D03
IDENTIFIED = (  # what is looked at of a session
    *("id", "user_id", "delivery", "secret_hash", "revoked_at"),
    *("last_used_at", "idle_expires_at", "expires_at"),
)
TOUCHED_EVERY = timedelta(minutes=1)  # how exact "last used" is


def service_token(name: str) -> Select[tuple[ServiceToken]]:
    """Select the service token of this name."""
    return select(ServiceToken).where(ServiceToken.name == name)


def service_tokens() -> Select[tuple[ServiceToken]]:
    """Select the tokens of services, by name."""
    return select(ServiceToken).order_by(col(ServiceToken.name))


def newest_signing_key() -> Select[tuple[SigningKey]]:
    """Select the key that signs."""
    signing = select(SigningKey).where(col(SigningKey.verifies_until).is_(None))
    return signing.order_by(col(SigningKey.created_at).desc()).limit(1)


def signing_key(key_id: UUID, moment: datetime) -> Select[tuple[SigningKey]]:
    """Select a key while it verifies."""
    until = col(SigningKey.verifies_until)
    return select(SigningKey).where(SigningKey.id == key_id, or_(until.is_(None), until > moment))


def lock_signing_keys() -> Select[tuple[None]]:
    """Have everybody else who makes a signing key wait until the end of the transaction."""
    return select(func.pg_advisory_xact_lock(SIGNING_KEYS_LOCK))


def try_lock_proof(user_id: UUID) -> Select[tuple[bool]]:
    """Be the one who looks at a proof of this person until the commit, or select False."""
    return select(func.pg_try_advisory_xact_lock(PROOF_LOCK, func.hashtext(str(user_id))))


def retire_signing_keys(until: datetime) -> Update:
    """Have the keys that sign verify until then and sign no more."""
    signing = col(SigningKey.verifies_until).is_(None)
    return update(SigningKey).where(signing).values(verifies_until=until)


def delete_signing_keys(expired_before: datetime | None) -> Delete:
    """Remove the keys that verify nothing any more, or with None all keys."""
    statement = delete(SigningKey)
    if expired_before is None:
        return statement
    return statement.where(col(SigningKey.verifies_until) < expired_before)


def login(session_id: Any) -> Select[tuple[LoginSession, User, Totp | None]]:
    """Select a session with its person and, where there is one, their second factor."""
    confirmed = col(Totp.confirmed_at).is_not(None)
    return (
        select(LoginSession, User, Totp)
        .join(User, col(User.id) == col(LoginSession.user_id))
        .outerjoin(Totp, (col(Totp.user_id) == col(User.id)) & confirmed)
        .where(LoginSession.id == session_id)
    )


def _identifying() -> Select[Any]:
    """Select the session `login`, its person, and what they hold: a row for each grant, or one.

    Who asks is asked with every request, so this is one statement, which is made once, and its rows
    are no objects. `second_factor` says whether there is one.
    """
    statement: Select[Any] = select(*(getattr(LoginSession, name) for name in IDENTIFIED))
    confirmed = col(Totp.confirmed_at).is_not(None)
    return (
        statement.add_columns(col(User.name), col(User.active))
        .add_columns(col(Totp.id).is_not(None).label("second_factor"))
        .add_columns(col(Grant.role), col(Grant.scope), col(Grant.value))
        .add_columns(col(CustomRole.permissions), col(CustomRole.mfa_required))
        .join(User, col(User.id) == col(LoginSession.user_id))
        .outerjoin(Totp, (col(Totp.user_id) == col(User.id)) & confirmed)
        .outerjoin(Grant, col(Grant.user_id) == User.id)
        .outerjoin(CustomRole, col(CustomRole.name) == Grant.role)
        .where(col(LoginSession.id) == bindparam("login", type_=Uuid))
        .order_by(col(Grant.id))
    )


def sessions_of(user_id: UUID, moment: datetime) -> Select[tuple[LoginSession]]:
    """Select the living sessions of a person, the newest first."""
    return (
        select(LoginSession)
        .where(LoginSession.user_id == user_id, *_alive(moment))
        .order_by(col(LoginSession.created_at).desc())
    )


def _alive(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(LoginSession.revoked_at).is_(None),
        col(LoginSession.idle_expires_at) > moment,
        col(LoginSession.expires_at) > moment,
    )


def revoke_sessions(user_id: UUID, moment: datetime, why: str, keep: UUID | None) -> Update:
    """End the living sessions of a person, but for the one to keep."""
    statement = update(LoginSession).where(
        col(LoginSession.user_id) == user_id, col(LoginSession.revoked_at).is_(None)
    )
    if keep is not None:
        statement = statement.where(col(LoginSession.id) != keep)
    return statement.values(revoked_at=moment, revoked_why=why)


def touch_session(session_id: UUID, moment: datetime, idle: timedelta) -> Update:
    """Note that a session is used; whoever finds the row locked leaves it to the other."""
    free = select(LoginSession.id).where(LoginSession.id == session_id)
    return (
        update(LoginSession)
        .where(col(LoginSession.id).in_(free.with_for_update(skip_locked=True)))
        .values(last_used_at=moment, idle_expires_at=moment + idle)
        .execution_options(synchronize_session=False)
    )


def old_sessions(before: datetime) -> Delete:
    """Remove sessions that ended before a moment."""
    ended = or_(col(LoginSession.expires_at) < before, col(LoginSession.revoked_at) < before)
    return delete(LoginSession).where(ended)


def one_time_secret(
    secret_id: UUID, purpose: Purpose, moment: datetime
) -> Select[tuple[OneTimeSecret]]:
    """Select a one-time secret of this purpose that is still good."""
    return select(OneTimeSecret).where(
        OneTimeSecret.id == secret_id,
        OneTimeSecret.purpose == purpose,
        col(OneTimeSecret.expires_at) > moment,
    )


def count_attempt(secret_id: UUID, purpose: Purpose, limit: int) -> Update:
    """Count an attempt to use a one-time secret, unless there were too many."""
    return (
        update(OneTimeSecret)
        .where(
            col(OneTimeSecret.id) == secret_id,
            col(OneTimeSecret.purpose) == purpose,
            col(OneTimeSecret.attempts) < limit,
        )
        .values(attempts=col(OneTimeSecret.attempts) + 1)
        .execution_options(synchronize_session=False)
    )


def delete_secret(secret_id: UUID) -> Delete:
    """Use a one-time secret up: of two who try, one finds the row."""
    return delete(OneTimeSecret).where(col(OneTimeSecret.id) == secret_id)


def delete_secrets(user_id: UUID, *purposes: Purpose) -> Delete:
    """Remove what a person has not used yet, of some purposes or of all."""
    statement = delete(OneTimeSecret).where(col(OneTimeSecret.user_id) == user_id)
    return statement.where(col(OneTimeSecret.purpose).in_(purposes)) if purposes else statement


def old_secrets(moment: datetime) -> Delete:
    """Remove one-time secrets that are no longer good."""
    return delete(OneTimeSecret).where(col(OneTimeSecret.expires_at) < moment)


def former_passwords(user_id: UUID) -> Select[tuple[FormerPassword]]:
    """Select the passwords a person had, the newest first."""
    return (
        select(FormerPassword)
        .where(FormerPassword.user_id == user_id)
        .order_by(col(FormerPassword.created_at).desc())
    )


def totp(user_id: UUID) -> Select[tuple[Totp]]:
    """Select a person's generator of codes, confirmed or not."""
    return select(Totp).where(Totp.user_id == user_id)


def use_step(totp_id: UUID, step: int) -> Update:
    """Accept the code of a time step, once: of two who send it, one changes the row."""
    return (
        update(Totp)
        .where(col(Totp.id) == totp_id, col(Totp.last_step) < step)
        .values(last_step=step)
        .execution_options(synchronize_session=False)
    )


def delete_totp(user_id: UUID) -> Delete:
    """Remove a person's generator of codes."""
    return delete(Totp).where(col(Totp.user_id) == user_id)


def recovery_codes(user_id: UUID) -> Select[tuple[int]]:
    """Count the recovery codes a person has left."""
    return select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)


def use_recovery_code(user_id: UUID, code_hash: str) -> Delete:
    """Use a recovery code up."""
    return delete(RecoveryCode).where(
        col(RecoveryCode.user_id) == user_id, col(RecoveryCode.code_hash) == code_hash
    )


def delete_recovery_codes(user_id: UUID) -> Delete:
    """Remove all recovery codes of a person."""
    return delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id)


def api_token(token_id: UUID) -> Select[tuple[ApiToken, User]]:
    """Select a token with its owner."""
    owner = col(User.id) == col(ApiToken.user_id)
    return select(ApiToken, User).join(User, owner).where(ApiToken.id == token_id)


def api_tokens(user_id: UUID) -> Select[tuple[ApiToken]]:
    """Select a person's tokens that were not revoked, by name."""
    kept = select(ApiToken).where(ApiToken.user_id == user_id, col(ApiToken.revoked_at).is_(None))
    return kept.order_by(col(ApiToken.name), col(ApiToken.created_at))


def everybodys_api_tokens() -> Select[tuple[ApiToken, User]]:
    """Select the tokens of all programs that were not revoked, with their owners."""
    owner = col(User.id) == col(ApiToken.user_id)
    kept = select(ApiToken, User).join(User, owner).where(col(ApiToken.revoked_at).is_(None))
    return kept.order_by(col(User.name), col(ApiToken.name))


def expiring_api_tokens(moment: datetime, used_since: datetime) -> Select[tuple[ApiToken, User]]:
    """Select the tokens that end some time after a moment, and that programs do use."""
    ends = col(ApiToken.expires_at) > moment
    return everybodys_api_tokens().where(ends, col(ApiToken.last_used_at) >= used_since)


def expiring_service_tokens(moment: datetime) -> Select[tuple[ServiceToken]]:
    """Select the tokens of services that end some time after a moment."""
    return service_tokens().where(col(ServiceToken.expires_at) > moment)


def touch_api_token(token_id: UUID, moment: datetime, address: str) -> Update:
    """Note that a token is used; whoever finds the row locked leaves it to the other."""
    free = select(ApiToken.id).where(ApiToken.id == token_id)
    return (
        update(ApiToken)
        .where(col(ApiToken.id).in_(free.with_for_update(skip_locked=True)))
        .values(last_used_at=moment, last_address=address)
        .execution_options(synchronize_session=False)
    )


IDENTIFYING = _identifying()
