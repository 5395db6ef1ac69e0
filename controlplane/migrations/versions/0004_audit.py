"""The audit log: rows are added, and a trigger refuses to change or delete one.

Going down loses the audit log.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

REFUSE = """\
CREATE FUNCTION refuse_to_rewrite_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("actor_kind", sa.String(32), nullable=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("actor_name", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("request_id", sa.String, nullable=False),
        sa.Column("object_type", sa.String, nullable=False),
        sa.Column("object_id", sa.String, nullable=False),
        sa.Column("object_name", sa.String, nullable=False),
        sa.Column("before", sa.JSON),
        sa.Column("after", sa.JSON),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_entries"),
    )
    for column in ("at", "action", "actor_name", "request_id", "object_name"):
        op.create_index(f"ix_audit_entries_{column}", "audit_entries", [column])
    op.execute(REFUSE)
    for name, moment in (
        ("audit_entries_no_rewrite", "UPDATE OR DELETE ON audit_entries FOR EACH ROW"),
        ("audit_entries_no_truncate", "TRUNCATE ON audit_entries FOR EACH STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {moment} EXECUTE FUNCTION refuse_to_rewrite_audit_entries()"
        )


def downgrade() -> None:
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION refuse_to_rewrite_audit_entries()")
