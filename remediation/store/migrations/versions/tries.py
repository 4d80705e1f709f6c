"""What a person said to have done, so that they are not told the same again."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journeys", sa.Column("tries", sa.JSON()))
    op.add_column("journeys", sa.Column("tried_at", sa.DateTime(timezone=True)))
