"""Whether messages of an MDM connection arrive. Where a person tapped one before this revision, that was seen already."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "message_tests",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("seen_at", MOMENT),
        sa.Column("proven_at", MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "connection", name="pk_message_tests"),
        sa.UniqueConstraint("tenant_id", "token_hash", name="uq_message_tests_tenant_id_token_hash"),
    )
    op.execute(
        "INSERT INTO message_tests (tenant_id, connection, asked_by, asked_at, expires_at, sent_at, seen_at, proven_at)"
        " SELECT tenant_id, connection, 'migration', MIN(used_at), MIN(used_at), MIN(used_at), MIN(used_at), MIN(used_at)"
        " FROM possession_links WHERE used_at IS NOT NULL GROUP BY tenant_id, connection"
    )
