"""Reads of the tests of an MDM connection's messages. Next door: `change_message_tests` (the writes)."""

from typing import Any

import sqlalchemy as sa

from ..domain.message_test import MessageTest
from .engine import reading
from .tables import managed_devices, message_tests

COLUMNS = [message_tests.c[name] for name in MessageTest.__dataclass_fields__]


def arrives() -> sa.ColumnElement[bool]:
    """In a query of managed devices: messages of its connection were seen to arrive."""
    test = message_tests.c
    same = test.tenant_id == managed_devices.c.tenant_id, test.connection == managed_devices.c.connection
    return sa.exists().where(*same, test.proven_at.is_not(None)).label("arrives")


def read(engine: sa.Engine, tenant_id: str, **keys: Any) -> MessageTest | None:
    mine = message_tests.c.tenant_id == tenant_id, *(message_tests.c[name] == value for name, value in keys.items())
    with reading(engine) as connection:
        row = connection.execute(sa.select(*COLUMNS).where(*mine)).mappings().one_or_none()
    return None if row is None else MessageTest(**row)
