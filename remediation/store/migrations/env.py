"""Alembic's entry: runs the revisions in the transaction that `migrate` opened."""

from alembic import context

from remediation.store.migrations import ours
from remediation.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=ours,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
