"""The table of registered exporters."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now


class Exporter(SQLModel, table=True):
    """An exporter that asks a share of the devices, at one site or everywhere."""

    __tablename__ = "exporters"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    address: str = Field(unique=True, max_length=261)
    site_id: UUID | None = Field(
        default=None, foreign_key="sites.id", ondelete="RESTRICT", index=True
    )
    weight: int = 1
    draining: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
