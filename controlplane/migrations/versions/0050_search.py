"""What `q` looks through of devices and of what they say, kept beside them.

The function gives the words of an array as one text. PostgreSQL's `array_to_string` is not declared
immutable, because the output of some types depends on settings; that of texts does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

WORDS = """
CREATE FUNCTION chm_words(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_to_string($1, ' ') $$
"""
SPACE = " || ' '::text || "
TOGETHER = {
    "devices": (
        *(f"{name}::text" for name in ("name", "address", "vendor", "description")),
        *("asset_tag::text", "serial::text", "chm_words(tags::text[])"),
    ),
    "device_facts": ("model::text", "os_version::text", "serial::text"),
}


def upgrade() -> None:
    op.execute(WORDS)
    for table, texts in TOGETHER.items():
        searched = sa.Computed(f"lower({SPACE.join(texts)})", persisted=True)
        op.add_column(table, sa.Column("searched", sa.Text, searched))


def downgrade() -> None:
    for table in TOGETHER:
        op.drop_column(table, "searched")
    op.execute("DROP FUNCTION chm_words(text[])")
