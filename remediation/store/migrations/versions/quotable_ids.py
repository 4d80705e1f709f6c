"""The ids of the last call that failed, for each remote, beside what the journey and the push keep of the error."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns are added, none is changed: the version before this one goes on working beside it."""
    for table in ("journeys", "pushes"):
        op.add_column(table, sa.Column("failed_calls", sa.JSON()))
