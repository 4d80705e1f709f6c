"""What a policy would do to people, as it is counted: the counts, what the lists showed, who lacks what; and the start messages."""

import sqlalchemy as sa

from ...domain.device import Platform
from ..columns import Moment, OutsideText, tenant, to, word
from .metadata import metadata

# `slot` is filled while it counts, so that the key lets one at a time through.
impact_counts = sa.Table(
    "impact_counts",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("slot", sa.Text),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("cursor", sa.Text),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("next_at", Moment),
    sa.Column("done_at", Moment),
    sa.Column("lists", sa.JSON, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("touched", sa.Integer, nullable=False),
    sa.Column("by_platform", sa.JSON, nullable=False),
    sa.Column("by_reason", sa.JSON, nullable=False),
    sa.Column("kept", sa.Boolean, nullable=False),
    sa.UniqueConstraint("tenant_id", "slot"),
)

impact_people = sa.Table(
    "impact_people",
    metadata,
    tenant(),
    sa.Column("count_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("name", OutsideText, nullable=False),
    sa.Column("user_name", OutsideText, nullable=False),
    sa.Column("mail", OutsideText),
    sa.Column("licensed", sa.Boolean),
    to("count_id", "impact_counts", "id"),
    sa.Index("ix_impact_people_oid", "tenant_id", "oid"),
)

# By which a record's owner is found (`domain/impact.py: names_of`), while it counts.
impact_names = sa.Table(
    "impact_names",
    metadata,
    tenant(),
    sa.Column("count_id", sa.Text, primary_key=True),
    sa.Column("name", OutsideText, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, primary_key=True),
    to("count_id", "impact_counts", "id"),
    sa.Index("ix_impact_names_oid", "tenant_id", "oid"),
)

impact_registered = sa.Table(
    "impact_registered",
    metadata,
    tenant(),
    sa.Column("count_id", sa.Text, primary_key=True),
    sa.Column("device_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("works", sa.Boolean, nullable=False),
    sa.Column("compliant", sa.Boolean, nullable=False),
    to("count_id", "impact_counts", "id"),
    sa.Index("ix_impact_registered_oid", "tenant_id", "oid", "count_id"),
)

impact_managed = sa.Table(
    "impact_managed",
    metadata,
    tenant(),
    sa.Column("count_id", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    to("count_id", "impact_counts", "id"),
    sa.Index("ix_impact_managed_oid", "tenant_id", "oid", "count_id"),
)

# `platform` is a platform's word or `none`; the managed device is the one that lacks it.
impact_missing = sa.Table(
    "impact_missing",
    metadata,
    tenant(),
    sa.Column("count_id", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text),
    sa.Column("record_id", sa.Text),
    to("count_id", "impact_counts", "id"),
    sa.Index("ix_impact_missing_oid", "tenant_id", "oid"),
)

# `slot` as above. `count_id` names the count that the people were taken from, which may be gone by now.
start_waves = sa.Table(
    "start_waves",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("slot", sa.Text),
    sa.Column("count_id", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("pause_seconds", sa.Integer, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("in_wave", sa.Integer, nullable=False),
    sa.Column("next_at", Moment),
    sa.Column("why", sa.Text),
    sa.Column("ended_at", Moment),
    sa.Column("ended_by", sa.Text),
    sa.UniqueConstraint("tenant_id", "slot"),
)

# The key is the promise: one message for each person of a wave, however it is asked for.
start_messages = sa.Table(
    "start_messages",
    metadata,
    tenant(),
    sa.Column("wave_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text),
    sa.Column("record_id", sa.Text),
    sa.Column("mail", OutsideText),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("number", sa.Integer),
    sa.Column("at", Moment),
    sa.Column("reason", sa.Text),
    to("wave_id", "start_waves", "id"),
    sa.Index("ix_start_messages_state", "tenant_id", "wave_id", "state", "oid"),
    sa.Index("ix_start_messages_oid", "tenant_id", "oid"),
)
