"""Rows that are due are found along an index of their own kind, longest waiting first; and rows woken to write are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

UNSENT = "(sent_seq < desired_seq OR confirmed_seq >= desired_seq)"
# As `tables` has them, letter for letter.
PARTIAL = (
    ("ix_pushes_on_its_way", "sent_seq >= desired_seq AND confirmed_seq < desired_seq", "next_look_at"),
    ("ix_pushes_revoking", f"lane = 'revoke' AND {UNSENT}", "next_look_at"),
    ("ix_pushes_for_people", f"lane = 'person' AND {UNSENT}", "next_look_at"),
    ("ix_pushes_swept", f"lane NOT IN ('revoke', 'person') AND {UNSENT}", "next_look_at"),
    ("ix_pushes_lease", "desired = 'compliant'", "compliant_until"),
)


def upgrade() -> None:
    for name in ("ix_pushes_due", "ix_pushes_lease"):
        op.drop_index(name, "pushes")
    for name, where, column in PARTIAL:
        columns = ["tenant_id", column]
        op.create_index(name, "pushes", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.add_column("budgets", sa.Column("woken_full_at", sa.DateTime(timezone=True)))
