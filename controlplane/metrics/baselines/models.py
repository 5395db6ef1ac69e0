"""The table of baselines."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class Aggregate(StrEnum):
    """What devices do together: the sum of their traffic, and means of the rest."""

    TRAFFIC = "traffic"
    PACKET_LOSS = "packet_loss"
    RESPONSE_TIME = "response_time"
    CPU_UTILIZATION = "cpu_utilization"


class Method(StrEnum):
    """How a band is learned: from means and deviations, or from medians."""

    ADAPTIVE = "adaptive"
    ROBUST = "robust"


class By(StrEnum):
    """What has a band of its own."""

    SITE = "site"
    ROLE = "role"


class Baseline(SQLModel, table=True):
    """An aggregate that has bands by site or by role."""

    __tablename__ = "baselines"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    description: str = ""
    aggregate: Aggregate = Field(sa_type=words(Aggregate))
    method: Method = Field(sa_type=words(Method))
    by: By = Field(sa_type=words(By))
    enabled: bool = True
    version: int = 1  # counts the changes of this baseline
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
