"""Figures are of a period: they find its audit rows by their time, and leases that are over by their end, however many others."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_at", "audit", ["at", "tenant_id"])
    op.create_index("ix_pushes_lease", "pushes", ["compliant_until", "tenant_id"])
