"""What the worker last saw: people, the directory's devices, the MDMs' records, and the terms that they are found by."""

import sqlalchemy as sa

from ...domain.compliance import MdmWord
from ...domain.device import Mark, Platform
from ..columns import BYTEWISE, Moment, OutsideText, tenant, to, word
from .metadata import metadata

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
    sa.Column("mark", word(Mark)),  # of the second lock
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
