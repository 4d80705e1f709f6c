"""How many links rest on each MDM connection, as a worker counts it now and then: no page counts over all links."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "dependents",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("links", sa.Integer, nullable=False),
        sa.Column("standing", sa.Integer, nullable=False),
        sa.Column("first_end", moment),
        sa.Column("ending", sa.Integer, nullable=False),
        sa.Column("counted_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection", name="pk_dependents"),
    )
