"""Second sign-ins that were to name a device, and what the tenant asked of a link when it was made."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("device_links", sa.Column("minimum", sa.String(40)))
    op.create_table(
        "sign_ins",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("app_id", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("returned_at", MOMENT, nullable=False),
        sa.Column("claimed", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.Column("record", sa.String(40), nullable=False),
        sa.Column("recorded", sa.Text()),
        sa.Column("record_looks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sign_ins"),
        sa.ForeignKeyConstraint(["tenant_id", "journey_id"], ["journeys.tenant_id", "journeys.id"], name="fk_sign_ins_journeys"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["directory_devices.tenant_id", "directory_devices.device_id"],
            name="fk_sign_ins_directory_devices",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection", "record_id"],
            ["managed_devices.tenant_id", "managed_devices.connection", "managed_devices.record_id"],
            name="fk_sign_ins_managed_devices",
        ),
    )
    op.create_index("ix_sign_ins_journey", "sign_ins", ["tenant_id", "journey_id"])
