"""A person tells what Microsoft showed them: kept in their case, by its ids alone, for the helpdesk to quote to Microsoft.

Nothing is decided by it: anybody can type a code. Next door: `domain/block_page.py` reads the text.
"""

from datetime import datetime

from ..domain.block_page import Shown
from ..domain.journey import Journey
from ..domain.turns import SAID
from ..ports import Actor, Store
from .ask import take_turn


def keep(store: Store, journey: Journey, said: Shown, *, oid: str, now: datetime) -> None:
    """Raises TooOften. The text itself is kept nowhere."""
    take_turn(store, f"said:{oid}", SAID, now)
    with store.change(Actor("person", oid), "microsoft.said", about=("journey", journey.id), at=now) as change:
        change.audit(codes=list(said.codes), correlation_id=said.correlation_id, device=said.device_id)
        change.audit(at=said.at.isoformat() if said.at is not None else None, platform=said.platform)


def whose(journey: Journey, said: Shown) -> str | None:
    """`theirs` or `another`: whether Microsoft took the device for one that the directory has of this person; None where it is not
    told, or the directory was not read."""
    if said.device_id is None or journey.look.directory_read_at is None:
        return None
    return "theirs" if said.device_id in {device.device_id for device in journey.directory} else "another"
