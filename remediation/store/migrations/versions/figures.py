"""Figures are of a period: they find its audit rows by their time, and leases that are over by their end, however many others."""

from alembic import op

revision = "0025"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_at", "audit", ["tenant_id", "at"])
    op.create_index("ix_pushes_lease", "pushes", ["tenant_id", "compliant_until"])
