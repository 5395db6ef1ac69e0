"""The tables of rule sets: what was put in force, or was to be, and what stood in it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class DeploymentStatus(StrEnum):
    """How the attempt to put a rule set in force ended."""

    DEPLOYED = "deployed"
    FAILED = "failed"


class RuleRevision(SQLModel, table=True):
    """One attempt to put a rule set in force, kept for history."""

    __tablename__ = "rule_revisions"

    id: int | None = Field(default=None, primary_key=True)
    revision: str = Field(max_length=64, index=True)  # the hash of the set
    status: DeploymentStatus = Field(sa_type=words(DeploymentStatus))
    detail: str  # what happened, in words
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)

    @property
    def outcome(self) -> tuple[str, DeploymentStatus, str]:
        """What is worth an entry of its own when it differs from the one before."""
        return self.revision, self.status, self.detail


class RuleSetFiles(SQLModel, table=True):
    """The files of a rule set; its revision is a hash of them."""

    __tablename__ = "rule_set_files"

    revision: str = Field(primary_key=True, max_length=64)
    files: dict[str, str] = Field(sa_type=JSON)
    used_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)  # last
