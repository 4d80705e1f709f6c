"""The first tables, and the triggers that keep the audit append-only on both databases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(40)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

SQLITE_APPEND_ONLY = (
    "CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
)
POSTGRESQL_REFUSE = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'restrict_violation'; END $$
"""
POSTGRESQL_APPEND_ONLY = (
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
)


def upgrade() -> None:
    _people_and_devices()
    _journeys()
    _links()
    _signed_in()
    _history()
    _append_only()


def _append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_REFUSE)
        op.execute(POSTGRESQL_APPEND_ONLY)
        return
    for verb in ("update", "delete"):
        op.execute(SQLITE_APPEND_ONLY.format(verb=verb))


def _people_and_devices() -> None:
    op.create_table(
        "people",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("mail", sa.Text()),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "oid", name="pk_people"),
    )
    op.create_table(
        "directory_devices",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", WORD, nullable=False),
        sa.Column("os_version", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("owner_oid", sa.Text()),
        sa.Column("registered_at", MOMENT),
        sa.Column("compliant", sa.Boolean()),
        sa.Column("managed", sa.Boolean()),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("listed_oid", sa.Text()),
        sa.Column("gone_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["tenant_id", "listed_oid"], ["people.tenant_id", "people.oid"], name="fk_directory_devices_people"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "device_id", name="pk_directory_devices"),
    )
    op.create_index("ix_directory_devices_listed", "directory_devices", ["tenant_id", "listed_oid"])
    op.create_table(
        "managed_devices",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("platform", WORD, nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("os_version", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("owner_user_name", sa.Text()),
        sa.Column("owner_mail", sa.Text()),
        sa.Column("word", WORD, nullable=False),
        sa.Column("enrolled", sa.Boolean()),
        sa.Column("compromised", sa.Boolean()),
        sa.Column("failing", sa.JSON(), nullable=False),
        sa.Column("last_seen", MOMENT),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("listed_oid", sa.Text()),
        sa.Column("gone_at", MOMENT),
        sa.ForeignKeyConstraint(["tenant_id", "listed_oid"], ["people.tenant_id", "people.oid"], name="fk_managed_devices_people"),
        sa.PrimaryKeyConstraint("tenant_id", "connection", "record_id", name="pk_managed_devices"),
    )
    op.create_index("ix_managed_devices_listed", "managed_devices", ["tenant_id", "listed_oid"])


def _journeys() -> None:
    op.create_table(
        "journeys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case_code", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("platform", WORD, nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("entrance", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("wanted_at", MOMENT),
        sa.Column("done_at", MOMENT),
        sa.Column("directory_read_at", MOMENT),
        sa.Column("directory_error", sa.Text()),
        sa.Column("mdm_read_at", MOMENT),
        sa.Column("mdm_error", sa.Text()),
        sa.Column("refresh_wanted_at", MOMENT),
        sa.Column("refreshed_at", MOMENT),
        sa.Column("next_look_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("wake", sa.Integer(), nullable=False),
        sa.Column("possession_connection", sa.Text()),
        sa.Column("possession_record_id", sa.Text()),
        sa.Column("possession_wanted_at", MOMENT),
        sa.Column("possession_sent_at", MOMENT),
        sa.Column("possession_expires_at", MOMENT),
        sa.Column("possession_error", sa.Text()),
        sa.Column("possession_proven_at", MOMENT),
        sa.Column("possession_proven_generation", sa.Text()),
        sa.Column("help_why", sa.Text()),
        sa.Column("still_blocked_at", MOMENT),
        sa.ForeignKeyConstraint(["tenant_id", "oid"], ["people.tenant_id", "people.oid"], name="fk_journeys_people"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "possession_connection", "possession_record_id"],
            ["managed_devices.tenant_id", "managed_devices.connection", "managed_devices.record_id"],
            name="fk_journeys_managed_devices",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_journeys"),
        sa.UniqueConstraint("tenant_id", "case_code", name="uq_journeys_tenant_id_case_code"),
    )
    op.create_index("ix_journeys_due", "journeys", ["tenant_id", "next_look_at"])
    op.create_index("ix_journeys_person", "journeys", ["tenant_id", "oid", "started_at"])
    op.create_table(
        "possession_links",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("minted_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("used_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection", "record_id"],
            ["managed_devices.tenant_id", "managed_devices.connection", "managed_devices.record_id"],
            name="fk_possession_links_managed_devices",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "journey_id"], ["journeys.tenant_id", "journeys.id"], name="fk_possession_links_journeys"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_possession_links"),
        sa.UniqueConstraint("tenant_id", "token_hash", name="uq_possession_links_tenant_id_token_hash"),
    )
    op.create_index("ix_possession_links_journey", "possession_links", ["tenant_id", "journey_id"])


def _links() -> None:
    op.create_table(
        "device_links",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("platform", WORD, nullable=False),
        sa.Column("evidence_level", WORD, nullable=False),
        sa.Column("evidence_at", MOMENT, nullable=False),
        sa.Column("evidence_how", sa.Text(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("ended_why", sa.Text()),
        sa.ForeignKeyConstraint(
            ["tenant_id", "connection", "record_id"],
            ["managed_devices.tenant_id", "managed_devices.connection", "managed_devices.record_id"],
            name="fk_device_links_managed_devices",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "device_id"],
            ["directory_devices.tenant_id", "directory_devices.device_id"],
            name="fk_device_links_directory_devices",
        ),
        sa.ForeignKeyConstraint(["tenant_id", "oid"], ["people.tenant_id", "people.oid"], name="fk_device_links_people"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_device_links"),
    )
    op.create_index("ix_device_links_person", "device_links", ["tenant_id", "oid"])
    op.create_index(
        "uq_device_links_active_device",
        "device_links",
        ["tenant_id", "device_id"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    op.create_index(
        "uq_device_links_living_record",
        "device_links",
        ["tenant_id", "connection", "record_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'active')"),
        sqlite_where=sa.text("state IN ('pending', 'active')"),
    )
    op.create_table(
        "pushes",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("desired", WORD),
        sa.Column("desired_seq", sa.Integer(), nullable=False),
        sa.Column("desired_at", MOMENT),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("posture_read_at", MOMENT),
        sa.Column("compliant_until", MOMENT),
        sa.Column("message_id", sa.Text()),
        sa.Column("last_update_time", MOMENT),
        sa.Column("seen_before", sa.Boolean()),
        sa.Column("sent_seq", sa.Integer(), nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("accepted_seq", sa.Integer(), nullable=False),
        sa.Column("accepted_at", MOMENT),
        sa.Column("confirmed_seq", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("confirmed_by", sa.Text()),
        sa.Column("observed", sa.Boolean()),
        sa.Column("observed_at", MOMENT),
        sa.Column("lane", WORD, nullable=False),
        sa.Column("wake", sa.Integer(), nullable=False),
        sa.Column("next_look_at", MOMENT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["tenant_id", "link_id"], ["device_links.tenant_id", "device_links.id"], name="fk_pushes_device_links"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "link_id", name="pk_pushes"),
    )
    op.create_index("ix_pushes_due", "pushes", ["tenant_id", "next_look_at"])


def _signed_in() -> None:
    op.create_table(
        "sessions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("oid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("signed_in_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "token_hash", name="pk_sessions"),
    )
    op.create_index("ix_sessions_person", "sessions", ["tenant_id", "oid"])
    op.create_table(
        "sign_in_states",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_sign_in_states"),
    )


def _history() -> None:
    op.create_table(
        "audit",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("about_kind", sa.Text(), nullable=False),
        sa.Column("about_id", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_about", "audit", ["tenant_id", "about_kind", "about_id"])
    op.create_table(
        "observations",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("old", sa.JSON()),
        sa.Column("new", sa.JSON()),
        sa.PrimaryKeyConstraint("id", name="pk_observations"),
    )
    op.create_index("ix_observations_subject", "observations", ["tenant_id", "subject_kind", "subject_id"])
