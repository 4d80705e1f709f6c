"""The tables.

Every row carries its tenant and every key begins with it. The promises that the database itself holds are here: unique living
links, foreign keys; the audit's triggers are in `migrations/`. Next door: `columns`, and `rows`, which turns rows into the
domain's facts.
"""

import sqlalchemy as sa

from ..domain.compliance import MdmWord, Verdict
from ..domain.device import LinkState, Platform
from ..domain.evidence import Level
from ..domain.push import Lane
from ..domain.sign_in_proof import Record
from .columns import BYTEWISE, SERIAL, Moment, OutsideText, tenant, to, word

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

people = sa.Table(
    "people",
    metadata,
    tenant(),
    sa.Column("oid", sa.Text, primary_key=True),
    sa.Column("name", OutsideText, nullable=False),
    sa.Column("user_name", OutsideText, nullable=False),
    sa.Column("mail", OutsideText),
    sa.Column("match", OutsideText),
    sa.Column("account_enabled", sa.Boolean),
    sa.Column("guest", sa.Boolean),
    sa.Column("licensed", sa.Boolean),
    sa.Column("in_scope", sa.Boolean),
    sa.Column("standing_read_at", Moment),
    sa.Column("read_at", Moment, nullable=False),
)

directory_devices = sa.Table(
    "directory_devices",
    metadata,
    tenant(),
    sa.Column("device_id", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("name", OutsideText, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("os_version", OutsideText),
    sa.Column("model", OutsideText),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("owner_oid", sa.Text),
    sa.Column("registered_at", Moment),
    sa.Column("compliant", sa.Boolean),
    sa.Column("managed", sa.Boolean),
    sa.Column("read_at", Moment, nullable=False),
    sa.Column("listed_oid", sa.Text),  # whose list it was last seen in
    sa.Column("gone_at", Moment),  # no longer in that list
    to("listed_oid", "people", "oid"),
    sa.Index("ix_directory_devices_listed", "tenant_id", "listed_oid"),
)

managed_devices = sa.Table(
    "managed_devices",
    metadata,
    tenant(),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("generation", sa.Text, nullable=False),
    sa.Column("name", OutsideText, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("model", OutsideText),
    sa.Column("os_version", OutsideText),
    sa.Column("serial", OutsideText),
    sa.Column("owner_user_name", OutsideText),
    sa.Column("owner_mail", OutsideText),
    sa.Column("word", word(MdmWord), nullable=False),
    sa.Column("enrolled", sa.Boolean),
    sa.Column("compromised", sa.Boolean),
    sa.Column("failing", sa.JSON, nullable=False),
    sa.Column("last_seen", Moment),
    sa.Column("enrolled_at", Moment),
    sa.Column("udid", OutsideText),
    sa.Column("read_at", Moment, nullable=False),
    sa.Column("listed_oid", sa.Text),
    sa.Column("gone_at", Moment),
    to("listed_oid", "people", "oid"),
    sa.Index("ix_managed_devices_listed", "tenant_id", "listed_oid"),
    sa.Index("ix_managed_devices_udid", "tenant_id", "connection", "udid"),
    sa.Index("ix_managed_devices_serial", "tenant_id", "connection", "serial"),
)

# What the helpdesk finds people by (`terms`): words of their names and addresses, names and identifiers of devices listed as
# theirs. Compared by bytes, since a beginning is asked for as a range.
search_terms = sa.Table(
    "search_terms",
    metadata,
    tenant(),
    sa.Column("oid", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("term", BYTEWISE, primary_key=True),
    to("oid", "people"),
    sa.Index("ix_search_terms_term", "tenant_id", "term", "oid"),
    sqlite_with_rowid=False,
)

journeys = sa.Table(
    "journeys",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("case_code", sa.Text, nullable=False),
    sa.Column("oid", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("entrance", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("wanted_at", Moment),
    sa.Column("done_at", Moment),
    sa.Column("directory_read_at", Moment),
    sa.Column("directory_error", sa.Text),
    sa.Column("mdm_read_at", Moment),
    sa.Column("mdm_error", sa.Text),
    sa.Column("owner_problem", sa.Text),
    sa.Column("failed_calls", sa.JSON),
    sa.Column("refresh_wanted_at", Moment),
    sa.Column("refreshed_at", Moment),
    sa.Column("next_look_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("wake", sa.Integer, nullable=False, default=0),
    sa.Column("possession_connection", sa.Text),
    sa.Column("possession_record_id", sa.Text),
    sa.Column("possession_wanted_at", Moment),
    sa.Column("possession_sent_at", Moment),
    sa.Column("possession_expires_at", Moment),
    sa.Column("possession_error", sa.Text),
    sa.Column("possession_sending_until", Moment),  # a pass is sending the message; others leave it alone until then
    sa.Column("possession_proven_at", Moment),
    sa.Column("possession_proven_generation", sa.Text),
    sa.Column("help_why", sa.Text),
    sa.Column("still_blocked_at", Moment),
    sa.Column("still_blocked_count", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("picked", sa.Text),
    sa.Column("reason", sa.Text),  # why the last look wrote nothing else
    sa.Column("relay_seconds", sa.Integer),  # how often the MDM's maker carries, where that is the channel
    sa.Column("in_app_at", Moment),  # the person said that they registered in the MDM's app
    sa.UniqueConstraint("tenant_id", "case_code"),
    to("oid", "people"),
    to("possession_connection possession_record_id", "managed_devices", "connection record_id"),
    sa.Index("ix_journeys_person", "tenant_id", "oid", "started_at"),
    sa.Index("ix_journeys_due", "tenant_id", "next_look_at"),
)

# Somebody who could not sign in: nothing is known of them but what they did in this browser.
cases = sa.Table(
    "cases",
    metadata,
    tenant(),
    sa.Column("case_code", sa.Text, primary_key=True),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("platform", word(Platform), nullable=False),
    sa.Column("entrance", sa.Text, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
)

possession_links = sa.Table(
    "possession_links",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("journey_id", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("generation", sa.Text, nullable=False),  # the enrollment that the message was addressed to
    sa.Column("minted_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("used_at", Moment),
    sa.Column("revoked_at", Moment),
    sa.UniqueConstraint("tenant_id", "token_hash"),
    to("journey_id", "journeys", "id"),
    to("connection record_id", "managed_devices"),
    sa.Index("ix_possession_links_journey", "tenant_id", "journey_id"),
)

# One for each MDM connection: its newest test message, and since when messages of it are known to arrive.
message_tests = sa.Table(
    "message_tests",
    metadata,
    tenant(),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("seen_at", Moment),
    sa.Column("proven_at", Moment),
    sa.UniqueConstraint("tenant_id", "token_hash"),
)

# What came back of a second sign-in, as the web saw it, with the pair that it was to prove; the record's columns are the worker's.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("journey_id", sa.Text, nullable=False),
    sa.Column("device_id", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("generation", sa.Text, nullable=False),
    sa.Column("app_id", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("returned_at", Moment, nullable=False),
    sa.Column("claimed", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("record", word(Record), nullable=False),
    sa.Column("recorded", sa.Text),
    sa.Column("record_looks", sa.Integer, nullable=False, default=0),
    to("journey_id", "journeys", "id"),
    to("device_id", "directory_devices"),
    to("connection record_id", "managed_devices"),
    sa.Index("ix_sign_ins_journey", "tenant_id", "journey_id"),
)

# From the address that was made for it to the certificate that was shown there and the journey's browser coming back.
shown_certificates = sa.Table(
    "shown_certificates",
    metadata,
    tenant(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("journey_id", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("generation", sa.Text, nullable=False),
    sa.Column("handle_hash", sa.Text, nullable=False),
    sa.Column("back_hash", sa.Text),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("shown_at", Moment),
    sa.Column("returned_at", Moment),
    sa.Column("pem", sa.Text),
    sa.Column("fingerprint", sa.Text),
    to("journey_id", "journeys", "id"),
    to("connection record_id", "managed_devices"),
    sa.UniqueConstraint("tenant_id", "handle_hash"),
    sa.Index("ix_shown_certificates_journey", "tenant_id", "journey_id"),
)

LIVING = (LinkState.PENDING, LinkState.ACTIVE)

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
    sa.Index("ix_pushes_due", "tenant_id", "next_look_at"),
    sa.Index("ix_pushes_lease", "compliant_until", "tenant_id"),
)

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
