"""What people get to read about rule sets."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from controlplane.provisioning.models import DeploymentStatus


class RuleRevisionRead(BaseModel):
    """One attempt to put a rule set in force."""

    model_config = ConfigDict(from_attributes=True)

    revision: str
    status: DeploymentStatus
    detail: str
    created_at: datetime


class RuleSetRead(BaseModel):
    """A rule set: its files by name, each as Prometheus reads it."""

    model_config = ConfigDict(from_attributes=True)

    revision: str
    files: dict[str, str]
    used_at: datetime


class FileDifference(BaseModel):
    """What became of a file, as a unified difference."""

    file: str
    difference: str


class RuleSetDifference(BaseModel):
    """What a rule set changes of the one `against` it is held; empty, where there was none."""

    revision: str
    against: str
    files: list[FileDifference]
