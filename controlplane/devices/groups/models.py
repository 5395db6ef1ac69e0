"""The table of device groups."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class DeviceGroup(SQLModel, table=True):
    """A saved filter: what a device must be to belong to it (controlplane.auth.filters)."""

    __tablename__ = "device_groups"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    description: str = ""
    site_id: UUID | None = Field(
        default=None, foreign_key="sites.id", ondelete="RESTRICT", index=True
    )
    roles: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    vendors: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    tags_any: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    tags_all: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    pattern: str = Field(default="", max_length=63)
    version: int = 1  # counts the changes of this group
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
