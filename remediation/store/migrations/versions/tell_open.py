"""When a person asked to be told once their device is open."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journeys", sa.Column("tell_open_at", sa.DateTime(timezone=True)))
