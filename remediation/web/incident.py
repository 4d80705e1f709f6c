"""What a lead tells everybody, on every page while it lasts: read from the database once in some seconds, whatever is asked for.

It must never keep a page from being shown: where the database is away, what was last read counts until it is over.
"""

import logging
from datetime import datetime, timedelta
from threading import Lock

from flask import Flask

from ..domain.incident import Incident
from ..ports import Incidents
from .desk import desk

log = logging.getLogger(__name__)

READ_EVERY = timedelta(seconds=5)  # how late another process may be with it


class Board:
    """One for each process."""

    def __init__(self, rows: Incidents) -> None:
        self.rows = rows
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._known: Incident | None = None

    def current(self, now: datetime) -> Incident | None:
        with self._lock:
            if self._read_at is None or not timedelta(0) <= now - self._read_at < READ_EVERY:
                self._read_at = now
                try:
                    self._known = self.rows.current(now)
                except Exception as error:  # the page for a database that is away shows it too
                    log.warning("the incident could not be read (%s)", type(error).__name__)
            known = self._known
        return known if known is not None and known.until > now else None

    def forget(self) -> None:
        """After a change of our own: the next page reads anew."""
        with self._lock:
            self._read_at = None


def install(app: Flask) -> None:
    app.jinja_env.globals["incident"] = lambda: desk().board.current(desk().clock())
