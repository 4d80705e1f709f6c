"""Whether the next pass over a link only asks how far Microsoft is with what was just judged."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pushes", sa.Column("following", sa.Boolean(), nullable=False, server_default=sa.false()))
