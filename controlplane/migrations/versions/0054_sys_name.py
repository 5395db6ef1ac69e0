"""What a device calls itself, kept and searched beside what else it says.

Going down loses the names that devices told.
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

TOLD = ("model", "os_version", "serial")


def upgrade() -> None:
    op.add_column(
        "device_facts", sa.Column("sys_name", sa.String(255), nullable=False, server_default="")
    )
    op.alter_column("device_facts", "sys_name", server_default=None)
    _search(*TOLD, "sys_name")


def downgrade() -> None:
    op.execute("DELETE FROM device_fact_changes WHERE field = 'sys_name'")
    _search(*TOLD)
    op.drop_column("device_facts", "sys_name")


def _search(*columns: str) -> None:
    """Put together anew what `q` looks through."""
    texts = " || ' '::text || ".join(f"{name}::text" for name in columns)
    op.drop_column("device_facts", "searched")
    searched = sa.Computed(f"lower({texts})", persisted=True)
    op.add_column("device_facts", sa.Column("searched", sa.Text, searched))
