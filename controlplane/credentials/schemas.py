"""Credentials on the wire: secrets go in and never come out."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from controlplane.credentials.models import AuthProtocol, Kind, PrivProtocol, SecurityLevel, State
from controlplane.credentials.snmp import SECRETS, USERNAME_LENGTH
from controlplane.grammar import NOT_NULL, Name, Printable, PrintableSecret
from controlplane.pagination import PageQuery

Secret = Annotated[PrintableSecret, Field(min_length=1, max_length=255)]
Version = Annotated[int, Field(ge=1, le=3)]


class CredentialUpdate(BaseModel):
    """The fields to change; null empties one."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[Version | None, NOT_NULL] = None
    community: Secret | None = None
    username: Annotated[Printable, Field(min_length=1, max_length=USERNAME_LENGTH)] | None = None
    security_level: SecurityLevel | None = None
    auth_protocol: AuthProtocol | None = None
    password: Secret | None = None
    priv_protocol: PrivProtocol | None = None
    priv_password: Secret | None = None
    context_name: Annotated[Printable, Field(max_length=64)] | None = None


class CredentialCreate(CredentialUpdate):
    """A new credential: SNMP version 1 or 2 with a community, or 3 with a user."""

    name: Name
    kind: Kind = Kind.SNMP
    version: Version


class SealedRead(BaseModel):
    """Fields without their secrets; `secrets` names those that are set."""

    version: int
    username: str | None
    security_level: SecurityLevel | None
    auth_protocol: AuthProtocol | None
    priv_protocol: PrivProtocol | None
    context_name: str | None
    secrets: list[str] = Field(json_schema_extra={"items": {"enum": list(SECRETS)}})
    created_at: datetime


class CredentialRead(SealedRead):
    """A credential: the version in force, and its number."""

    id: UUID
    name: str
    kind: Kind
    number: int
    updated_at: datetime


class VersionRead(SealedRead):
    """A version of a credential."""

    number: int
    state: State


class CredentialQuery(PageQuery):
    """Filters of the list of credentials."""

    name: Name | None = None
