"""Where the MDM's maker carries compliance, how often; and of each push, what others wrote after it and what was never applied."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journeys", sa.Column("relay_seconds", sa.Integer))
    op.add_column("journeys", sa.Column("in_app_at", sa.DateTime(timezone=True)))
    op.add_column("pushes", sa.Column("flips", sa.Integer, nullable=False, server_default="0"))
    op.add_column("pushes", sa.Column("flipped_at", sa.DateTime(timezone=True)))
    op.add_column("pushes", sa.Column("not_applied", sa.Integer, nullable=False, server_default="0"))
