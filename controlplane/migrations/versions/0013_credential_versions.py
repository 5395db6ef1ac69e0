"""Versions of credentials: the one that waits beside the one in force.

Going down loses the versions that wait, and the numbers of those in force.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("number", "newest"):
        op.add_column("credentials", sa.Column(name, sa.Integer(), nullable=False, server_default="1"))
        op.alter_column("credentials", name, server_default=None)
    op.create_table(
        "credential_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(64)),
        sa.Column("security_level", sa.String(32)),
        sa.Column("auth_protocol", sa.String(32)),
        sa.Column("priv_protocol", sa.String(32)),
        sa.Column("context_name", sa.String(64)),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("community", sa.LargeBinary()),
        sa.Column("password", sa.LargeBinary()),
        sa.Column("priv_password", sa.LargeBinary()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credential_versions"),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credentials.id"],
            name="fk_credential_versions_credential_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("credential_id", name="uq_credential_versions_credential_id"),
    )


def downgrade() -> None:
    op.drop_table("credential_versions")
    op.drop_column("credentials", "newest")
    op.drop_column("credentials", "number")
