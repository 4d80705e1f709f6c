"""One wish for a message of possession is served by one pass at a time, so that the phone gets one message."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journeys", sa.Column("possession_sending_until", sa.DateTime(timezone=True)))
