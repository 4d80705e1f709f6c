"""Moments and waits in an answer's headers. Next door: `http`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 3600.0  # a remote that asks for six hours is asked again after one


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from seconds or from a date (RFC 9110 10.2.3); a date is read against the remote's own clock where it shows one."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), LONGEST_WAIT)
    until = date_of(value)
    if until is None:
        return None
    now = date_of(headers.get("Date", "")) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


def date_of(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
