"""The table of credentials; every secret in it is a ciphertext of the vault."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class Kind(StrEnum):
    """The protocol a credential is for."""

    SNMP = "snmp"
    SSH = "ssh"
    REST = "rest"


class SecurityLevel(StrEnum):
    """What of an SNMPv3 message is protected (RFC 3411, section 3.4.3)."""

    NO_AUTH_NO_PRIV = "noAuthNoPriv"
    AUTH_NO_PRIV = "authNoPriv"
    AUTH_PRIV = "authPriv"


class AuthProtocol(StrEnum):
    """How SNMPv3 messages are authenticated (RFC 3414, RFC 7860)."""

    MD5 = "MD5"
    SHA = "SHA"
    SHA224 = "SHA224"
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class PrivProtocol(StrEnum):
    """How SNMPv3 messages are encrypted (RFC 3414, RFC 3826; `C` is Cisco's key extension)."""

    DES = "DES"
    AES = "AES"
    AES192 = "AES192"
    AES192C = "AES192C"
    AES256 = "AES256"
    AES256C = "AES256C"


class HostKeyPolicy(StrEnum):
    """Which host keys of a device are believed (RFC 4251, section 4.1)."""

    STRICT = "strict"  # those that are known already
    ACCEPT_NEW = "accept_new"  # the first one that is seen, and no other after it


class Scheme(StrEnum):
    """How an HTTP API is told who asks."""

    BASIC = "basic"
    BEARER = "bearer"
    HEADER = "header"  # a key in a header of the vendor's own
    CERTIFICATE = "certificate"  # of the client, in TLS


class Sealable(SQLModel):
    """The fields of a credential of any kind, the secret ones sealed under `data_key`.

    Of SNMP they are those of an `auths:` entry of snmp.yml, with its `version`.
    """

    version: int | None = None
    username: str | None = Field(default=None, max_length=64)
    security_level: SecurityLevel | None = Field(default=None, sa_type=words(SecurityLevel))
    auth_protocol: AuthProtocol | None = Field(default=None, sa_type=words(AuthProtocol))
    priv_protocol: PrivProtocol | None = Field(default=None, sa_type=words(PrivProtocol))
    context_name: str | None = Field(default=None, max_length=64)
    host_key_policy: HostKeyPolicy | None = Field(default=None, sa_type=words(HostKeyPolicy))
    scheme: Scheme | None = Field(default=None, sa_type=words(Scheme))
    header: str | None = Field(default=None, max_length=64)
    certificate: str | None = None
    key_version: int
    data_key: bytes = Field(repr=False)
    community: bytes | None = Field(default=None, repr=False)
    password: bytes | None = Field(default=None, repr=False)
    priv_password: bytes | None = Field(default=None, repr=False)
    private_key: bytes | None = Field(default=None, repr=False)
    passphrase: bytes | None = Field(default=None, repr=False)
    token: bytes | None = Field(default=None, repr=False)


class Credential(Sealable, table=True):
    """What a device is asked with: the version in force."""

    __tablename__ = "credentials"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True, max_length=63)
    kind: Kind = Field(default=Kind.SNMP, sa_type=words(Kind))
    number: int = 1  # of the version in force
    newest: int = 1  # number that was ever given to a version
    revision: int = 1  # counts the changes, also of what waits; `version` is that of SNMP
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class State(StrEnum):
    """Where a version is in the rotation of a credential."""

    STAGED = "staged"  # to be in force, once it is verified
    IN_FORCE = "in_force"
    FALLBACK = "fallback"  # was in force, and is tried on devices that do not take the new one yet


class CredentialVersion(Sealable, table=True):
    """A version that waits beside the one in force: the next one, or the last one."""

    __tablename__ = "credential_versions"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    credential_id: UUID = Field(foreign_key="credentials.id", ondelete="CASCADE", unique=True)
    number: int
    state: State = Field(sa_type=words(State))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
