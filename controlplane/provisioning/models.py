"""The table of rule set revisions."""

from datetime import datetime
from enum import StrEnum

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
