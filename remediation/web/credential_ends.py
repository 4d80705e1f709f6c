"""When the credentials of both apps end, for the pages of the set-up: what the worker found when it last looked."""

from datetime import datetime

from ..domain.credential_ends import LOOK, App, How, level
from ..domain.onboarding import Facts
from .desk import desk

Shown = tuple[str, datetime | None, str, bool]


def shown(facts: Facts) -> list[Shown]:
    """For each app: when, how that is known, and whether a warning is due."""
    found: list[Shown] = []
    for app in App:
        kept = facts.look(LOOK).detail.get(app.value, {})
        ends = datetime.fromisoformat(kept["ends"]) if "ends" in kept else None
        how = kept["how"] if kept.get("how") in set(How) else ""
        found.append((app.value, ends, how, level(ends, desk().clock()) is not None))
    return found
