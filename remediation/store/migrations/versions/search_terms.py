"""The helpdesk finds people by their devices, too, and as fast among a million as among a thousand."""

import sqlalchemy as sa
from alembic import op

from remediation.store import terms

revision = "0022"
down_revision = "0017"
branch_labels = None
depends_on = None

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "search_terms",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("term", BYTEWISE, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "oid", "subject", "term", name="pk_search_terms"),
        sa.ForeignKeyConstraint(["tenant_id", "oid"], ["people.tenant_id", "people.oid"], name="fk_search_terms_people"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_terms_term", "search_terms", ["tenant_id", "term", "oid"])
    # not frozen on purpose: terms are derived, and what searches for them is the code of today
    terms.fill_missing(op.get_bind())
