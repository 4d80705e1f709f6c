"""How often each remote wanted fewer calls, by day: its own row tells the last time alone, and figures ask for a period."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "throttlings",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("day", moment, nullable=False),
        sa.Column("remote", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("last_code", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "day", "remote", name="pk_throttlings"),
    )
