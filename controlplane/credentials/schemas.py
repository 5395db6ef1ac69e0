"""Credentials on the wire: secrets go in and never come out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, SecretStr, Tag

from controlplane import lookups
from controlplane.credentials.kinds import SECRETS
from controlplane.credentials.models import (
    AuthProtocol,
    HostKeyPolicy,
    Kind,
    PrivProtocol,
    Scheme,
    SecurityLevel,
    State,
)
from controlplane.credentials.snmp import USERNAME_LENGTH
from controlplane.errors import ALTERNATIVE
from controlplane.grammar import NOT_NULL, Moment, Name, Printable, PrintableSecret, matching
from controlplane.lookups import CHOICE, MOMENT, NOT_GIVEN, TEXT
from controlplane.pagination import PageQuery

KINDS = tuple(Kind)
PEM_LENGTH = 16_384
HEADER_PATTERN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}"  # a token of RFC 9110, section 5.6.2

Secret = Annotated[PrintableSecret, Field(min_length=1, max_length=255)]
Token = Annotated[PrintableSecret, Field(min_length=1, max_length=4096)]
Pem = Annotated[SecretStr, Field(min_length=1, max_length=PEM_LENGTH)]
Certificate = Annotated[str, Field(min_length=1, max_length=PEM_LENGTH)]
Version = Annotated[int, Field(ge=1, le=3)]
Username = Annotated[Printable, Field(min_length=1, max_length=64)]
SnmpUsername = Annotated[Printable, Field(min_length=1, max_length=USERNAME_LENGTH)]
Header = Annotated[str, matching(HEADER_PATTERN, "the name of an HTTP header")]


class SnmpFields(BaseModel):
    """What an SNMP credential has besides its version."""

    model_config = ConfigDict(extra="forbid")

    community: Secret | None = None
    username: SnmpUsername | None = None
    security_level: SecurityLevel | None = None
    auth_protocol: AuthProtocol | None = None
    password: Secret | None = None
    priv_protocol: PrivProtocol | None = None
    priv_password: Secret | None = None
    context_name: Annotated[Printable, Field(max_length=64)] | None = None


class CredentialUpdate(SnmpFields):
    """The fields to change, of whatever kind the credential is; null empties one."""

    version: Annotated[Version | None, NOT_NULL] = None
    host_key_policy: HostKeyPolicy | None = None
    private_key: Pem | None = None
    passphrase: Secret | None = None
    scheme: Scheme | None = None
    header: Header | None = None
    token: Token | None = None
    certificate: Certificate | None = None


def _known(kind: object) -> object:
    if kind not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return kind


class SnmpCreate(SnmpFields):
    """A new credential: SNMP version 1 or 2 with a community, or 3 with a user."""

    name: Name
    kind: Annotated[Literal[Kind.SNMP], BeforeValidator(_known)] = Kind.SNMP
    version: Version


class SshCreate(BaseModel):
    """A new credential for SSH: a user with a password, a private key in PEM, or both."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Literal[Kind.SSH]
    username: Username
    password: Secret | None = None
    private_key: Pem | None = None
    passphrase: Secret | None = None
    host_key_policy: HostKeyPolicy = HostKeyPolicy.STRICT


class RestCreate(BaseModel):
    """A new credential for an HTTP API, with what its scheme needs."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: Literal[Kind.REST]
    scheme: Scheme
    username: Username | None = None
    password: Secret | None = None
    header: Header | None = None
    token: Token | None = None
    certificate: Certificate | None = None
    private_key: Pem | None = None
    passphrase: Secret | None = None


def _kind(given: object) -> str:
    """Name the alternative that is meant: SNMP, which refuses a kind there is not."""
    kind = given.get("kind") if isinstance(given, dict) else getattr(given, "kind", None)
    return f"{ALTERNATIVE}{kind if kind in KINDS else Kind.SNMP}"


CredentialCreate = Annotated[
    Annotated[SnmpCreate, Tag(f"{ALTERNATIVE}{Kind.SNMP}")]
    | Annotated[SshCreate, Tag(f"{ALTERNATIVE}{Kind.SSH}")]
    | Annotated[RestCreate, Tag(f"{ALTERNATIVE}{Kind.REST}")],
    Discriminator(_kind),
]


class SealedRead(BaseModel):
    """Fields without their secrets; `secrets` names those that are set."""

    version: int | None
    username: str | None
    security_level: SecurityLevel | None
    auth_protocol: AuthProtocol | None
    priv_protocol: PrivProtocol | None
    context_name: str | None
    host_key_policy: HostKeyPolicy | None
    scheme: Scheme | None
    header: str | None
    certificate: str | None
    secrets: list[str] = Field(json_schema_extra={"items": {"enum": list(SECRETS)}})
    created_at: datetime


class CredentialRead(SealedRead):
    """A credential: the version in force, and its number; `revision` is its ETag."""

    id: UUID
    name: str
    kind: Kind
    number: int
    revision: int
    updated_at: datetime


class VersionRead(SealedRead):
    """A version of a credential."""

    number: int
    state: State


@lookups.expanded
class CredentialQuery(PageQuery):
    """Filters of the list of credentials."""

    name: Annotated[list[Name], TEXT] = NOT_GIVEN
    kind: Annotated[list[Kind], CHOICE] = NOT_GIVEN
    created_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
    updated_at: Annotated[list[Moment], MOMENT] = NOT_GIVEN
