"""The permissions there are, and which built-in role holds which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One thing that may be done, as `noun:verb`."""

    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    SITES_READ = "sites:read"
    SITES_WRITE = "sites:write"
    CATALOGUE_WRITE = "catalogue:write"
    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_WRITE = "credentials:write"
    THRESHOLDS_READ = "thresholds:read"
    THRESHOLDS_WRITE = "thresholds:write"
    ALERTS_READ = "alerts:read"
    ALERTS_ACKNOWLEDGE = "alerts:acknowledge"
    ALERTS_WRITE = "alerts:write"
    ALERTS_INGEST = "alerts:ingest"
    MAINTENANCE_READ = "maintenance:read"
    MAINTENANCE_WRITE = "maintenance:write"
    ONCALL_READ = "oncall:read"
    ONCALL_WRITE = "oncall:write"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"  # drafts
    RULES_DEPLOY = "rules:deploy"  # what is in force
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_WRITE = "notifications:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    TOKENS_READ = "tokens:read"
    TOKENS_WRITE = "tokens:write"
    ROLES_READ = "roles:read"
    ROLES_WRITE = "roles:write"
    GRANTS_READ = "grants:read"
    GRANTS_WRITE = "grants:write"
    AUDIT_READ = "audit:read"
    JOBS_READ = "jobs:read"  # those of others
    JOBS_WRITE = "jobs:write"
    EXPORTERS_READ = "exporters:read"
    EXPORTERS_WRITE = "exporters:write"
    TARGETS_CONFIRM = "targets:confirm"
    SNAPSHOT_READ = "snapshot:read"
    TARGETS_READ = "targets:read"
    INTENT_READ = "intent:read"


class Role(StrEnum):
    """The roles that are always there."""

    SUPER_ADMIN = "super_admin"
    ADMIN = "admin"
    OPERATOR = "operator"
    ANALYST = "analyst"
    VIEWER = "viewer"


# What services do is for their tokens alone: no person reads secrets through them.
FOR_SERVICES = frozenset(
    {
        Permission.SNAPSHOT_READ,
        Permission.TARGETS_READ,
        Permission.INTENT_READ,
        Permission.ALERTS_INGEST,
    }
)
FOR_PEOPLE = frozenset(Permission) - FOR_SERVICES

VIEWER = frozenset(
    {
        Permission.DEVICES_READ,
        Permission.SITES_READ,
        Permission.GROUPS_READ,
        Permission.THRESHOLDS_READ,
        Permission.ALERTS_READ,
        Permission.MAINTENANCE_READ,
        Permission.ONCALL_READ,
        Permission.RULES_READ,
    }
)
ANALYST = VIEWER | {Permission.AUDIT_READ}
OPERATOR = VIEWER | {
    Permission.DEVICES_WRITE,
    Permission.SITES_WRITE,
    Permission.CATALOGUE_WRITE,
    Permission.GROUPS_WRITE,
    Permission.CREDENTIALS_READ,
    Permission.THRESHOLDS_WRITE,
    Permission.ALERTS_ACKNOWLEDGE,
    Permission.ALERTS_WRITE,
    Permission.MAINTENANCE_WRITE,
    Permission.RULES_WRITE,
    Permission.NOTIFICATIONS_READ,
    Permission.EXPORTERS_READ,
}
ADMIN = FOR_PEOPLE - {Permission.ROLES_WRITE}

ROLES: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.SUPER_ADMIN: FOR_PEOPLE,
        Role.ADMIN: ADMIN,
        Role.OPERATOR: OPERATOR,
        Role.ANALYST: ANALYST,
        Role.VIEWER: VIEWER,
    }
)
