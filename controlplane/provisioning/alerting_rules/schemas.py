"""Alerting rules that people write, on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

import rules
from controlplane import lookups
from controlplane.grammar import NOT_NULL, UNPRINTABLE, Moment, Name, Printable, matching
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery
from controlplane.provisioning.alerting_rules.expression import MOST_CHARACTERS
from controlplane.provisioning.alerting_rules.models import RuleSeverity, RuleStatus

ALERT_PATTERN = r"[A-Z][A-Za-z0-9]{2,63}"
ALERT_GRAMMAR = "3 to 64 letters and digits, beginning with a capital, such as UplinkSaturated"
LINES_PATTERN = rf"(?:[^{UNPRINTABLE}]|[\n\t])*"
WEEK, DAY = 7 * 86_400, 86_400
LONGEST_RUNBOOK = 20_000

AlertName = Annotated[
    str,
    Field(json_schema_extra={"pattern": f"^{ALERT_PATTERN}$"}),
    matching(ALERT_PATTERN, ALERT_GRAMMAR),
]
Lines = Annotated[
    str,
    AfterValidator(lambda text: text.replace("\r\n", "\n")),
    matching(LINES_PATTERN, "free of control characters, but for line ends and tabs"),
]
Expression = Annotated[Lines, Field(min_length=1, max_length=MOST_CHARACTERS)]
Runbook = Annotated[Lines, Field(max_length=LONGEST_RUNBOOK)]
Summary = Annotated[Printable, Field(min_length=1, max_length=200), AfterValidator(rules.template)]
Description = Annotated[Printable, Field(max_length=1000), AfterValidator(rules.template)]
Hold = Annotated[int, Field(ge=0, le=WEEK)]
Keep = Annotated[int, Field(ge=0, le=DAY)]


class RuleUpdate(BaseModel):
    """The fields of a rule to change; its name and site it keeps."""

    model_config = ConfigDict(extra="forbid")

    expr: Annotated[Expression | None, NOT_NULL] = None
    for_seconds: Annotated[Hold, NOT_NULL] = 0
    keep_firing_for_seconds: Annotated[Keep, NOT_NULL] = 0
    severity: Annotated[RuleSeverity, NOT_NULL] = RuleSeverity.WARNING
    summary: Annotated[Summary | None, NOT_NULL] = None
    description: Annotated[Description, NOT_NULL] = ""
    runbook: Annotated[Runbook, NOT_NULL] = ""


class RuleCreate(BaseModel):
    """A new rule, which begins as a draft.

    With a `site` it asks for what stands there or below it, and for nothing else, whatever its
    expression says. `runbook` is Markdown, and shown at the address that the alert names.
    """

    model_config = ConfigDict(extra="forbid")

    name: AlertName
    expr: Expression
    for_seconds: Hold = 0
    keep_firing_for_seconds: Keep = 0
    severity: RuleSeverity = RuleSeverity.WARNING
    summary: Summary
    description: Description = ""
    runbook: Runbook = ""
    site: Name | None = None


class RuleRead(BaseModel):
    """A rule; `version` counts its changes, and is its ETag.

    `failure` says why a rule that should be in force is not; `samples` is what an evaluation read
    when it was put in force, 0 where it never was.
    """

    id: UUID
    name: str
    expr: str
    for_seconds: int
    keep_firing_for_seconds: int
    severity: RuleSeverity
    summary: str
    description: str
    runbook: str
    site: str | None
    status: RuleStatus
    failure: str
    samples: int
    owner: str
    version: int
    created_at: datetime
    updated_at: datetime


class CostRead(BaseModel):
    """What each evaluation asks of Prometheus, in numbers and in words."""

    series: int
    samples: int
    words: str


class Checked(BaseModel):
    """What came of checking a rule: the expression as it would be in force, and doubts about it.

    `cost` is null where Prometheus does not answer.
    """

    expr: str
    warnings: list[str]
    cost: CostRead | None


class PreviewQuery(BaseModel):
    """How many days to look back."""

    days: Annotated[int, Field(ge=1, le=31)] = 7


class DeviceOutcome(BaseModel):
    """What would have fired for a device, or, where it is null, for what names none."""

    device: str | None
    fired: int
    firing_seconds: float
    first: datetime
    last: datetime


class Costly(Checked):
    """The same, while Prometheus answers."""

    cost: CostRead


class PreviewRead(Costly):
    """What a rule would have done since `start`: how often it would have fired, and for whom.

    Of `devices` the 100 that fired most are listed; `device_count` counts all. At evaluations
    `over_limit` there were more series than a rule may have, and it would have fired nothing.
    """

    words: str
    start: datetime
    end: datetime
    interval_seconds: float
    evaluations: int
    over_limit: int
    fired: int
    firing_seconds: float
    first: datetime | None
    last: datetime | None
    device_count: int
    devices: list[DeviceOutcome]


@lookups.expanded
class RuleQuery(PageQuery):
    """Filters of the list of rules; `q` finds parts of name, summary or description."""

    name: Annotated[list[AlertName], TEXT] = NOT_GIVEN
    severity: Annotated[list[RuleSeverity], CHOICE] = NOT_GIVEN
    status: Annotated[list[RuleStatus], CHOICE] = NOT_GIVEN
    site: Annotated[list[Name], TEXT.or_none] = NOT_GIVEN
    owner: Annotated[list[Printable], TEXT] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    q: lookups.Search = ""
