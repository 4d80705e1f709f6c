"""Setting a tenant up: for whom it is, what an administrator asked the worker, how people arrive, which device proves a channel."""

import sqlalchemy as sa

from ...domain.device import Platform
from ...domain.pilot import Down, PilotState, PilotStep
from ...domain.wishes import Kind
from ..columns import Moment, OutsideText, tenant, word
from .metadata import metadata

# One row: what stands, and what somebody is choosing (domain/scope.py). Lists of {"id", "name"}; an empty one is all users.
scopes = sa.Table(
    "scopes",
    metadata,
    tenant(),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("draft", sa.JSON(none_as_null=True)),
    sa.Column("seq", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("chosen_at", Moment),
    sa.Column("chosen_by", sa.Text),
)

# Asked by a page, answered by the worker (domain/wishes.py).
set_up_wishes = sa.Table(
    "set_up_wishes",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", word(Kind), nullable=False),
    sa.Column("asked", sa.JSON, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("failed", sa.Text),
    sa.Column("code", OutsideText),
    sa.Index("ix_set_up_wishes_kind", "tenant_id", "kind", "asked_at"),
)

# One window each, and what was recorded in it (domain/arrival.py): nothing of whoever arrived.
arrival_tests = sa.Table(
    "arrival_tests",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tested", sa.Text, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("seen_at", Moment),
    sa.Column("entrance", sa.Text),
    sa.Column("way", sa.Text),
    sa.Column("platform", sa.Text),
    sa.Column("referrer", sa.Text),
    sa.Index("ix_arrival_tests_expires_at", "tenant_id", "expires_at"),
)

# One device that proves a channel (domain/pilot.py). The link may be gone by now: what it proved was seen all the same.
pilots = sa.Table(
    "pilots",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("link_id", sa.Text, nullable=False),
    sa.Column("down", word(Down), nullable=False),
    sa.Column("step", word(PilotStep), nullable=False),
    sa.Column("step_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("state", word(PilotState), nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("started_by", sa.Text, nullable=False),
    sa.Column("compliant_at", Moment),
    sa.Column("not_compliant_at", Moment),
    sa.Column("again_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("why", sa.Text),
    sa.Index("ix_pilots_link_id", "tenant_id", "link_id"),
    sa.Index(
        "uq_pilots_running",
        "tenant_id",
        "platform",
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    ),
)
