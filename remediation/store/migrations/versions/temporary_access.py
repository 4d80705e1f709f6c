"""Temporary access: asked for by a person, approved by two of the staff, given by Microsoft until an end."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

# As `tables/desk.py` has them, letter for letter.
OPEN = "state IN ('asked', 'first', 'approved', 'given')"
PARTIAL = (
    ("ix_access_requests_waiting", "state IN ('asked', 'first', 'approved', 'failed')", ["tenant_id", "asked_at", "id"]),
    ("ix_access_requests_given", "state = 'given'", ["tenant_id", "until", "id"]),
    ("ix_access_requests_due", "next_try_at IS NOT NULL", ["tenant_id", "next_try_at"]),
)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "access_requests",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("oid", sa.Text, nullable=False),
        sa.Column("case_code", sa.Text, nullable=False),
        sa.Column("platform", sa.String(40), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("hours", sa.Integer),
        sa.Column("first_oid", sa.Text),
        sa.Column("first_at", moment),
        sa.Column("second_oid", sa.Text),
        sa.Column("second_at", moment),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("until", moment),
        sa.Column("sent_at", moment),
        sa.Column("given_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("end_wanted_at", moment),
        sa.Column("reason", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", moment),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_access_requests"),
        sa.ForeignKeyConstraint(["tenant_id", "oid"], ["people.tenant_id", "people.oid"]),
        sa.CheckConstraint("first_oid IS NULL OR first_oid <> oid", name="ck_access_first"),
        sa.CheckConstraint("second_oid IS NULL OR (second_oid <> oid AND second_oid <> first_oid)", name="ck_access_second"),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'given') OR (first_oid IS NOT NULL AND second_oid IS NOT NULL AND until IS NOT NULL)",
            name="ck_access_given",
        ),
        sa.CheckConstraint("hours IS NULL OR hours BETWEEN 1 AND 24", name="ck_access_hours"),
    )
    op.create_index("ix_access_requests_person", "access_requests", ["tenant_id", "oid", "asked_at"])
    some = sa.text(OPEN)
    whose = ["tenant_id", "oid"]
    op.create_index("uq_access_requests_open", "access_requests", whose, unique=True, sqlite_where=some, postgresql_where=some)
    for name, condition, columns in PARTIAL:
        some = sa.text(condition)
        op.create_index(name, "access_requests", columns, sqlite_where=some, postgresql_where=some)
