"""The table of buckets."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime


class Bucket(SQLModel, table=True):
    """How far ahead of its rate a client is: it may have asked for everything until `busy_until`.

    UNLOGGED: PostgreSQL empties it after a crash, and writes no log for it otherwise.
    """

    __tablename__ = "rate_limits"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    key: str = Field(primary_key=True, max_length=128)  # class and client
    granted: int  # by the last statement
    busy_until: datetime = Field(sa_type=UtcDateTime, index=True)
