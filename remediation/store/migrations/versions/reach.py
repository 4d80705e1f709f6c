"""Who is in the groups that limit a role of the helpdesk, and what the API has done already."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "group_members",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "group_id", "oid")),
        sa.Column("listed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "oid", name="pk_group_members"),
    )
    op.create_table(
        "api_deeds",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", "caller", "key", "asked")),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("answer", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "key", name="pk_api_deeds"),
    )
