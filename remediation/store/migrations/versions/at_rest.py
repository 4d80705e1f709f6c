"""Indexes of rows that do not rest, so that nobody reads a million that do to find them."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    erring = sa.text("reason IS NOT NULL OR attempts > 0 OR desired_seq = 0")
    op.create_index("ix_pushes_erring", "pushes", ["tenant_id", "link_id"], sqlite_where=erring, postgresql_where=erring)
    under_way = sa.text("wanted_at IS NOT NULL AND (done_at IS NULL OR done_at < wanted_at)")
    columns = ["tenant_id", "expires_at", "id"]
    op.create_index("ix_journeys_under_way", "journeys", columns, sqlite_where=under_way, postgresql_where=under_way)
