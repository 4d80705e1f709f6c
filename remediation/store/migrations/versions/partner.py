"""What Microsoft last took from us as compliance partner, and which links it wants to be told again."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("pushes", sa.Column("tell_again_at", MOMENT))
    op.create_table(
        "partner_told",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("provisioned", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("enrollment_url", "remediation_url")),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("groups", "policies")),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_partner_told"),
    )
