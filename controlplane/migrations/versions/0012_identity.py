"""Logins: sessions, signing keys, tokens of programs, one-time secrets, second factors.

Going down loses all of these, and the names and addresses of people.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DIGEST = sa.String(64)


def moment(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def sealed() -> tuple[sa.Column, ...]:
    return (
        sa.Column("key_version", sa.Integer, nullable=False),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )


def owned(table: str, *columns: sa.Column, unique: bool = False) -> None:
    """Make a table whose rows belong to a person and go with them."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
        ),
        *((sa.UniqueConstraint("user_id", name=f"uq_{table}_user_id"),) if unique else ()),
    )
    if not unique:
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])


def upgrade() -> None:
    op.add_column("users", sa.Column("full_name", sa.String(128), nullable=False, server_default=""))
    op.add_column("users", sa.Column("email", sa.String(254)))
    op.add_column(
        "users",
        sa.Column(
            "password_changed_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
        ),
    )
    op.add_column("users", moment("last_login_at", nullable=True))
    for column in ("full_name", "password_changed_at"):
        op.alter_column("users", column, server_default=None)
    op.create_index("ix_users_email", "users", ["email"])
    owned(
        "sessions",
        sa.Column("delivery", sa.String(32), nullable=False),
        sa.Column("family_hash", DIGEST, nullable=False),
        sa.Column("secret_hash", DIGEST, nullable=False),
        sa.Column("previous_hash", DIGEST),
        moment("rotated_at", nullable=True),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("user_agent", sa.String(256), nullable=False),
        moment("created_at"),
        moment("authenticated_at"),
        moment("last_used_at"),
        moment("idle_expires_at"),
        moment("expires_at"),
        moment("revoked_at", nullable=True),
        sa.Column("revoked_why", sa.String(64)),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Uuid, nullable=False),
        *sealed(),
        moment("created_at"),
        moment("verifies_until", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
    )
    owned(
        "api_tokens",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("secret_hash", DIGEST, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("networks", sa.JSON, nullable=False),
        moment("created_at"),
        moment("expires_at", nullable=True),
        moment("last_used_at", nullable=True),
        sa.Column("last_address", sa.String(64), nullable=False),
        moment("revoked_at", nullable=True),
    )
    owned(
        "one_time_secrets",
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("secret_hash", DIGEST, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        moment("created_at"),
        moment("expires_at"),
    )
    owned(
        "former_passwords",
        sa.Column("password_hash", sa.String, nullable=False),
        moment("created_at"),
    )
    owned(
        "totps",
        *sealed(),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        moment("created_at"),
        moment("confirmed_at", nullable=True),
        unique=True,
    )
    owned("recovery_codes", sa.Column("code_hash", DIGEST, nullable=False))


def downgrade() -> None:
    for table in (
        "recovery_codes",
        "totps",
        "former_passwords",
        "one_time_secrets",
        "api_tokens",
        "signing_keys",
        "sessions",
    ):
        op.drop_table(table)
    op.drop_index("ix_users_email", table_name="users")
    for column in ("last_login_at", "password_changed_at", "email", "full_name"):
        op.drop_column("users", column)
