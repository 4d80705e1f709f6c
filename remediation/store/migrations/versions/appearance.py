"""What an administrator put in place of our sentences, number, colours and logo, with all that it was before."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appearance",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("current", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_appearance"),
    )
    op.create_index("ix_appearance_key", "appearance", ["tenant_id", "key", "made_at"])
    now = sa.text("current")
    columns = ["tenant_id", "key"]
    op.create_index("uq_appearance_current", "appearance", columns, unique=True, sqlite_where=now, postgresql_where=now)
