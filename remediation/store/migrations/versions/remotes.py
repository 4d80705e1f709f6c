"""What came of the calls to each remote, so that a page and a command say how it is without asking it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remotes",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("remote", sa.Text, nullable=False),
        sa.Column("good_at", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        sa.Column("cause", sa.Text),
        sa.Column("status", sa.Integer),
        sa.Column("code", sa.Text),
        sa.Column("words", sa.Text),
        sa.Column("rate", sa.Float),
        sa.Column("burst", sa.Integer),
        sa.Column("event_at", sa.DateTime(timezone=True)),
        sa.Column("forged", sa.Integer, nullable=False, server_default="0"),
        sa.Column("forged_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "remote", name="pk_remotes"),
    )
