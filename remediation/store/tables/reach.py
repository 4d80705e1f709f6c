"""Who is in the groups that limit a role of the helpdesk, as the worker last listed them; and what the API has done already."""

import sqlalchemy as sa

from ..columns import Moment, tenant
from .metadata import metadata

# Object ids alone, of people too who never came here: whoever calls the helpdesk has often only just begun.
group_members = sa.Table(
    "group_members",
    metadata,
    tenant(),
    sa.Column("group_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, primary_key=True),
    sa.Column("listed_at", Moment, nullable=False),
)

# One for each Idempotency-Key of a caller: what was asked under it, and what was answered.
api_deeds = sa.Table(
    "api_deeds",
    metadata,
    tenant(),
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("asked", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("answer", sa.JSON(none_as_null=True)),
)
