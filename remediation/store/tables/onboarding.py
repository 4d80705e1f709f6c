"""What an administrator typed, what the worker found of it, and the links with which the first of them gets in.

These rows are older than the tenant's id, which is typed itself: they belong to the deployment, which serves one tenant
(`DEPLOYMENT` stands where a tenant would).
"""

import sqlalchemy as sa

from ..columns import Moment, OutsideText, tenant
from .metadata import metadata

DEPLOYMENT = "-"

# One row for each setting that was ever typed; None is one that was taken back. A secret is sealed for one process.
choices = sa.Table(
    "choices",
    metadata,
    tenant(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", OutsideText),
    sa.Column("sealed_for", sa.Text),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
)

set_up_looks = sa.Table(
    "set_up_looks",
    metadata,
    tenant(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("wanted_at", Moment),
    sa.Column("looked_at", Moment),
    sa.Column("good_at", Moment),
    sa.Column("failed_at", Moment),
    sa.Column("cause", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
)

set_up_links = sa.Table(
    "set_up_links",
    metadata,
    tenant(),
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("session_hash", sa.Text),
    sa.Column("session_until", Moment),
)
