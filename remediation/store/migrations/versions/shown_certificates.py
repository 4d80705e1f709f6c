"""Certificates that managed devices show, and the identifier by which many of them name their device."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("managed_devices", sa.Column("udid", sa.Text()))
    op.create_table(
        "shown_certificates",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("back_hash", sa.Text()),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("shown_at", MOMENT),
        sa.Column("returned_at", MOMENT),
        sa.Column("pem", sa.Text()),
        sa.Column("fingerprint", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_shown_certificates"),
        sa.UniqueConstraint("tenant_id", "handle_hash", name="uq_shown_certificates_tenant_id_handle_hash"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "journey_id"], ["journeys.tenant_id", "journeys.id"], name="fk_shown_certificates_journeys"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection", "record_id"],
            ["managed_devices.tenant_id", "managed_devices.connection", "managed_devices.record_id"],
            name="fk_shown_certificates_managed_devices",
        ),
    )
    op.create_index("ix_shown_certificates_journey", "shown_certificates", ["tenant_id", "journey_id"])
