"""Sources that are read again and again, each with its checkpoint, its last good answer and since when it fails."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "watches",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("checkpoint", MOMENT),
        sa.Column("cursor", sa.Text()),
        sa.Column("began_at", MOMENT),
        sa.Column("done_at", MOMENT),
        sa.Column("good_at", MOMENT),
        sa.Column("failing_since", MOMENT),
        sa.Column("alarmed", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("wake", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_look_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_watches"),
    )
    op.create_index("ix_watches_due", "watches", ["tenant_id", "next_look_at"])
