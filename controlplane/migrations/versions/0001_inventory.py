"""The first tables: people, tokens, credentials, the inventory, thresholds, alerts.

Going down loses everything.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def word(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(32), nullable=nullable)


def upgrade() -> None:
    changes = op.create_table("changes", sa.Column("counter", sa.BigInteger, nullable=False))
    op.bulk_insert(changes, [{"counter": 0}])
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.String, nullable=False),
        word("role"),
        sa.Column("active", sa.Boolean, nullable=False),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "service_tokens",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("permissions", sa.JSON, nullable=False),
        moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_service_tokens"),
        sa.UniqueConstraint("name", name="uq_service_tokens_name"),
    )
    op.create_table(
        "credentials",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        word("kind"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("username", sa.String(64)),
        word("security_level", nullable=True),
        word("auth_protocol", nullable=True),
        word("priv_protocol", nullable=True),
        sa.Column("context_name", sa.String(64)),
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("community", sa.LargeBinary),
        sa.Column("password", sa.LargeBinary),
        sa.Column("priv_password", sa.LargeBinary),
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_credentials"),
        sa.UniqueConstraint("name", name="uq_credentials_name"),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("description", sa.String, nullable=False),
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
        sa.UniqueConstraint("name", name="uq_sites_name"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("address", sa.String(253), nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("site_id", sa.Uuid),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("vendor", sa.String(64), nullable=False),
        sa.Column("profile", sa.String(63)),
        sa.Column("modules", sa.JSON, nullable=False),
        word("status"),
        sa.Column("version", sa.Integer, nullable=False),
        moment("created_at"),
        moment("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("name", name="uq_devices_name"),
        sa.ForeignKeyConstraint(
            ["site_id"], ["sites.id"], name="fk_devices_site_id", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_devices_site_id", "devices", ["site_id"])
    op.create_table(
        "device_credentials",
        sa.Column("device_id", sa.Uuid, nullable=False),
        sa.Column("credential_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "credential_id", name="pk_device_credentials"),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name="fk_device_credentials_device_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credentials.id"],
            name="fk_device_credentials_credential_id",
            ondelete="RESTRICT",
        ),
    )
    op.create_index(
        "ix_device_credentials_credential_id", "device_credentials", ["credential_id"]
    )
    op.create_table(
        "device_parents",
        sa.Column("device_id", sa.Uuid, nullable=False),
        sa.Column("parent_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "parent_id", name="pk_device_parents"),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="fk_device_parents_device_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["devices.id"], name="fk_device_parents_parent_id", ondelete="RESTRICT"
        ),
    )
    op.create_index("ix_device_parents_parent_id", "device_parents", ["parent_id"])
    op.create_table(
        "thresholds",
        word("metric"),
        word("severity"),
        sa.Column("value", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("metric", "severity", name="pk_thresholds"),
    )
    op.create_table(
        "device_thresholds",
        sa.Column("device_id", sa.Uuid, nullable=False),
        word("metric"),
        word("severity"),
        sa.Column("value", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "metric", "severity", name="pk_device_thresholds"),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["devices.id"],
            name="fk_device_thresholds_device_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        word("status"),
        sa.Column("alertname", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("device", sa.String, nullable=False),
        sa.Column("labels", postgresql.JSONB, nullable=False),
        sa.Column("annotations", postgresql.JSONB, nullable=False),
        moment("starts_at"),
        moment("ends_at", nullable=True),
        moment("received_at"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("fingerprint", "starts_at", name="uq_alerts_fingerprint"),
    )
    op.create_index("ix_alerts_status_starts_at", "alerts", ["status", "starts_at"])
    op.create_index(
        "uq_alerts_firing",
        "alerts",
        ["fingerprint"],
        unique=True,
        postgresql_where=sa.text("status = 'firing'"),
    )
    op.create_index("ix_alerts_alertname", "alerts", ["alertname"])
    op.create_index("ix_alerts_device", "alerts", ["device"])


def downgrade() -> None:
    for table in (
        "alerts",
        "device_thresholds",
        "thresholds",
        "device_parents",
        "device_credentials",
        "devices",
        "sites",
        "credentials",
        "service_tokens",
        "users",
        "changes",
    ):
        op.drop_table(table)
