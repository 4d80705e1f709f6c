"""How many calls each remote gets from all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=False),
        sa.Column("full_at", MOMENT),
        sa.Column("writes_full_at", MOMENT),
        sa.Column("closed_until", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("probe_until", MOMENT),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "remote", name="pk_budgets"),
    )
