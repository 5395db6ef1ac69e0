"""The table of alerting rules that people write."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from controlplane.database import Json, UtcDateTime, now, words


class RuleSeverity(StrEnum):
    """How loud the alert is; `info` is told only where a route asks for it."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class RuleStatus(StrEnum):
    """Whether a rule is to be in force; one that failed was, and could not be."""

    DRAFT = "draft"
    LIVE = "live"
    FAILED = "failed"


class AlertingRule(SQLModel, table=True):
    """An alert that somebody wrote; `expr` as they wrote it, durations in seconds."""

    __tablename__ = "alerting_rules"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=64)
    expr: str
    matchers: list[dict[str, str]] = Field(default_factory=list, sa_type=Json)  # those of `expr`
    for_seconds: int = 0
    keep_firing_for_seconds: int = 0
    severity: RuleSeverity = Field(default=RuleSeverity.WARNING, sa_type=words(RuleSeverity))
    summary: str = Field(max_length=200)
    description: str = ""
    runbook: str = ""  # Markdown
    site_id: UUID | None = Field(
        default=None, foreign_key="sites.id", ondelete="RESTRICT", index=True
    )
    status: RuleStatus = Field(default=RuleStatus.DRAFT, sa_type=words(RuleStatus), index=True)
    failure: str = ""  # why it is not in force although somebody wanted it to be
    samples: int = Field(default=0, sa_type=BigInteger)  # an evaluation read when it came in force
    owner: str = Field(max_length=255)
    version: int = 1  # counts the changes of this rule
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
