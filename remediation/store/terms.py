"""The terms that the helpdesk finds people by: of themselves and of the devices listed as theirs. Written with the rows they are
of, in the same transaction. Next door: `domain/search.py` (which terms), `look_up` (the search).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..domain import search
from .columns import storable
from .tables import directory_devices, managed_devices, people, search_terms

BATCH = 1000
SUBJECT = {people: "person", directory_devices: "directory_device", managed_devices: "managed_device"}
OWNER = {people: "oid", directory_devices: "listed_oid", managed_devices: "listed_oid"}
_WORDS = {people: ("name", "user_name", "mail"), directory_devices: ("name",), managed_devices: ("name",)}
_IDENTIFIERS = {people: ("oid",), directory_devices: ("device_id", "object_id"), managed_devices: ("serial", "udid")}

Row = Mapping[str, Any] | sa.RowMapping
_of = search_terms.c
_FORGET = sa.delete(search_terms).where(
    _of.tenant_id == sa.bindparam("tenant"), _of.oid == sa.bindparam("whose"), _of.subject == sa.bindparam("about")
)


def keep(connection: sa.Connection, table: sa.Table, old: Row | None, new: Row) -> None:
    """After a row of people or devices was written: `old` is how it stood before."""
    before, now = (terms_of(table, row) if row is not None else [] for row in (old, new))
    if before == now:
        return
    if old is not None:
        forget(connection, table, old)
    _add(connection, now)


def forget(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    connection.execute(_FORGET, {"tenant": row["tenant_id"], "whose": row[OWNER[table]], "about": _subject(table, row)})


def terms_of(table: sa.Table, row: Row) -> list[dict[str, str]]:
    """Nobody is found by a device that is in nobody's list."""
    if row[OWNER[table]] is None:
        return []
    words, ids = ([row[column] for column in columns[table]] for columns in (_WORDS, _IDENTIFIERS))
    shared = {"tenant_id": row["tenant_id"], "oid": row[OWNER[table]], "subject": _subject(table, row)}
    found = search.words(*words) | search.identifiers(*ids)
    return [{**shared, "term": term} for term in sorted(storable(term) for term in found)]


def fill_missing(connection: sa.Connection, tenant_id: str | None = None) -> int:
    """For rows of a version that knew no terms: how many got theirs. Of all tenants where none is named."""
    return sum(_fill(connection, table, tenant_id) for table in SUBJECT)


def _add(connection: sa.Connection, made: Sequence[Mapping[str, str]]) -> None:
    """Two who see somebody for the first time write the same terms."""
    if made:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(search_terms).on_conflict_do_nothing(), made)


def _fill(connection: sa.Connection, table: sa.Table, tenant_id: str | None) -> int:
    keys, owner = list(table.primary_key), table.c[OWNER[table]]
    subject = sa.literal(f"{SUBJECT[table]}/").concat(keys[1])
    for key in keys[2:]:
        subject = subject.concat("/").concat(key)
    has = sa.exists().where(_of.tenant_id == table.c.tenant_id, _of.oid == owner, _of.subject == subject)
    columns = {*keys, owner, *(table.c[name] for name in (*_WORDS[table], *_IDENTIFIERS[table]))}
    missing = sa.select(*columns).where(owner.is_not(None), ~has).order_by(*keys).limit(BATCH)
    if tenant_id is not None:
        missing = missing.where(table.c.tenant_id == tenant_id)
    filled, page = 0, missing
    while found := connection.execute(page).mappings().all():
        made = [term for row in found for term in terms_of(table, row)]
        _add(connection, made)
        filled += len(found)
        page = missing.where(sa.tuple_(*keys) > sa.tuple_(*(sa.literal(found[-1][key.name]) for key in keys)))
    return filled


def _subject(table: sa.Table, row: Row) -> str:
    keys = "/".join(row[key.name] for key in table.primary_key if key.name != "tenant_id")
    return f"{SUBJECT[table]}/{keys}"
