"""How an audit row is sealed: an HMAC over its own content, its place, and the seal before it, with a key that only the worker has.

Whoever changes, removes, inserts or moves a row after that breaks the seal of that row or of the one behind it. A cut at the old
end is made by `checkpoint`, which the key signs as well. Keys have ids, so that a new one may sign from any row on.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

BEGINNING = "0" * 64
"""What the very first row has before it."""


def key_id(key: str) -> str:
    """Names a key and tells nothing of it; nobody has to number keys."""
    return _mac(key, "key id", {})[:12]


@dataclass(frozen=True)
class Seal:
    """`digest` in hex; `seq` counts from 1 without gaps within a tenant."""

    seq: int
    audit_id: int
    digest: str
    key: str
    sealed_at: datetime


@dataclass(frozen=True)
class Anchor:
    """What an outside place remembers of the log: this row was the newest, and this was its seal."""

    seq: int
    digest: str
    at: str = ""


@dataclass(frozen=True)
class Place:
    """Where in the log a row stands; `previous` is the digest of the seal before it."""

    tenant_id: str
    previous: str
    seq: int
    sealed_at: datetime


class SealKeys:
    """The key that signs, and earlier ones, by which old rows are checked."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = {key_id(key): key for key in keys}

    def digest(self, key: str, place: Place, row: Mapping[str, Any]) -> str | None:
        """The digest that the seal must bear; None where no key of this id is known."""
        known = self._keys.get(key)
        return None if known is None else digest(known, place, row)

    def vouches(self, tenant_id: str, detail: Mapping[str, Any]) -> bool:
        """Whether the detail of a checkpoint row was signed by one of the keys."""
        known = self._keys.get(str(detail.get("key")))
        if known is None:
            return False
        through, last = detail.get("through"), detail.get("digest")
        return hmac.compare_digest(str(detail.get("mac")), _mac(known, "cut", {"t": tenant_id, "through": through, "digest": last}))


def digest(key: str, place: Place, row: Mapping[str, Any]) -> str:
    """`row` holds every column of the audit row; those that are None are left out, so that a column may be added later."""
    content = {name: _plain(value) for name, value in row.items() if value is not None}
    stands = {name: _plain(value) for name, value in vars(place).items()}
    return _mac(key, "row", {"place": stands, "key": key_id(key), "content": content})


def checkpoint(key: str, *, tenant_id: str, through: int, last: str) -> dict[str, Any]:
    """The detail of the audit row that a cut leaves: every row up to `through`, whose seal was `last`, went on purpose."""
    mac = _mac(key, "cut", {"t": tenant_id, "through": through, "digest": last})
    return {"through": through, "digest": last, "key": key_id(key), "mac": mac}


def _mac(key: str, what: str, content: Mapping[str, Any]) -> str:
    told = json.dumps([what, content], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key.encode(), told.encode(), "sha256").hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
