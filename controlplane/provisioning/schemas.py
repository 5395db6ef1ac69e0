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
