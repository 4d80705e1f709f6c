"""What repairs of the helpdesk leave behind for the worker to carry out: start links to be sent, and marks on directory devices."""

import sqlalchemy as sa

from ...domain.device import Platform
from ...domain.repairs import Mark
from ..columns import Moment, tenant, to, word
from .metadata import metadata

# A way to the start page for one person, which opens nothing by itself. `way` is `show`, `mail` or `device`.
start_links = sa.Table(
    "start_links",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("connection", sa.Text),
    sa.Column("record_id", sa.Text),
    sa.Column("at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("told_at", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    sa.UniqueConstraint("tenant_id", "code", name="uq_start_links_code"),
    to("oid", "people"),
    sa.Index("ix_start_links_person", "tenant_id", "oid", "at"),
    sa.Index("ix_start_links_due", "tenant_id", "next_try_at"),
)

# What staff say of one of a person's entries in the directory, and whether it is to be switched off there.
device_marks = sa.Table(
    "device_marks",
    metadata,
    tenant(),
    sa.Column("device_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("mark", word(Mark), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("disable_wanted_at", Moment),
    sa.Column("disabled_at", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    to("oid", "people"),
    sa.Index("ix_device_marks_person", "tenant_id", "oid"),
    sa.Index("ix_device_marks_due", "tenant_id", "next_try_at"),
)
