"""Alerts on the wire: Alertmanager's webhook in, a list out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from controlplane.alerts.models import AlertStatus
from controlplane.grammar import Printable
from controlplane.pagination import PageQuery

Filter = Annotated[Printable, Field(max_length=255)]


def _storable(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL stores no NUL


Text = Annotated[str, AfterValidator(_storable)]


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


class AlertRead(BaseModel):
    """An alert and how long it fired."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    fingerprint: str
    status: AlertStatus
    alertname: str
    severity: str
    device: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime


class AlertQuery(PageQuery):
    """Filters of the list of alerts; the newest comes first unless `ordering` says otherwise."""

    ordering: Filter = "-starts_at"
    status: AlertStatus | None = None
    severity: Filter | None = None
    device: Filter | None = None
    alertname: Filter | None = None
