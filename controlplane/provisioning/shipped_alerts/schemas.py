"""Shipped alerts on the wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from controlplane import lookups
from controlplane.grammar import NOT_NULL, Word
from controlplane.lookups import CHOICE, NOT_GIVEN, TAGS, TEXT
from controlplane.pagination import PageQuery

WEEK = 7 * 24 * 3600

Seconds = Annotated[int, Field(ge=0, le=WEEK)]


class AlertRuleUpdate(BaseModel):
    """What of an alert to change; null has it as it is shipped."""

    model_config = ConfigDict(extra="forbid")

    for_seconds: Seconds | None = None
    keep_firing_for_seconds: Seconds | None = None
    enabled: Annotated[bool, NOT_NULL] = True


class Times(BaseModel):
    """How long a condition must last before the alert fires, and how long it outlives it."""

    for_seconds: float
    keep_firing_for_seconds: float


class AlertRuleRead(Times):
    """An alert as it is in force with the next rule set, and as it is shipped.

    `summary` and `description` are the templates of its annotations; `version` is its ETag.
    """

    name: str
    severities: list[str]
    alertclass: str
    summary: str
    description: str
    runbook_url: str
    enabled: bool
    shipped: Times
    version: int
    updated_at: datetime | None


@lookups.expanded
class AlertRuleQuery(PageQuery):
    """Filters of the list of alerts; `q` finds parts of name or summary."""

    name: Annotated[list[Word], TEXT] = NOT_GIVEN
    alertclass: Annotated[list[Word], CHOICE] = NOT_GIVEN
    severity: Annotated[list[Word], TAGS] = NOT_GIVEN
    enabled: Annotated[list[bool], CHOICE] = NOT_GIVEN
    q: lookups.Search = ""
