"""Links, what Microsoft is told of each, and the unique indexes by which the database settles races (I1)."""

import sqlalchemy as sa

from ...domain.compliance import Verdict
from ...domain.device import LinkState, Platform
from ...domain.evidence import Level
from ...domain.push import Lane
from ..columns import Moment, tenant, to, where_only, word
from .metadata import metadata

LIVING = (LinkState.PENDING, LinkState.ACTIVE)
# What `store/work.py` and `store/stuck.py` read, letter for letter: SQLite takes an index of some rows only for the same words.
PENDING = "state = 'pending'"
OPEN = "confirmed_seq < desired_seq"
ERRING = "reason IS NOT NULL OR attempts > 0 OR desired_seq = 0"
MISMATCHED = "confirmed_seq >= desired_seq AND (desired = 'compliant') <> observed"
MEASURED = "confirmed_by = 'changed'"
LEASED = "desired = 'compliant'"
# And what `store/due.py` wakes: each row that is due stands in one of these four.
UNSENT = "(sent_seq < desired_seq OR confirmed_seq >= desired_seq)"
ON_ITS_WAY = "sent_seq >= desired_seq AND confirmed_seq < desired_seq"
REVOKING = f"lane = 'revoke' AND {UNSENT}"
FOR_PEOPLE = f"lane = 'person' AND {UNSENT}"
SWEPT = f"lane NOT IN ('revoke', 'person') AND {UNSENT}"

device_links = sa.Table(
    "device_links",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device_id", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("generation", sa.Text, nullable=False),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("evidence_level", word(Level), nullable=False),
    sa.Column("evidence_at", Moment, nullable=False),
    sa.Column("evidence_how", sa.Text, nullable=False),
    sa.Column("minimum", word(Level)),
    sa.Column("state", word(LinkState), nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("ended_why", sa.Text),
    to("oid", "people"),
    to("device_id", "directory_devices"),
    to("connection record_id", "managed_devices"),
    where_only("ix_device_links_pending", PENDING, "tenant_id", "made_at", "id"),
    sa.Index("ix_device_links_person", "tenant_id", "oid"),
    sa.Index("ix_device_links_device", "tenant_id", "device_id"),
    sa.Index("ix_device_links_record", "tenant_id", "connection", "record_id"),
)


def _unique_while(name: str, state: str, *columns: str) -> sa.Index:
    """Invariant I1, which only the database can hold: a look before the write is a race."""
    of = device_links.c
    return sa.Index(
        name, of.tenant_id, *(of[c] for c in columns), unique=True, postgresql_where=sa.text(state), sqlite_where=sa.text(state)
    )


# A pending link opens nothing, so it keeps nobody else from the directory device. The managed device it does keep: one at a time.
UNIQUE_LINKS = (
    _unique_while("uq_device_links_active_device", "state = 'active'", "device_id"),
    _unique_while("uq_device_links_living_record", "state IN ('pending', 'active')", "connection", "record_id"),
)

pushes = sa.Table(
    "pushes",
    metadata,
    tenant(),
    sa.Column("link_id", sa.Text, primary_key=True),
    sa.Column("desired", word(Verdict)),
    sa.Column("desired_seq", sa.Integer, nullable=False, default=0),
    sa.Column("desired_at", Moment),
    sa.Column("reasons", sa.JSON, nullable=False, default=list),
    sa.Column("posture_read_at", Moment),
    sa.Column("compliant_until", Moment),
    sa.Column("message_id", sa.Text),
    sa.Column("last_update_time", Moment),
    sa.Column("seen_before", sa.Boolean),
    sa.Column("sent_seq", sa.Integer, nullable=False, default=0),
    sa.Column("sent_at", Moment),
    sa.Column("accepted_seq", sa.Integer, nullable=False, default=0),
    sa.Column("accepted_at", Moment),
    sa.Column("confirmed_seq", sa.Integer, nullable=False, default=0),
    sa.Column("confirmed_at", Moment),
    sa.Column("confirmed_by", sa.Text),
    sa.Column("observed", sa.Boolean),
    sa.Column("observed_at", Moment),
    sa.Column("lane", word(Lane), nullable=False),
    sa.Column("wake", sa.Integer, nullable=False, default=0),
    sa.Column("next_look_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    sa.Column("following", sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column("failed_calls", sa.JSON),
    sa.Column("mdm_listed_at", Moment),  # when a whole list's page last showed it
    sa.Column("directory_listed_at", Moment),
    sa.Column("noted_at", Moment),  # the Azure device id stands on the MDM's record
    sa.Column("tell_again_at", Moment),  # Microsoft wants to be told once more
    sa.Column("flips", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("flipped_at", Moment),
    sa.Column("not_applied", sa.Integer, nullable=False, default=0, server_default="0"),
    to("link_id", "device_links", "id"),
    where_only("ix_pushes_on_its_way", ON_ITS_WAY, "tenant_id", "next_look_at"),
    where_only("ix_pushes_revoking", REVOKING, "tenant_id", "next_look_at"),
    where_only("ix_pushes_for_people", FOR_PEOPLE, "tenant_id", "next_look_at"),
    where_only("ix_pushes_swept", SWEPT, "tenant_id", "next_look_at"),
    where_only("ix_pushes_lease", LEASED, "tenant_id", "compliant_until"),
    where_only("ix_pushes_open", OPEN, "tenant_id", "desired_at", "link_id"),
    where_only("ix_pushes_erring", ERRING, "tenant_id", "link_id"),
    where_only("ix_pushes_mismatched", MISMATCHED, "tenant_id", "observed_at", "link_id"),
    where_only("ix_pushes_measured", MEASURED, "tenant_id", "confirmed_at"),
)
