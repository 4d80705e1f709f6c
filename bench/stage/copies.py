"""A database as it stands with a million links: what there is of one person is written as the product writes it, read back as the
database has it, and written again for everybody else with their own names and ids. Plain rows in bulk, indexes afterwards: so a
million take minutes.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remediation.domain import search
from remediation.services.start_journey import LETTERS
from remediation.store import terms
from remediation.store.engine import make_engine
from remediation.store.tables import (
    audit,
    device_links,
    directory_devices,
    journeys,
    managed_devices,
    observations,
    people,
    pushes,
    search_terms,
)
from remediation.store.tables.metadata import metadata

AT_ONCE = 20_000
DOMAIN = "contoso.example"
COUNTED = {audit: "id", observations: "id"}
"""Columns that the database numbers."""
TABLES = (people, directory_devices, managed_devices, device_links, pushes, journeys, audit, observations)
Who = Mapping[str, str]
"""One person's names and ids."""


def copy(url: str, first: Who, tenant_id: str, others: Iterator[Who]) -> None:
    """`first` is the only person in the database; `others` have other values under the same names."""
    engine = make_engine(url, durable=False)
    try:
        patterns = {table: _patterns(engine, table, first) for table in TABLES}
        with _without_indexes(engine):
            while batch := [who for _, who in zip(range(AT_ONCE), others, strict=False)]:
                for table, of_table in patterns.items():
                    columns = [column.name for column in table.c if column.name != COUNTED.get(table)]
                    _write(engine, table.name, columns, (pattern(who) for who in batch for pattern in of_table))
                if not same_terms(tenant_id, batch[0]):
                    raise AssertionError("the terms are not those that the product writes")
                found = (row for who in batch for row in _terms(tenant_id, who))
                _write(engine, search_terms.name, ["tenant_id", "oid", "subject", "term"], found)
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(sa.text("VACUUM ANALYZE"))  # what autovacuum does by itself within minutes
    finally:
        engine.dispose()


class _Pattern:
    def __init__(self, values: Sequence[Any], first: Who) -> None:
        keys = {value: key for key, value in first.items()}
        self._values = list(values)
        self._places = [(place, keys[value]) for place, value in enumerate(values) if isinstance(value, str) and value in keys]

    def __call__(self, who: Who) -> list[Any]:
        row = self._values.copy()
        for place, key in self._places:
            row[place] = who[key]
        return row


def _patterns(engine: sa.Engine, table: sa.Table, first: Who) -> list[_Pattern]:
    columns = ", ".join(f'"{column.name}"' for column in table.c if column.name != COUNTED.get(table))
    statement = f"SELECT {columns} FROM {table.name}"  # noqa: S608
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            return [_Pattern(row, first) for row in driver.execute(statement)]
        with driver.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT") as told:
            text = b"".join(bytes(part) for part in told).decode()
        return [_Pattern(line.split("\t"), first) for line in text.splitlines()]


def _write(engine: sa.Engine, table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    named = ", ".join(f'"{name}"' for name in columns)
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute("PRAGMA cache_size=-2000000")
            driver.execute("PRAGMA synchronous=OFF")
            driver.execute("BEGIN")
            marks = ", ".join("?" * len(columns))
            driver.executemany(f"INSERT INTO {table} ({named}) VALUES ({marks})", rows)  # noqa: S608
            driver.execute("COMMIT")
            return
        with driver.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            with cursor.copy(f"COPY {table} ({named}) FROM STDIN") as taken:
                for row in rows:
                    taken.write("\t".join(row) + "\n")
        driver.commit()


@contextmanager
def _without_indexes(engine: sa.Engine) -> Iterator[None]:
    indexes = [index for table in (*TABLES, search_terms) for index in metadata.tables[table.name].indexes]
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    yield
    for index in indexes:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("SET maintenance_work_mem = '1GB'"))
            index.create(connection)


def _terms(tenant_id: str, who: Who) -> Iterator[tuple[str, str, str, str]]:
    """As `search` makes them for names and addresses of letters and digits alone, which is a tenth of its work."""
    oid, given, family = who["oid"], *who["name"].lower().split()
    at, record = who["mail"].lower(), who["record_id"]
    person = {
        given,
        family,
        f"person.{record}@{DOMAIN}",
        f"{record}@{DOMAIN}",
        DOMAIN,
        "example",
        at,
        at.partition(".")[2],
        bare(oid),
    }
    device = {given, f"{family}'s", f"{family}s", "s", "iphone"}
    of_each = {
        f"person/{oid}": person,
        f"directory_device/{who['device_id']}": device | {bare(who["device_id"]), bare(who["object_id"])},
        f"managed_device/ws1/{record}": device | {bare(who["serial"]), bare(who["udid"])},
    }
    for subject, found in of_each.items():
        for term in found:
            yield tenant_id, oid, subject, term


def same_terms(tenant_id: str, who: Who) -> bool:
    """Whether they are those that the product would write."""
    oid = who["oid"]
    written = {
        f"{terms.SUBJECT[people]}/{oid}": search.words(who["name"], who["upn"], who["mail"]) | search.identifiers(oid),
        f"{terms.SUBJECT[directory_devices]}/{who['device_id']}": search.words(who["device"])
        | search.identifiers(who["device_id"], who["object_id"]),
        f"{terms.SUBJECT[managed_devices]}/ws1/{who['record_id']}": search.words(who["device"])
        | search.identifiers(who["serial"], who["udid"]),
    }
    return sorted(_terms(tenant_id, who)) == sorted((tenant_id, oid, key, term) for key, found in written.items() for term in found)


def bare(text: str) -> str:
    return text.replace("-", "").lower()


def codes(chance: random.Random) -> Iterator[str]:
    """Case codes, none twice."""
    used: set[str] = set()
    while True:
        code = "".join(chance.choices(LETTERS, k=6))
        if code not in used:
            used.add(code)
            yield f"{code[:3]}-{code[3:]}"


def new_id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
