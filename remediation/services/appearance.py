"""An administrator puts something in place of ours, goes back to what it was, or to ours. The audit holds who and which; the values
stand in the history.

Next door: `domain/appearance.py` (what may stand there), `web/appearance.py` (where it is shown).
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from ..domain.appearance import COLOURS, LOGO, WORDS, faults, sentence_of, tidy
from ..ports import Actor, AppearanceRows, Store

Ours = Mapping[str, Mapping[str, str]]
"""By language and id, the sentences that may be put otherwise."""


def knows(key: str, ours: Ours) -> bool:
    found = sentence_of(key)
    return key in (*WORDS, *COLOURS, LOGO) or (found is not None and found[1] in ours.get(found[0], {}))


def checked(key: str, value: str, ours: Ours) -> tuple[str, tuple[str, ...]]:
    """What would be stored, and why it cannot be."""
    if not knows(key, ours):
        return "", ("unknown",)
    kept, found = tidy(key, value), sentence_of(key)
    return kept, faults(key, kept, ours[found[0]][found[1]] if found is not None else "")


def put(store: Store, key: str, value: str, ours: Ours, *, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Faults that kept it from being stored; none where it was."""
    kept, found = checked(key, value, ours)
    if not found:
        _set(store, key, kept, actor=actor, now=now)
    return found


def bring_back(store: Store, key: str, *, actor: Actor, now: datetime) -> None:
    """Ours stands there again."""
    _set(store, key, None, actor=actor, now=now)


def go_back(store: Store, rows: AppearanceRows, version_id: str, ours: Ours, *, actor: Actor, now: datetime) -> tuple[str, ...]:
    """To what it was once, if that may still stand there: our sentence may have got another variable since."""
    version = rows.version(version_id)
    if version is None:
        return ("unknown",)
    if version.value is None:
        bring_back(store, version.key, actor=actor, now=now)
        return ()
    return put(store, version.key, version.value, ours, actor=actor, now=now)


def _set(store: Store, key: str, value: str | None, *, actor: Actor, now: datetime) -> None:
    version_id = str(uuid4())
    with store.change(actor, "appearance.changed", about=("appearance", version_id), at=now) as change:
        change.audit(what=key, ours=value is None)
        change.set_appearance(version_id, key, value, by=actor.id)
