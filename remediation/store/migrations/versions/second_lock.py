"""The second lock: what stands in its attribute, what was seen blocked. The compliance partner: its end, who holds a platform."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0034"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("directory_devices", sa.Column("mark", sa.String(40)))
    op.add_column("journeys", sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "second_lock",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("attribute", sa.Integer, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("prepared_at", MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_second_lock"),
    )
    op.create_table(
        "seen_blocked",
        sa.Column("tenant_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "how", "what")),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name="pk_seen_blocked"),
    )
    op.add_column("partner_told", sa.Column("leaving_at", MOMENT))
    op.create_table(
        "partner_slots",
        sa.Column("tenant_id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("platform", "why", "holder", "state")),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "platform", name="pk_partner_slots"),
    )
