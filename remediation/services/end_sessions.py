"""Somebody is signed out here in every browser: by themselves, by the helpdesk, or by whoever runs the product.

It ends what a stolen or forgotten sign-in can do *here*. Entra's own sessions are not ours to end: whoever still has one there
signs in again, which is for an administrator in Entra to stop. *This wasn't me* does it too (`prove_possession`).
"""

from datetime import datetime

from ..ports import Actor, LookUp, Store
from .look_up import Through, by_program, take_look

ENDED = "sessions.ended"
BECAUSE = ("not_them", "lost", "left", "asked")
"""Why staff do it, as they choose it: the audit holds nothing that somebody typed."""


def end_sessions(store: Store, oid: str, *, actor: Actor, because: str, now: datetime, through: Through | None = None) -> int:
    """In how many browsers the person was signed in."""
    with store.change(actor, ENDED, about=("person", oid), at=now) as change:
        ended = change.end_sessions(oid)
        change.audit(because=because, ended=ended, **by_program(through))
    return ended


def end_sessions_of(
    look_up: LookUp, store: Store, whose: str, *, because: str, by: str, now: datetime, through: Through | None = None
) -> bool:
    """By somebody of the helpdesk; takes one of their turns. False for whoever is unknown here, or not theirs to act on."""
    if because not in BECAUSE:
        raise ValueError(f"not one of the reasons: {because}")
    take_look(store, by, now, through)
    if look_up.person(whose) is None:
        return False
    end_sessions(store, whose, actor=Actor("helpdesk", by), because=because, now=now, through=through)
    return True
