"""What SQLite reads for a statement: found by the tenant alone is everything there is, and so is found by no index."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

SMALL = {"watches", "message_tests", "lease_extensions", "budgets", "remotes"}  # a row for each remote
SMALL |= {"partner_told", "partner_slots", "dependents"}  # a row for each platform, or connection
SMALL |= {"impact_counts", "start_waves", "alarms"}  # a row for each time that an administrator asked, or is told
WHOLE = re.compile(r"(?:SCAN|SEARCH) (?P<table>\w+)(?: USING (?:COVERING )?INDEX \w+ \(tenant_id=\?\))?$")
EVERYBODYS = re.compile(r"SEARCH search_terms_\d+ .*\(tenant_id=\? AND term")
"""Of one person's terms whether one begins so, asked of everybody's."""

# Indexes of rows that do not rest: read from their beginning by tenant alone, they are still few.
FEW = {
    *("ix_pushes_open", "ix_pushes_erring", "ix_pushes_mismatched", "ix_device_links_pending", "ix_journeys_troubled"),
    *("ix_access_requests_waiting", "ix_access_requests_given"),
    "uq_appearance_current",  # what an administrator put in place of ours
}

Asked = list[tuple[str, Any]]


@contextmanager
def asked(engine: sa.Engine) -> Iterator[Asked]:
    statements: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def reads_everything(engine: sa.Engine, statements: Asked) -> list[str]:
    tables = set(sa.inspect(engine).get_table_names()) - SMALL
    found = []
    with engine.connect() as connection:
        for statement, parameters in statements:
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                whole = WHOLE.match(row.detail)
                if any(f" INDEX {few} " in row.detail for few in FEW):
                    continue
                known = whole and any(whole["table"] == name or f" {name} AS {whole['table']}" in statement for name in tables)
                if known or EVERYBODYS.match(row.detail):
                    found.append(f"{row.detail}: {statement}")
    return found
