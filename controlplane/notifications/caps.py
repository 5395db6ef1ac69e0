"""How much a channel may be told: so many notifications in a time, and what goes beside them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Cap(BaseModel):
    """At most `notifications` in any `seconds`; what exceeds them is told by one digest later.

    Critical alerts of root causes are told at once and are not counted, unless `except_causes` is
    false. The end of what was told is told in any case.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    notifications: Annotated[int, Field(ge=1, le=1000)]
    seconds: Annotated[float, Field(ge=60, le=24 * 3600)]
    except_causes: bool = True


Caps = Mapping[str, Cap]  # by the name of a channel; those without one are not in it
NO_CAPS: Caps = MappingProxyType({})
