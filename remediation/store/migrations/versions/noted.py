"""Whether the MDM's record was given the Azure device id already: it is written once, not with every push."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pushes", sa.Column("noted_at", sa.DateTime(timezone=True)))
