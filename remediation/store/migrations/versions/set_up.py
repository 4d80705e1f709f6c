"""Setting a tenant up: scope, what an administrator asks the worker, arrival tests, pilot devices."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0026"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "scopes",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("groups", sa.JSON, nullable=False),
        sa.Column("draft", sa.JSON),
        sa.Column("seq", sa.Integer, nullable=False, server_default="0"),
        sa.Column("chosen_at", MOMENT),
        sa.Column("chosen_by", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_scopes"),
    )
    op.create_table(
        "set_up_wishes",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("failed", sa.Text),
        sa.Column("code", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_set_up_wishes"),
    )
    op.create_index("ix_set_up_wishes_kind", "set_up_wishes", ["tenant_id", "kind", "asked_at"])
    op.create_table(
        "arrival_tests",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tested", sa.Text, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT),
        sa.Column("entrance", sa.Text),
        sa.Column("way", sa.Text),
        sa.Column("platform", sa.Text),
        sa.Column("referrer", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_arrival_tests"),
    )
    op.create_index("ix_arrival_tests_expires_at", "arrival_tests", ["tenant_id", "expires_at"])
    op.create_table(
        "pilots",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("platform", sa.String(40), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("link_id", sa.Text, nullable=False),
        sa.Column("down", sa.String(40), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("step_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("started_by", sa.Text, nullable=False),
        sa.Column("compliant_at", MOMENT),
        sa.Column("not_compliant_at", MOMENT),
        sa.Column("again_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("why", sa.Text),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_pilots"),
    )
    op.create_index("ix_pilots_link_id", "pilots", ["tenant_id", "link_id"])
    running = sa.text("state = 'running'")
    op.create_index(
        "uq_pilots_running", "pilots", ["tenant_id", "platform"], unique=True, sqlite_where=running, postgresql_where=running
    )
