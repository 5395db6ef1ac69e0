"""The table of what Prometheus was given last."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime


class Served(SQLModel, table=True):
    """The devices in the lists that were served last: one row, shared by all replicas.

    What went missing within the last hour is still among them.
    """

    __tablename__ = "served_targets"

    id: int = Field(default=1, primary_key=True)
    devices: list[str] = Field(default_factory=list, sa_type=ARRAY(String))
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: never served
    counter: int = Field(default=0, sa_type=BigInteger)  # the count of changes it is of
    least: int | None = None  # so few devices an operator has allowed
    allowed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
