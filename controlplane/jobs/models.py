"""The table of jobs."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from controlplane.audit.models import Kind as ActorKind
from controlplane.database import UtcDateTime, now, words


class Status(StrEnum):
    """How far a job is; the last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = (Status.PENDING, Status.RUNNING)


class Job(SQLModel, table=True):
    """Work for a worker; `content` is what it works on, sealed under `data_key` until it ended."""

    __tablename__ = "jobs"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    kind: str = Field(max_length=63)
    status: Status = Field(default=Status.PENDING, sa_type=words(Status), index=True)
    done: int = 0
    total: int | None = None
    options: dict[str, Any] = Field(sa_type=JSONB)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    problem: dict[str, Any] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    actor_kind: ActorKind = Field(sa_type=words(ActorKind))
    actor_id: UUID
    actor_name: str = Field(max_length=255)
    address: str = ""
    request_id: str = ""
    permissions: list[str] = Field(sa_type=JSONB)  # it is done with no more than these
    attempt: int = 0  # tells a worker that was given up for dead that it lost the job
    cancelling: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # its worker was alive
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    key_version: int
    data_key: bytes = Field(repr=False)
    content: bytes | None = Field(default=None, repr=False)
