"""A person's way, the evidence that was gathered on it, and the cases of those who could not sign in."""

import sqlalchemy as sa

from ...domain.device import Platform
from ...domain.sign_in_proof import Record
from ..columns import Moment, tenant, to, where_only, word
from .metadata import metadata

# What `store/work.py` and `store/stuck.py` read, letter for letter as `links` has it.
TROUBLED = (
    "help_why IS NOT NULL OR owner_problem IS NOT NULL OR reason IS NOT NULL OR directory_error IS NOT NULL "
    "OR mdm_error IS NOT NULL OR possession_error IS NOT NULL OR still_blocked_count >= 2"
)
UNDER_WAY = "wanted_at IS NOT NULL AND (done_at IS NULL OR done_at < wanted_at)"

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
    sa.Column("locked", sa.Boolean, nullable=False, default=False, server_default=sa.false()),  # the second lock is on for it
    sa.Column("settled", sa.Text),  # which of several candidates the helpdesk says it is
    sa.Column("reopened_at", Moment),
    sa.Column("shown", sa.Text),  # the page that the person was shown last
    sa.Column("tell_open_at", Moment),  # they asked to be told once it is open; None again when that is under way
    sa.Column("tries", sa.JSON),  # what they said to have done, a word for each time
    sa.Column("tried_at", Moment),
    sa.UniqueConstraint("tenant_id", "case_code"),
    to("oid", "people"),
    to("possession_connection possession_record_id", "managed_devices", "connection record_id"),
    sa.Index("ix_journeys_person", "tenant_id", "oid", "started_at"),
    sa.Index("ix_journeys_due", "tenant_id", "next_look_at"),
    where_only("ix_journeys_troubled", TROUBLED, "tenant_id", "expires_at", "id"),
    where_only("ix_journeys_under_way", UNDER_WAY, "tenant_id", "expires_at", "id"),
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
