"""What a policy about compliant devices would do to people, as it is counted, and start messages in waves."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PLATFORM = sa.String(40)


def upgrade() -> None:
    _counts()
    _while_it_counts()
    _missing()
    _waves()


def _counts() -> None:
    op.create_table(
        "impact_counts",
        *_keys("id"),
        sa.Column("slot", sa.Text()),
        *_needed(sa.Text(), "asked_by", "state", "stage"),
        sa.Column("asked_at", MOMENT, nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("cursor", "reason")),
        *_needed(sa.Integer(), "turn", "attempts", "people", "touched"),
        *(sa.Column(name, MOMENT) for name in ("next_at", "done_at")),
        *_needed(sa.JSON(), "lists", "by_platform", "by_reason"),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_impact_counts"),
        sa.UniqueConstraint("tenant_id", "slot", name="uq_impact_counts_tenant_id_slot"),
    )


def _while_it_counts() -> None:
    op.create_table(
        "impact_people",
        *_keys("count_id", "oid"),
        *_needed(sa.Text(), "source", "name", "user_name"),
        sa.Column("mail", sa.Text()),
        sa.Column("licensed", sa.Boolean()),
        *_of_count("impact_people", "count_id", "oid"),
    )
    op.create_index("ix_impact_people_oid", "impact_people", ["tenant_id", "oid"])
    op.create_table(
        "impact_names",
        *_keys("count_id", "name", "kind", "oid"),
        *_of_count("impact_names", "count_id", "name", "kind", "oid"),
    )
    op.create_index("ix_impact_names_oid", "impact_names", ["tenant_id", "oid"])
    op.create_table(
        "impact_registered",
        *_keys("count_id", "device_id"),
        *_needed(sa.Text(), "oid"),
        *_needed(PLATFORM, "platform"),
        *_needed(sa.Boolean(), "works", "compliant"),
        *_of_count("impact_registered", "count_id", "device_id"),
    )
    op.create_index("ix_impact_registered_oid", "impact_registered", ["tenant_id", "oid", "count_id"])
    op.create_table(
        "impact_managed",
        *_keys("count_id", "connection", "record_id"),
        *_needed(sa.Text(), "oid"),
        *_needed(PLATFORM, "platform"),
        *_of_count("impact_managed", "count_id", "connection", "record_id"),
    )
    op.create_index("ix_impact_managed_oid", "impact_managed", ["tenant_id", "oid", "count_id"])


def _missing() -> None:
    op.create_table(
        "impact_missing",
        *_keys("count_id", "reason", "platform", "oid"),
        *(sa.Column(name, sa.Text()) for name in ("connection", "record_id")),
        *_of_count("impact_missing", "count_id", "reason", "platform", "oid"),
    )
    op.create_index("ix_impact_missing_oid", "impact_missing", ["tenant_id", "oid"])


def _waves() -> None:
    op.create_table(
        "start_waves",
        *_keys("id"),
        sa.Column("slot", sa.Text()),
        *_needed(sa.Text(), "count_id", "reason", "platform", "way", "asked_by", "state"),
        *_needed(sa.Integer(), "size", "pause_seconds", "people", "number", "in_wave"),
        sa.Column("asked_at", MOMENT, nullable=False),
        *(sa.Column(name, MOMENT) for name in ("next_at", "ended_at")),
        *(sa.Column(name, sa.Text()) for name in ("why", "ended_by")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_start_waves"),
        sa.UniqueConstraint("tenant_id", "slot", name="uq_start_waves_tenant_id_slot"),
    )
    op.create_table(
        "start_messages",
        *_keys("wave_id", "oid"),
        *(sa.Column(name, sa.Text()) for name in ("connection", "record_id", "mail", "reason")),
        *_needed(sa.Text(), "state"),
        sa.Column("number", sa.Integer()),
        sa.Column("at", MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "wave_id", "oid", name="pk_start_messages"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "wave_id"], ["start_waves.tenant_id", "start_waves.id"], name="fk_start_messages_start_waves"
        ),
    )
    op.create_index("ix_start_messages_state", "start_messages", ["tenant_id", "wave_id", "state", "oid"])
    op.create_index("ix_start_messages_oid", "start_messages", ["tenant_id", "oid"])


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in ("tenant_id", *names)]


def _needed(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _of_count(table: str, *keys: str) -> tuple[sa.PrimaryKeyConstraint, sa.ForeignKeyConstraint]:
    return sa.PrimaryKeyConstraint("tenant_id", *keys, name=f"pk_{table}"), sa.ForeignKeyConstraint(
        ["tenant_id", "count_id"], ["impact_counts.tenant_id", "impact_counts.id"], name=f"fk_{table}_impact_counts"
    )
