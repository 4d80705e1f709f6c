"""Every request that any service received, in order, with its secrets masked: what tests believe instead of a mock.

Next door: `faults.Gate` writes it around every service, `control` serves it.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qsl

_SECRETS = frozenset(
    {
        "client_secret",
        "client_assertion",
        "code",
        "code_verifier",
        "password",
        "access_token",
        "id_token",
        "id_token_hint",
        "refresh_token",
        "request",
        "assertion",
        "appaccesskey",
        "refreshtoken",
        "authtoken",
    }
)
_SAFE_HEADERS = (
    "Accept",
    "Client-Request-Id",
    "X-Ms-Throttle-Priority",
    "Prefer",
    "Consistencylevel",
    "Content-Type",
    "User-Agent",
    "X-Sent-At",  # a bench's clients say when a call left them
)


@dataclass
class Entry:
    seq: int
    at: str
    service: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None
    status: int | None = None
    """None while in flight, and for good where the connection was closed without an answer."""
    fault: str | None = None
    inside: float | None = None
    """It came so many seconds after a 429 whose Retry-After was not over yet (`limits`)."""
    client_id: str | None = None
    tenant: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "***" if key.lower() in _SECRETS else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def readable_body(content_type: str, raw: bytes) -> Any:
    """JSON and forms as they are, secrets masked; anything else as its size only."""
    if not raw:
        return None
    kind = content_type.split(";")[0].strip().lower()
    try:
        if kind == "application/json":
            return masked(json.loads(raw))
        if kind == "application/x-www-form-urlencoded":
            return masked(dict(parse_qsl(raw.decode(), keep_blank_values=True)))
    except ValueError:
        return f"{len(raw)} bytes that do not parse as {kind}"
    return f"{len(raw)} bytes of {kind or 'unnamed type'}"


def safe_headers(environ: dict[str, Any]) -> dict[str, str]:
    found = {name: environ.get("HTTP_" + name.upper().replace("-", "_")) for name in _SAFE_HEADERS}
    found["Content-Type"] = environ.get("CONTENT_TYPE")
    scheme = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0]
    return {name: value for name, value in {**found, "Authorization": scheme}.items() if value}


@dataclass
class Ledger:
    """Keeps the newest `length` requests; whoever needs all of more than that reads them in time (`since`)."""

    length: int = 20_000
    entries: deque[Entry] = field(init=False)
    _next: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.entries = deque(maxlen=self.length)

    def open(self, **fields: Any) -> Entry:
        """The order is that of arrival; the status follows when the answer leaves."""
        with self._lock:
            entry = Entry(seq=self._next, **fields)
            self._next += 1
            self.entries.append(entry)
            return entry

    def since(self, seq: int = 0, service: str | None = None) -> list[Entry]:
        with self._lock:
            newest = list(takewhile(lambda e: e.seq > seq, reversed(self.entries)))
        return [e for e in reversed(newest) if service is None or e.service == service]

    def clear(self) -> None:
        with self._lock:
            self.entries.clear()
