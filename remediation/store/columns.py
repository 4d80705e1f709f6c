"""Kinds of columns: moments, words and outside text kept honest on both databases, and the keys within a tenant."""

from datetime import UTC, datetime
from enum import Enum

import sqlalchemy as sa


class Moment(sa.types.TypeDecorator[datetime]):
    """UTC with microseconds, aware on both ways. SQLite keeps no zone, so a naive moment would silently be local time there."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("moments are aware")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def storable(text: str) -> str:
    """PostgreSQL refuses NUL, and no database takes half a surrogate pair; a remote's JSON may hold either in a device name."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


class OutsideText(sa.types.TypeDecorator[str]):
    """Text that somebody else wrote: kept as it came, short of what no database can keep."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else storable(value)


def word(kind: type[Enum]) -> sa.Enum:
    """An enumeration as text: its values where they are words, else its names in small letters."""

    def words(members: type[Enum]) -> list[str]:
        return [m.value if isinstance(m.value, str) else m.name.lower() for m in members]

    return sa.Enum(kind, native_enum=False, length=40, values_callable=words)


def tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", sa.Text, primary_key=True)


def to(columns: str, table: str, theirs: str | None = None) -> sa.ForeignKeyConstraint:
    """A foreign key within the tenant."""
    ours = ["tenant_id", *columns.split()]
    return sa.ForeignKeyConstraint(ours, [f"{table}.{c}" for c in ["tenant_id", *(theirs or columns).split()]])


def where_only(name: str, condition: str, *columns: str) -> sa.Index:
    """An index of those rows alone, so that it stays as small as they are few."""
    return sa.Index(name, *columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up in INTEGER primary keys only

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # as SQLite compares without being asked
