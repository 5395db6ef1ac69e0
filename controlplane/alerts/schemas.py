"""Alerts on the wire: Alertmanager's webhook in; lists, steps and incidents out."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from controlplane import lookups
from controlplane.alerts.models import AlertState, AlertStatus, Step
from controlplane.audit.models import Kind
from controlplane.grammar import Moment, Name, Printable, matching
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery
from controlplane.users.schemas import UserName

Filter = Annotated[Printable, Field(max_length=255)]
MAX_BULK = 1000
MAX_LABELS = 20
# What says who made an alert, what it is about, or what mutes it is not for the caller to choose.
RESERVED = frozenset(
    {
        *("alertname", "severity", "device", "site", "role", "vendor", "team", "alertclass"),
        *("source", "escalation"),
    }
)
OURS = "chm_"  # labels that begin so lead a message to one channel
LABEL_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,62}")


def _storable(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL stores no NUL


def _own_labels(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if not LABEL_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a label: {LABEL_NAME.pattern}")
        if name in RESERVED or name.startswith(OURS):
            raise ValueError(f"the label {name!r} is not yours to set")
    return labels


Text = Annotated[str, AfterValidator(_storable)]
Comment = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(_storable)
]
Words = Annotated[Comment, Field(min_length=1)]


class Strict(BaseModel):
    """A body of which nothing is passed over."""

    model_config = ConfigDict(extra="forbid")


class WebhookAlert(BaseModel):
    """One alert of a webhook; what newer versions of Alertmanager add is passed over."""

    status: AlertStatus
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = {}
    startsAt: AwareDatetime  # noqa: N815 - Alertmanager's spelling
    endsAt: AwareDatetime | None = None  # noqa: N815 - year 1 while the alert fires
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{1,64}$")]


class Webhook(BaseModel):
    """A notification of Alertmanager.

    https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """

    version: Literal["4"]
    alerts: list[WebhookAlert]


class Ingested(BaseModel):
    """How many alerts came in."""

    received: int


class Severity(StrEnum):
    """How loud an alert made by hand is."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertCreate(Strict):
    """An alert made by hand or by a program; it fires until `until`, or until it is resolved."""

    alertname: Annotated[str, matching(r"[A-Za-z][A-Za-z0-9_]{0,63}", "1 to 64 letters, digits, _")]
    severity: Severity
    device: Name | None = None
    labels: Annotated[
        dict[str, Annotated[Printable, Field(min_length=1, max_length=255)]],
        Field(max_length=MAX_LABELS),
        AfterValidator(_own_labels),
    ] = {}
    summary: Words
    description: Comment = ""
    until: AwareDatetime | None = None


class Acknowledge(Strict):
    """Somebody has it: why, and until when; without an end until the alert is over."""

    comment: Comment = ""
    expires_at: AwareDatetime | None = None


class Ids(Strict):
    """Some alerts, by their ids."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_BULK)]


class AcknowledgeMany(Acknowledge, Ids):
    """Somebody has all of these."""


class Commented(Strict):
    """Words about an alert."""

    comment: Words


class Resolve(Strict):
    """An alert made by hand is over."""

    comment: Comment = ""


class Assign(Strict):
    """Who sees to it; null is nobody."""

    assignee: UserName | None


class Acknowledgement(BaseModel):
    """Who has an alert, since when, and until when."""

    by: str
    at: datetime
    comment: str
    expires_at: datetime | None


class IncidentOf(BaseModel):
    """The incident that an alert is part of; the cause is null where it is not yours to see."""

    id: UUID
    is_cause: bool
    cause_id: UUID | None
    cause: str | None
    device: str | None
    symptoms: int


class AlertRead(BaseModel):
    """An alert, how long it fired, who has it, and what it is part of."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    fingerprint: str
    status: AlertStatus
    state: AlertState
    alertname: str
    severity: str
    device: str
    site: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime
    silenced_by: list[str]
    inhibited_by: list[str]
    acknowledgement: Acknowledgement | None = None
    assignee: str
    made_by: str
    until: datetime | None
    incident: IncidentOf | None = None


class StepRead(BaseModel):
    """A step in the life of an alert."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    step: Step
    actor_kind: Kind
    actor_name: str
    comment: str
    detail: dict[str, Any]


class IncidentRead(BaseModel):
    """Alerts with one cause, and that cause; null where it is not yours to see."""

    id: UUID
    opened_at: datetime
    closed_at: datetime | None
    cause: AlertRead | None
    symptoms: int


@lookups.expanded
class AlertQuery(PageQuery):
    """Filters of the list of alerts; the newest comes first unless `ordering` says otherwise.

    `since` and `until` choose what fired at any moment between them; `root=true` leaves out
    symptoms; an empty `assignee` chooses what nobody sees to.
    """

    ordering: Filter = "-starts_at"
    status: Annotated[list[AlertStatus], CHOICE] = NOT_GIVEN
    state: Annotated[list[AlertState], CHOICE] = NOT_GIVEN
    severity: Annotated[list[Filter], CHOICE] = NOT_GIVEN
    device: Annotated[list[Filter], TEXT] = NOT_GIVEN
    site: Annotated[list[Filter], TEXT] = NOT_GIVEN
    team: Annotated[list[Filter], TEXT] = NOT_GIVEN
    alertname: Annotated[list[Filter], TEXT] = NOT_GIVEN
    fingerprint: Annotated[list[Filter], CHOICE] = NOT_GIVEN
    assignee: Annotated[list[Filter], CHOICE] = NOT_GIVEN
    incident: Annotated[list[UUID], CHOICE.or_none] = NOT_GIVEN
    starts_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    ends_at: Annotated[list[Moment], MOMENT.or_none] = NOT_GIVEN
    received_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    acknowledged: bool | None = None
    root: bool | None = None
    since: Moment | None = None
    until: Moment | None = None
    q: lookups.Search = ""


@lookups.expanded
class IncidentQuery(PageQuery):
    """Filters of the list of incidents, the newest first."""

    ordering: Filter = "-opened_at"
    opened_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    closed_at: Annotated[list[Moment], MOMENT.or_none] = NOT_GIVEN
    open: bool | None = None


class StatisticsQuery(BaseModel):
    """The period of statistics; the last seven days unless it says otherwise."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Count(BaseModel):
    """How often something is there."""

    value: str
    count: int


class Statistics(BaseModel):
    """What fires now, and what the alerts that began in a period came to.

    Times in seconds; null where nothing was acknowledged, or nothing ended.
    """

    since: datetime
    until: datetime
    firing: int
    by_severity: list[Count]
    by_state: list[Count]
    by_site: list[Count]
    total: int
    mean_time_to_acknowledge_seconds: float | None
    mean_time_to_repair_seconds: float | None
    noisiest_alertnames: list[Count]
    noisiest_devices: list[Count]
