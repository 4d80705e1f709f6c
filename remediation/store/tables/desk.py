"""What the helpdesk keeps of its own work: who has taken which row, what a lead tells everybody, and temporary access."""

import sqlalchemy as sa

from ...domain.access import State
from ...domain.device import Platform
from ..columns import Moment, OutsideText, tenant, to, where_only, word
from .metadata import metadata

# Who said *I take this* (domain/work.py). The key is the promise: one row, one of them.
work_claims = sa.Table(
    "work_claims",
    metadata,
    tenant(),
    sa.Column("row_id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("name", OutsideText, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Index("ix_work_claims_over", "until", "tenant_id"),
)

# What a lead tells everybody (domain/incident.py); `texts` by language. The one that counts is the newest that is not over.
incidents = sa.Table(
    "incidents",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("texts", sa.JSON, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Index("ix_incidents_until", "tenant_id", "until"),
)

# What an administrator put in place of ours (domain/appearance.py), and all that it was before. None is ours again.
_CURRENT = sa.text("current")
appearance = sa.Table(
    "appearance",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", OutsideText),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Index("ix_appearance_key", "tenant_id", "key", "made_at"),
    sa.Index("uq_appearance_current", "tenant_id", "key", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
)

# Temporary access (domain/access.py). What must hold whoever writes is here: two people, neither of them the one who asked, an end
# wherever something is given, one open request of a person.
_OPEN = "state IN ('asked', 'first', 'approved', 'given')"
WAITING = "state IN ('asked', 'first', 'approved', 'failed')"
GIVEN = "state = 'given'"
DUE = "next_try_at IS NOT NULL"
access_requests = sa.Table(
    "access_requests",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("case_code", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("message", OutsideText, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("state", word(State), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("hours", sa.Integer),
    sa.Column("first_oid", sa.Text),
    sa.Column("first_at", Moment),
    sa.Column("second_oid", sa.Text),
    sa.Column("second_at", Moment),
    sa.Column("answer", OutsideText, nullable=False),
    sa.Column("note", OutsideText, nullable=False),
    sa.Column("until", Moment),
    sa.Column("sent_at", Moment),
    sa.Column("given_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("end_wanted_at", Moment),
    sa.Column("reason", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try_at", Moment),
    to("oid", "people"),
    sa.CheckConstraint("first_oid IS NULL OR first_oid <> oid", name="ck_access_first"),
    sa.CheckConstraint("second_oid IS NULL OR (second_oid <> oid AND second_oid <> first_oid)", name="ck_access_second"),
    sa.CheckConstraint(
        "state NOT IN ('approved', 'given') OR (first_oid IS NOT NULL AND second_oid IS NOT NULL AND until IS NOT NULL)",
        name="ck_access_given",
    ),
    sa.CheckConstraint("hours IS NULL OR hours BETWEEN 1 AND 24", name="ck_access_hours"),
    sa.Index(
        "uq_access_requests_open", "tenant_id", "oid", unique=True, sqlite_where=sa.text(_OPEN), postgresql_where=sa.text(_OPEN)
    ),
    sa.Index("ix_access_requests_person", "tenant_id", "oid", "asked_at"),
    where_only("ix_access_requests_waiting", WAITING, "tenant_id", "asked_at", "id"),
    where_only("ix_access_requests_given", GIVEN, "tenant_id", "until", "id"),
    where_only("ix_access_requests_due", DUE, "tenant_id", "next_try_at"),
)
