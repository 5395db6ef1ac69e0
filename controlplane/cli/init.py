"""`chm init`: everything a new installation needs; running it again changes nothing."""

import asyncio

from controlplane.auth.accounts import FIRST_ADMIN
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.settings import Settings
from controlplane.stack import setup


def init(*, as_json: AsJson = False) -> None:
    """Make keys, tables, tokens, configuration, rules and a first admin, where they are missing.

    The password of a new admin is printed this once.
    """
    password = asyncio.run(_initialise(Settings()))
    output.item({"user": FIRST_ADMIN, "password": password}, as_json=as_json)


async def _initialise(settings: Settings) -> str | None:
    await setup.initialise(settings)
    return await setup.first_admin(settings)
