"""What a lead tells everybody, in the database. Next door: `services/incident.py`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from ..domain.incident import Incident


class Incidents(Protocol):
    def current(self, now: datetime) -> Incident | None:
        """The newest that is neither over nor ended."""


class IncidentChanges(Protocol):
    """Part of `Change`."""

    def publish_incident(self, incident_id: str, texts: Mapping[str, str], *, until: datetime, by: str) -> None:
        """In place of the one before."""

    def end_incident(self) -> None:
        """Stale where there is none."""
