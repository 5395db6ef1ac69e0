"""The table of the audit log, to which rows are added and from which none is taken."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Index
from sqlmodel import Field, SQLModel

from controlplane.database import UtcDateTime, now, words


class Kind(StrEnum):
    """What somebody is: a person, a token of theirs, a service, a shell, CHM, or nobody known."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 - a kind of actor, no secret
    SERVICE = "service"
    SHELL = "shell"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


class Action(StrEnum):
    """What was done."""

    LOGIN_SUCCESS = "auth.login.success"
    LOGIN_FAILURE = "auth.login.failure"
    LOGOUT = "auth.logout"
    SESSION_REVOKED = "auth.session.revoked"
    PASSWORD_CHANGE = "auth.password.change"  # noqa: S105 - the name of an action, no secret
    PASSWORD_RESET = "auth.password.reset"  # noqa: S105 - ...
    MFA_ENABLED = "auth.mfa.enabled"
    MFA_DISABLED = "auth.mfa.disabled"
    MFA_RESET = "auth.mfa.reset"
    TOKEN_CREATED = "auth.token.created"  # noqa: S105 - ...
    TOKEN_REVOKED = "auth.token.revoked"  # noqa: S105 - ...
    PERMISSION_DENIED = "authz.permission.denied"
    ROLE_ASSIGNED = "authz.role.assigned"
    ROLE_REVOKED = "authz.role.revoked"
    POLICY_CREATED = "authz.policy.created"
    POLICY_UPDATED = "authz.policy.updated"
    POLICY_DELETED = "authz.policy.deleted"
    CREATE = "data.create"
    UPDATE = "data.update"
    DELETE = "data.delete"
    IMPORT = "data.import"
    EXPORT = "data.export"
    CONFIG_CHANGE = "system.config.change"
    CHANNEL_TESTED = "notification.channel.tested"
    SECURITY_ALERT = "security.alert"
    RATE_LIMITED = "security.rate_limit.exceeded"
    KEY_ROTATED = "security.key.rotated"
    AUDIT_EXPORTED = "compliance.audit.exported"


class Outcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True)
class Who:
    """Somebody, and where they asked from; `request_id` is that of the answer and of the log."""

    kind: Kind
    id: str = ""
    name: str = ""
    address: str = ""
    request_id: str = ""


class AuditEntry(SQLModel, table=True):
    """One thing that was done; `mac` chains it to the entry before (controlplane.audit.chain)."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_object", "object_type", "object_id", "seq"),)

    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    action: Action = Field(sa_type=words(Action), index=True)
    outcome: Outcome = Field(default=Outcome.SUCCESS, sa_type=words(Outcome))
    actor_kind: Kind = Field(sa_type=words(Kind))
    actor_id: str = ""
    actor_name: str = Field(default="", index=True)
    address: str = ""
    request_id: str = Field(default="", index=True)
    object_type: str = ""
    object_id: str = ""
    object_name: str = Field(default="", index=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    mac: str = Field(max_length=64)
