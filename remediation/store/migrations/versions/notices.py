"""The owner is told in another way that a link of theirs took another one's place."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("link_id", sa.Text, primary_key=True),
        sa.Column("way", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True)),
        sa.Column("next_try_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.ForeignKeyConstraint(["tenant_id", "link_id"], ["device_links.tenant_id", "device_links.id"]),
    )
    op.create_index("ix_notices_due", "notices", ["tenant_id", "next_try_at"])
