"""One JSON object of an answer, read by type. Next door: `http`, which parses the answer and hands this to the adapters."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..domain.identifiers import fold as fold
from ..errors import Garbled

UNREADABLE = "\ufffd"
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def same(one: str | None, other: str | None) -> bool:
    """Compared whole. What is empty, or could not be read whole, is nobody's name, so it equals nothing, not even itself."""
    if not one or not other or not one.strip() or UNREADABLE in one:
        return False
    return fold(one) == fold(other)


class Fields:
    """One JSON object, read by type: what has another type than specified is Garbled, what is absent or null is None or, with
    `need_…`, Garbled."""

    def __init__(self, value: object, remote: str) -> None:
        if not isinstance(value, dict):
            raise Garbled("not an object", remote=remote)
        self._value = value
        self._remote = remote

    def garbled(self, key: str) -> Garbled:
        return Garbled(f"{key} is not as specified", remote=self._remote)

    def _read(self, key: str, kind: type) -> Any:
        value = self._value.get(key)
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise self.garbled(key)
        return value

    def _need(self, key: str, value: Any) -> Any:
        if value is None:
            raise self.garbled(key)
        return value

    def raw(self, key: str) -> Any:
        return self._value.get(key)

    def has(self, key: str) -> bool:
        """Whether it is told at all, be it null."""
        return key in self._value

    def text(self, key: str) -> str | None:
        value = self._read(key, str)
        # NUL and lone surrogates are legal in JSON and in no database
        return None if value is None else UNSTORABLE.sub(UNREADABLE, value)

    def need_text(self, key: str) -> str:
        return str(self._need(key, self.text(key)))

    def guid(self, key: str) -> str:
        value = self.need_text(key).lower()
        if not GUID.fullmatch(value):
            raise self.garbled(key)
        return value

    def flag(self, key: str) -> bool | None:
        value: bool | None = self._read(key, bool)
        return value

    def need_flag(self, key: str) -> bool:
        return bool(self._need(key, self.flag(key)))

    def number(self, key: str) -> int | None:
        value: int | None = self._read(key, int)
        return value

    def need_number(self, key: str) -> int:
        return int(self._need(key, self.number(key)))

    def moment(self, key: str) -> datetime | None:
        """ISO 8601; without a zone it is UTC, and the year 1 means never."""
        text = self.text(key)
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.garbled(key) from None
        return at if at.year > 1 else None

    def within(self, key: str) -> "Fields":
        return Fields(self._need(key, self._read(key, dict)), self._remote)

    def items(self, key: str) -> Iterator["Fields"]:
        return iter([Fields(item, self._remote) for item in self._need(key, self._read(key, list))])

    def texts(self, key: str) -> list[str]:
        values = self._need(key, self._read(key, list))
        if not all(isinstance(value, str) for value in values):
            raise self.garbled(key)
        return list(values)
