"""What `q` looks through of interfaces and alerts, and an index of every three letters of it.

A list of 240,000 interfaces is searched in milliseconds instead of a tenth of a second. The index
is of PostgreSQL's own kinds, an array in GIN, because pg_trgm is not wherever we run.
"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TRIGRAMS = """
CREATE FUNCTION chm_trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT coalesce(array_agg(DISTINCT substr($1, n, 3)), '{}') FROM generate_series(1, length($1) - 2) n
$$
"""
SPACE = " || ' '::text || "
TOGETHER = {
    "interfaces": ("device::text", "name::text", "alias::text", "description::text"),
    "alerts": (
        *("alertname::text", "device::text", "site::text"),
        "coalesce(annotations ->> 'summary'::text, ''::text)",
        "coalesce(annotations ->> 'description'::text, ''::text)",
    ),
}


def upgrade() -> None:
    op.execute(TRIGRAMS)
    for table, texts in TOGETHER.items():
        searched = sa.Computed(f"lower({SPACE.join(texts)})", persisted=True)
        op.add_column(table, sa.Column("searched", sa.Text, searched))
        pieces = sa.func.chm_trigrams(sa.column("searched"))
        op.create_index(f"ix_{table}_trigrams", table, [pieces], postgresql_using="gin")
    op.create_index("ix_interfaces_oper_status", "interfaces", ["oper_status"])


def downgrade() -> None:
    op.drop_index("ix_interfaces_oper_status", "interfaces")
    for table in TOGETHER:
        op.drop_column(table, "searched")  # and its index
    op.execute("DROP FUNCTION chm_trigrams(text)")
