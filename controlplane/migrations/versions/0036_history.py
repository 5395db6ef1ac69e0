"""The history of an object is found by its index."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_audit_entries_object", "audit_entries", ["object_type", "object_id", "seq"]
    )


def downgrade() -> None:
    op.drop_index("ix_audit_entries_object", "audit_entries")
