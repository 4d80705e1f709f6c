"""What an administrator typed into pages, what the worker found of it, and one-time links for the first administrator."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0035"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "choices",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("sealed_for", sa.Text()),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_choices"),
    )
    op.create_table(
        "set_up_looks",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wanted_at", MOMENT),
        sa.Column("looked_at", MOMENT),
        sa.Column("good_at", MOMENT),
        sa.Column("failed_at", MOMENT),
        sa.Column("cause", sa.Text()),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_set_up_looks"),
    )
    op.create_table(
        "set_up_links",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
        sa.Column("session_hash", sa.Text()),
        sa.Column("session_until", MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "token_hash", name="pk_set_up_links"),
    )
