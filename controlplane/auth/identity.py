"""What it takes to know people, made once per process and handed to whoever needs it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from controlplane.auth.cookies import Cookies
from controlplane.auth.passwords import Passwords
from controlplane.auth.sessions import Limits
from controlplane.auth.signing import SigningKeys
from controlplane.auth.tokens import AccessTokens
from controlplane.clients import mail
from controlplane.clients.mail import Mail
from controlplane.settings import Settings
from controlplane.vault import Vault


@dataclass(frozen=True)
class Identity:
    """Passwords, tokens, the vault for second factors, the limits of sessions, and the post."""

    sessions: async_sessionmaker[AsyncSession]
    passwords: Passwords
    tokens: AccessTokens
    vault: Vault
    limits: Limits
    mail: Mail | None
    cookies: Cookies
    mfa_roles: tuple[str, ...]
    public_url: str
    registration: bool


def create(
    settings: Settings,
    sessions: async_sessionmaker[AsyncSession],
    vault: Vault,
    passwords: Passwords,
) -> Identity:
    """Put the parts together as the settings say."""
    return Identity(
        sessions=sessions,
        passwords=passwords,
        tokens=AccessTokens(SigningKeys(vault), settings.access_token_lifetime),
        vault=vault,
        limits=Limits(
            timedelta(seconds=settings.session_idle), timedelta(seconds=settings.session_lifetime)
        ),
        mail=mail.from_settings(settings),
        cookies=Cookies(settings.public_url),
        mfa_roles=settings.mfa_required_roles,
        public_url=settings.public_url.rstrip("/"),
        registration=settings.registration,
    )
