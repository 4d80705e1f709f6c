"""A lead tells everybody that something is wrong, and that it is over. The audit holds who, until when and its id, not the words.

Next door: `domain/incident.py` (what may be said), `web/incident.py` (who sees it, and what that costs).
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from ..domain.incident import Incident, faults, plain
from ..ports import Actor, Incidents, Store


def checked(texts: Mapping[str, str], until: datetime | None, now: datetime) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """What would be published, and why it cannot be."""
    said = {language: text for language, text in ((name, plain(one)) for name, one in texts.items()) if text}
    return said, faults(said, until or now, now)


def publish(store: Store, texts: Mapping[str, str], until: datetime, *, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Faults that kept it from being published; none where it was."""
    said, found = checked(texts, until, now)
    if found:
        return found
    incident_id = str(uuid4())
    with store.change(actor, "incident.published", about=("incident", incident_id), at=now) as change:
        change.audit(until=f"{until:%Y-%m-%dT%H:%M:%SZ}", languages=sorted(said))
        change.publish_incident(incident_id, said, until=until, by=actor.id)
    return ()


def end(store: Store, rows: Incidents, *, actor: Actor, now: datetime) -> Incident | None:
    """The one that was ended; None where there was none."""
    incident = rows.current(now)
    if incident is None:
        return None
    with store.change(actor, "incident.ended", about=("incident", incident.id), at=now) as change:
        change.end_incident()
    return incident
