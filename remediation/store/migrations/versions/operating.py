"""What operating needs: leases extended in an outage, alarms to be told, and a look that failed by a fault of ours."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("journeys", sa.Column("reason", sa.Text()))
    op.create_table(
        "lease_extensions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("outage_at", MOMENT, nullable=False),
        sa.Column("extended_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("links", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", "outage_at", name="pk_lease_extensions"),
    )
    op.create_table(
        "alarms",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("told_at", MOMENT),
        sa.Column("next_try_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "id", "sink", name="pk_alarms"),
    )
    op.create_index("ix_alarms_due", "alarms", ["tenant_id", "next_try_at"])
