"""`chm init`: everything a new installation needs; running it again changes nothing."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane import database
from controlplane.auth import keys
from controlplane.auth import service as auth
from controlplane.auth.permissions import Permission
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.cli.user import add_user, generate_password
from controlplane.cli.work import transact
from controlplane.settings import Settings
from controlplane.users import queries
from controlplane.users.models import Role

KEYS = ("jwt.key", "vault.key")
SERVICES = {
    "exporter": (Permission.SNAPSHOT_READ,),
    "prometheus": (Permission.TARGETS_READ, Permission.INTENT_READ),
    "alertmanager": (Permission.ALERTS_INGEST,),
}
ADMIN = "admin"


@dataclass(frozen=True)
class Initialised:
    """What was made; the password of a new first admin is nowhere else."""

    tokens: list[str]
    admin_password: str | None = field(repr=False)


def initialise(settings: Settings) -> Initialised:
    """Make keys, tables, the tokens of the services and a first admin, where they are missing."""
    for name in KEYS:
        keys.ensure(settings.secrets / name)
    database.migrate(settings)

    async def work(session: AsyncSession) -> Initialised:
        tokens = [
            name
            for name, permissions in SERVICES.items()
            if await auth.ensure_token_file(
                session, name, permissions, settings.secrets / f"{name}.token"
            )
        ]
        return Initialised(tokens, await _first_admin(session))

    return transact(settings, work)


async def _first_admin(session: AsyncSession) -> str | None:
    if await session.scalar(queries.admins()) is not None:
        return None
    password = generate_password()
    await add_user(session, ADMIN, password, Role.ADMIN)
    return password


def init(*, as_json: AsJson = False) -> None:
    """Make what a new installation needs; the admin's password is printed this once."""
    made = initialise(Settings())
    shown = {"tokens": made.tokens, "admin": ADMIN, "password": made.admin_password}
    output.item(shown, as_json=as_json)
