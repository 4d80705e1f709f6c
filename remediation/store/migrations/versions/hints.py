"""An MDM's event may name a device by UDID or serial alone, and is answered at once."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_managed_devices_udid", "managed_devices", ["tenant_id", "connection", "udid"])
    op.create_index("ix_managed_devices_serial", "managed_devices", ["tenant_id", "connection", "serial"])
