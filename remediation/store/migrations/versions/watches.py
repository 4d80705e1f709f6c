"""Polls and sweeps over whole lists: their rows, when a list last showed a link, and the ways to find a page's links."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Columns are added, none is changed: the version before this one goes on working beside it."""
    for name in ("mdm_listed_at", "directory_listed_at"):
        op.add_column("pushes", sa.Column(name, MOMENT))
    op.create_index("ix_device_links_device", "device_links", ["tenant_id", "device_id"])
    op.create_index("ix_device_links_record", "device_links", ["tenant_id", "connection", "record_id"])
    op.create_table(
        "watches",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("checkpoint", MOMENT),
        sa.Column("cursor", sa.Text()),
        *(sa.Column(name, MOMENT) for name in ("began_at", "done_at", "good_at", "failing_since")),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in ("alarmed", "wake", "attempts")),
        sa.Column("next_look_at", MOMENT),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_watches"),
    )
