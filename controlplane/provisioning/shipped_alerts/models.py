"""The table of what operators changed about shipped alerts."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class AlertChange(SQLModel, table=True):
    """What an operator wants of an alert other than it is shipped; None is as it is shipped."""

    __tablename__ = "alert_changes"

    alert: str = Field(primary_key=True, max_length=64)
    for_seconds: int | None = None
    keep_firing_for_seconds: int | None = None
    enabled: bool = True
    version: int = 1  # counts the changes; 1 is as it is shipped
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
