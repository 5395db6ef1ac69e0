"""`chm up`: the whole stack on one machine."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from controlplane.settings import Settings
from controlplane.stack import up as stack


def up(
    *, demo: Annotated[bool, typer.Option("--demo", help="With a simulated network.")] = False
) -> None:
    """Run everything on this machine until Ctrl-C; the next start finds it as it was left."""
    asyncio.run(stack.up(Settings(), Console(highlight=False), with_demo=demo))
