"""A database as it stands with a million links: what there is of one person is written as the product writes it, read back as the
database has it, and written again for everybody else with their own names and ids. Plain rows in bulk, indexes afterwards: so a
million take minutes.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, DropIndex

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
IN_ONE_WRITE = 1000
DOMAIN = "contoso.example"
COUNTED = {audit: "id", observations: "id"}
"""Columns that the database numbers."""
TABLES = (people, directory_devices, managed_devices, device_links, pushes, journeys, audit, observations)
Who = Mapping[str, str]
"""One person's names and ids."""


def copy(url: str, first: Who, tenant_id: str, others: Iterator[Who], say: Callable[[str], None] = lambda _: None) -> None:
    """`first` is the only person in the database, and nobody else uses it; `others` have other values under the same names, the
    object ids of the people going up."""
    engine = make_engine(url)
    sqlite = engine.dialect.name == "sqlite"
    taken = engine.raw_connection()
    try:
        driver: Any = taken.driver_connection
        patterns = {table: _patterns(driver, table, first, sqlite=sqlite) for table in TABLES}
        with _sqlite_hurried(driver) if sqlite else _postgresql_hurried(driver), _without_indexes(driver, engine.dialect):
            copied = 0
            while batch := [who for _, who in zip(range(AT_ONCE), others, strict=False)]:
                for table, of_table in patterns.items():
                    columns = [column.name for column in table.c if column.name != COUNTED.get(table)]
                    _write(driver, table.name, columns, (pattern(who) for who in batch for pattern in of_table), sqlite=sqlite)
                if not same_terms(tenant_id, batch[0]):
                    raise AssertionError("the terms are not those that the product writes")
                found = (row for who in batch for row in sorted(_terms(tenant_id, who)))  # as the table is kept: each at the end
                _write(driver, search_terms.name, ["tenant_id", "oid", "subject", "term"], found, sqlite=sqlite)
                copied += len(batch)
                say(f"  {copied} copied")
        if not sqlite:
            driver.execute("VACUUM ANALYZE")  # what autovacuum does by itself within minutes
    finally:
        taken.close()
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


def _patterns(driver: Any, table: sa.Table, first: Who, *, sqlite: bool) -> list[_Pattern]:
    columns = ", ".join(f'"{column.name}"' for column in table.c if column.name != COUNTED.get(table))
    statement = f"SELECT {columns} FROM {table.name}"  # noqa: S608
    if sqlite:
        return [_Pattern(row, first) for row in driver.execute(statement)]
    with driver.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT") as told:
        text = b"".join(bytes(part) for part in told).decode()
    driver.commit()
    return [_Pattern(line.split("\t"), first) for line in text.splitlines()]


def _write(driver: Any, table: str, columns: Sequence[str], rows: Iterator[Sequence[Any]], *, sqlite: bool) -> None:
    named = ", ".join(f'"{name}"' for name in columns)
    if sqlite:
        marks = ", ".join("?" * len(columns))
        driver.execute("BEGIN")
        driver.executemany(f"INSERT INTO {table} ({named}) VALUES ({marks})", rows)  # noqa: S608
        driver.execute("COMMIT")
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({named}) FROM STDIN") as taken:
        while lines := ["\t".join(row) for row in islice(rows, IN_ONE_WRITE)]:
            taken.write("\n".join(lines) + "\n")


@contextmanager
def _sqlite_hurried(driver: Any) -> Iterator[None]:
    """Nothing is kept to go back to: what is half written is thrown away whole."""
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-2000000"):
        driver.execute(f"PRAGMA {pragma}")
    yield
    driver.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _postgresql_hurried(driver: Any) -> Iterator[None]:
    """Without keys, and nobody counts the rows in between. Keys that point elsewhere come back unchecked for what is there."""
    driver.autocommit = True
    driver.execute("SET maintenance_work_mem = '1GB'")
    tables = [table.name for table in (*TABLES, search_terms)]
    keys = driver.execute(
        "SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype IN ('f', 'p', 'u') AND (conrelid::regclass::text = ANY(%s) OR confrelid::regclass::text = ANY(%s))"
        " ORDER BY contype",  # those that point at others go first, and come back last
        (tables, tables),
    ).fetchall()
    for table in tables:
        driver.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    for table, name, _, _ in keys:
        driver.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    yield
    for table, name, kind, told in reversed(keys):
        driver.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {told}{" NOT VALID" if kind == "f" else ""}')
    for table in tables:
        driver.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")


@contextmanager
def _without_indexes(driver: Any, dialect: sa.Dialect) -> Iterator[None]:
    indexes = [index for table in (*TABLES, search_terms) for index in metadata.tables[table.name].indexes]
    for index in indexes:
        driver.execute(str(DropIndex(index).compile(dialect=dialect)))
    yield
    for index in indexes:
        driver.execute(str(CreateIndex(index).compile(dialect=dialect)))


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


def new_id(chance: random.Random, at_least: int = 0) -> str:
    """As `uuid4` makes them, in a third of its time; `at_least` gives its first 64 bits."""
    text = f"{at_least | chance.getrandbits(64 if at_least else 128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"
