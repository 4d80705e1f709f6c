"""The helpdesk repairs: which of several candidates is meant, a case reopened, start links, marks on entries of the directory; and
which page each journey last showed."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("journeys", sa.Column("settled", sa.Text()))
    op.add_column("journeys", sa.Column("reopened_at", MOMENT))
    op.add_column("journeys", sa.Column("shown", sa.Text()))
    op.create_table(
        "start_links",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("platform", sa.String(40), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text()),
        sa.Column("record_id", sa.Text()),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT),
        sa.Column("next_try_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_start_links"),
        sa.UniqueConstraint("tenant_id", "code", name="uq_start_links_code"),
        sa.ForeignKeyConstraint(["tenant_id", "oid"], ["people.tenant_id", "people.oid"], name="fk_start_links_people"),
    )
    op.create_index("ix_start_links_person", "start_links", ["tenant_id", "oid", "at"])
    op.create_index("ix_start_links_due", "start_links", ["tenant_id", "next_try_at"])
    op.create_table(
        "device_marks",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("mark", sa.String(40), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("disable_wanted_at", MOMENT),
        sa.Column("disabled_at", MOMENT),
        sa.Column("next_try_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "device_id", name="pk_device_marks"),
        sa.ForeignKeyConstraint(["tenant_id", "oid"], ["people.tenant_id", "people.oid"], name="fk_device_marks_people"),
    )
    op.create_index("ix_device_marks_person", "device_marks", ["tenant_id", "oid"])
    op.create_index("ix_device_marks_due", "device_marks", ["tenant_id", "next_try_at"])
