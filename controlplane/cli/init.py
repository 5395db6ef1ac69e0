"""`chm init`: everything a new installation needs; running it again changes nothing."""

import asyncio
from typing import Annotated

import typer

from controlplane.auth.accounts import FIRST_ADMIN
from controlplane.cli import output
from controlplane.cli.output import AsJson
from controlplane.settings import Settings
from controlplane.stack import setup

NewTokens = Annotated[
    bool, typer.Option("--new-tokens", help="End tokens of services that are not in this folder.")
]


def init(*, new_tokens: NewTokens = False, as_json: AsJson = False) -> None:
    """Make keys, tables, tokens, configuration, rules and a first admin, where they are missing.

    The password of a new admin is printed this once.
    """
    password = asyncio.run(_initialise(Settings(), new_tokens=new_tokens))
    output.item({"user": FIRST_ADMIN, "password": password}, as_json=as_json)


async def _initialise(settings: Settings, *, new_tokens: bool) -> str | None:
    await setup.initialise(settings, new_tokens=new_tokens)
    return await setup.first_admin(settings)
