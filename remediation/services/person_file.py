"""What is held of one person: told to them (`export`), and taken away (`erase`). Both leave one audit row.

Nothing is taken away while a link of theirs lives: it is ended first, its end goes to Microsoft, and only once Entra has shown it
is there nothing left that somebody would have to know. The audit keeps ids alone, and so it stays whole (docs/decisions/0007).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from ..errors import Stale
from ..ports import Actor, PersonRows, Store

ERASED = "erased"


def export(
    store: Store, rows: PersonRows, oid: str, *, actor: Actor, why: str, now: datetime
) -> Mapping[str, Sequence[Mapping[str, Any]]] | None:
    """By table; None where nothing is held. The row that says that it was exported is written first, and so it is among them."""
    if not rows.held(oid):
        return None
    with store.change(actor, "person.exported", about=("person", oid), at=now) as change:
        change.audit(because=why)
    return rows.everything(oid)


def end_links(store: Store, rows: PersonRows, oid: str, *, actor: Actor, now: datetime) -> int:
    """End whatever lives; returns how many ends are on their way to Microsoft."""
    for link_id in rows.living_links(oid):
        with suppress(Stale), store.change(actor, "link.ended", about=("link", link_id), at=now) as change:
            change.audit(because=ERASED)
            change.end_link(link_id, ERASED)
    return rows.ends_under_way(oid)


def erase(store: Store, oid: str, *, actor: Actor, why: str, now: datetime) -> Mapping[str, int]:
    """Rows that went, by table. Raises ErasureRefused while a link lives or its end is under way."""
    with store.change(actor, "person.erased", about=("person", oid), at=now) as change:
        gone = change.erase_person(oid)
        change.audit(because=why, **{f"gone_{name}": count for name, count in gone.items()})
    return gone
