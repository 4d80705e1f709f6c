"""What the product keeps of its own work: audit and observations, sessions, budgets, lists that are watched, alarms."""

import sqlalchemy as sa

from ..columns import SERIAL, Moment, OutsideText, tenant, to
from .metadata import metadata

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("about_kind", sa.Text, nullable=False),
    sa.Column("about_id", sa.Text, nullable=False),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Index("ix_audit_about", "tenant_id", "about_kind", "about_id"),
    # Its time first: SQLite takes an index that begins with the tenant for a good way to one person's rows, and reads them all.
    sa.Index("ix_audit_at", "at", "tenant_id"),
)

# One for each audit row, made shortly afterwards by a worker: `seals` next door says why not in the row itself.
audit_seals = sa.Table(
    "audit_seals",
    metadata,
    tenant(),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("audit_id", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("sealed_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant_id", "audit_id"),
)

observations = sa.Table(
    "observations",
    metadata,
    sa.Column("id", SERIAL, primary_key=True, autoincrement=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("old", sa.JSON(none_as_null=True)),
    sa.Column("new", sa.JSON(none_as_null=True)),
    sa.Index("ix_observations_subject", "tenant_id", "subject_kind", "subject_id"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    tenant(),
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("name", OutsideText, nullable=False),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("signed_in_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=False),
    sa.Index("ix_sessions_person", "tenant_id", "oid"),
)

sign_in_states = sa.Table(
    "sign_in_states",
    metadata,
    tenant(),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

# One row for each remote, shared by all processes: `domain/budget.py` says what the columns mean.
budgets = sa.Table(
    "budgets",
    metadata,
    tenant(),
    sa.Column("remote", sa.Text, primary_key=True),
    sa.Column("full_at", Moment),
    sa.Column("writes_full_at", Moment),
    sa.Column("closed_until", Moment),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("probe_until", Moment),
    sa.Column("reason", sa.Text),
    sa.Column("woken_full_at", Moment),
)

# What came of the calls to each remote (domain/health.py), by the budgets' names; `event_at` and what follows is the web's.
remotes = sa.Table(
    "remotes",
    metadata,
    tenant(),
    sa.Column("remote", sa.Text, primary_key=True),
    sa.Column("good_at", Moment),
    sa.Column("failed_at", Moment),
    sa.Column("failing_since", Moment),
    sa.Column("failures", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("error", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("status", sa.Integer),
    sa.Column("code", sa.Text),
    sa.Column("words", OutsideText),
    sa.Column("rate", sa.Float),
    sa.Column("burst", sa.Integer),
    sa.Column("event_at", Moment),
    sa.Column("forged", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("forged_at", Moment),
)

# How often each remote wanted fewer calls, by day in UTC: `day` is its midnight, and stands first since figures ask for days.
throttlings = sa.Table(
    "throttlings",
    metadata,
    tenant(),
    sa.Column("day", Moment, primary_key=True),
    sa.Column("remote", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", Moment, nullable=False),
    sa.Column("last_code", sa.Text),
)

# How often somebody asked for something (domain/turns.py); a row whose moment has passed says nothing any more.
turns = sa.Table(
    "turns",
    metadata,
    tenant(),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("full_at", Moment, nullable=False),
)

# The polls and sweeps over whole lists (domain/watch.py): `mdm:<connection>/poll`, `mdm:<connection>/sweep`, `directory/sweep`; and
# the heartbeat of the compliance partner (services/heartbeat.py).
watches = sa.Table(
    "watches",
    metadata,
    tenant(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("checkpoint", Moment),
    sa.Column("cursor", sa.Text),
    sa.Column("began_at", Moment),
    sa.Column("done_at", Moment),
    sa.Column("good_at", Moment),
    sa.Column("failing_since", Moment),
    sa.Column("alarmed", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("wake", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("next_look_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("reason", sa.Text),
)

# What Microsoft last took from us as the tenant's compliance partner (domain/partner.py).
partner_told = sa.Table(
    "partner_told",
    metadata,
    tenant(),
    sa.Column("provisioned", sa.Boolean, nullable=False),
    sa.Column("enrollment_url", sa.Text, nullable=False),
    sa.Column("remediation_url", sa.Text, nullable=False),
    sa.Column("groups", sa.JSON, nullable=False),
    sa.Column("policies", sa.JSON, nullable=False),
    sa.Column("told_at", Moment, nullable=False),
    sa.Column("told_by", sa.Text, nullable=False),
    sa.Column("leaving_at", Moment),  # since when devices are taken down for the partner's end
)

# Who held each platform when Intune's list was last read, which the heartbeat does.
partner_slots = sa.Table(
    "partner_slots",
    metadata,
    tenant(),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("holder", OutsideText, nullable=False),
    sa.Column("state", OutsideText, nullable=False),
    sa.Column("read_at", Moment, nullable=False),
)

# How many links rest on each MDM connection (domain/health.py), as a worker counted it last.
dependents = sa.Table(
    "dependents",
    metadata,
    tenant(),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("links", sa.Integer, nullable=False),
    sa.Column("standing", sa.Integer, nullable=False),
    sa.Column("first_end", Moment),
    sa.Column("ending", sa.Integer, nullable=False),
    sa.Column("counted_at", Moment, nullable=False),
)

# The second lock (domain/second_lock.py): which attribute is ours, and our value in it.
second_lock = sa.Table(
    "second_lock",
    metadata,
    tenant(),
    sa.Column("attribute", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("prepared_at", Moment),
)

# Which devices were seen blocked by it: the newest of each kind.
seen_blocked = sa.Table(
    "seen_blocked",
    metadata,
    tenant(),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("what", OutsideText, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)

# The key is the promise: leases of one connection are extended once per outage, whoever asks.
lease_extensions = sa.Table(
    "lease_extensions",
    metadata,
    tenant(),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("outage_at", Moment, primary_key=True),
    sa.Column("extended_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("links", sa.Integer, nullable=False),
)

# What has to be told to whoever runs the product, once for each way of telling. Written with the decision, told afterwards.
notices = sa.Table(
    "notices",
    metadata,
    tenant(),
    sa.Column("link_id", sa.Text, primary_key=True),
    sa.Column("way", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("told_at", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    to("link_id", "device_links", "id"),
    sa.Index("ix_notices_due", "tenant_id", "next_try_at"),
)

alarms = sa.Table(
    "alarms",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sink", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("subject", OutsideText, nullable=False),
    sa.Column("text", OutsideText, nullable=False),
    sa.Column("told_at", Moment),
    sa.Column("next_try_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    sa.Index("ix_alarms_due", "tenant_id", "next_try_at"),
)
