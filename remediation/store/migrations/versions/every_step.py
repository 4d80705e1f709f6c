"""What every step of the journey needs: whether it is for this person, what they picked, cases of those who cannot sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Columns are added, none is changed: the version before this one goes on working beside it."""
    for name in ("account_enabled", "guest", "licensed", "in_scope"):
        op.add_column("people", sa.Column(name, sa.Boolean()))
    op.add_column("people", sa.Column("match", sa.Text()))
    op.add_column("people", sa.Column("standing_read_at", MOMENT))
    op.add_column("managed_devices", sa.Column("enrolled_at", MOMENT))
    op.add_column("journeys", sa.Column("owner_problem", sa.Text()))
    op.add_column("journeys", sa.Column("still_blocked_count", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("journeys", sa.Column("picked", sa.Text()))
    op.create_table(
        "cases",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("case_code", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("platform", sa.String(40), nullable=False),
        sa.Column("entrance", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "case_code", name="pk_cases"),
    )
