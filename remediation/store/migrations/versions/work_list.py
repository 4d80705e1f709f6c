"""The work list reads rows that do not rest along indexes of these alone; who took which row; what a lead tells everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# As `tables` has them, letter for letter.
PARTIAL = (
    ("ix_pushes_open", "pushes", "confirmed_seq < desired_seq", ["tenant_id", "desired_at", "link_id"]),
    (
        "ix_pushes_mismatched",
        "pushes",
        "confirmed_seq >= desired_seq AND (desired = 'compliant') <> observed",
        ["tenant_id", "observed_at", "link_id"],
    ),
    ("ix_pushes_measured", "pushes", "confirmed_by = 'changed'", ["tenant_id", "confirmed_at"]),
    ("ix_device_links_pending", "device_links", "state = 'pending'", ["tenant_id", "made_at", "id"]),
    (
        "ix_journeys_troubled",
        "journeys",
        "help_why IS NOT NULL OR owner_problem IS NOT NULL OR reason IS NOT NULL OR directory_error IS NOT NULL "
        "OR mdm_error IS NOT NULL OR possession_error IS NOT NULL OR still_blocked_count >= 2",
        ["tenant_id", "expires_at", "id"],
    ),
)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for name, table, where, columns in PARTIAL:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table(
        "work_claims",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("row_id", sa.Text, nullable=False),
        sa.Column("oid", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "row_id", name="pk_work_claims"),
    )
    op.create_index("ix_work_claims_over", "work_claims", ["until", "tenant_id"])
    op.create_table(
        "incidents",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("ended_at", moment),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_incidents"),
    )
    op.create_index("ix_incidents_until", "incidents", ["tenant_id", "until"])
