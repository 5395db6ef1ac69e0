"""The state of service discovery, and what an operator may allow it, on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

A_DAY = 24 * 60


class Allowance(BaseModel):
    """For how long lists may shrink to how many devices; left out, to as many as there are now."""

    model_config = ConfigDict(extra="forbid")

    least: Annotated[int | None, Field(ge=0)] = None
    minutes: Annotated[int, Field(ge=1, le=A_DAY)] = 15


class TargetsRead(BaseModel):
    """What Prometheus was given last, what the inventory asks for, and what would vanish."""

    served: int
    wanted: int
    withheld: bool
    lost: list[str]
    least: int | None
    allowed_until: datetime | None
