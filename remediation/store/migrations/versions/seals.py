"""Seals of audit rows, append-only like the audit. Both may be cut at their old end, below a checkpoint row, and nowhere else."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Up to here a checkpoint says that rows may go. Whether the checkpoint is ours, only the key can tell (`audit verify`).
CUT = (
    "SELECT max(CAST(c.about_id AS BIGINT)) FROM audit c"
    " WHERE c.tenant_id = OLD.tenant_id AND c.about_kind = 'audit' AND c.why = 'audit.pruned'"
)
SEALED_BELOW = f"SELECT 1 FROM audit_seals s WHERE s.tenant_id = OLD.tenant_id AND s.audit_id = OLD.id AND s.seq <= ({CUT})"  # noqa: S608


def upgrade() -> None:
    op.create_table(
        "audit_seals",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_audit_seals"),
        sa.UniqueConstraint("tenant_id", "audit_id", name="uq_audit_seals_tenant_id_audit_id"),
    )
    _postgresql() if op.get_bind().dialect.name == "postgresql" else _sqlite()


def _sqlite() -> None:
    op.execute("DROP TRIGGER audit_no_delete")
    op.execute(
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN NOT EXISTS ({SEALED_BELOW})"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals"
        " BEGIN SELECT RAISE(ABORT, 'the seals are append-only'); END"
    )
    op.execute(
        f"CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals WHEN OLD.seq > coalesce(({CUT}), 0)"
        " BEGIN SELECT RAISE(ABORT, 'the seals are append-only'); END"
    )


def _postgresql() -> None:
    op.execute("DROP TRIGGER audit_append_only ON audit")
    for table in ("audit", "audit_seals"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        )
    for table, allowed in (("audit", f"EXISTS ({SEALED_BELOW})"), ("audit_seals", f"OLD.seq <= coalesce(({CUT}), 0)")):
        op.execute(
            f"CREATE FUNCTION {table}_goes_below_a_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {allowed} THEN RETURN OLD; END IF;"
            " RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'restrict_violation'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {table}_goes_below_a_checkpoint()"
        )
