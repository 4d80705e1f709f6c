"""What should be told has been seen in Entra: the row rests. Part of a pass (`one_pass`); `carry` and `relay` saw it."""

from contextlib import suppress

from ..domain.device import LinkState
from ..domain.push import Lane
from ..errors import RemoteError
from ..ports import OPEN, Change, LinkNoting
from .one_pass import OnePass


def confirm(one: OnePass, by: str, *, shows_other: bool = False) -> None:
    with one.change("push.confirmed") as change:
        change.audit(by=by, shown=one.sides.entra.compliant if one.sides.entra else None)
        change.confirmed(one.link.id, seq=one.push.desired_seq, by=by, shows_other=shows_other)
        if one.link.state is LinkState.ACTIVE and one.sides.entra is not None and one.sides.entra.compliant is True:
            change.tell_open(one.link.id, ways=[OPEN + way for way in one.world.tell_owner_by])
        if one.link.state is LinkState.ENDED:
            _wake_those_who_waited(one, change)
    one.reload()
    _note_link(one)


def _wake_those_who_waited(one: OnePass, change: Change) -> None:
    for link, _ in one.world.store.beside(one.link):
        if link.state is LinkState.ACTIVE:
            change.wake_link(link.id, lane=Lane.PERSON)


def _note_link(one: OnePass) -> None:
    """Leave the Azure device id on the MDM's record, once, so that staff find the pair there too. Nothing depends on it, so a
    refusal is not worth a retry: the next confirmation tries again."""
    manager = one.world.managers.get(one.link.managed.connection)
    if one.link.state is not LinkState.ACTIVE or one.push.noted_at is not None or not isinstance(manager, LinkNoting):
        return
    with suppress(RemoteError):
        manager.note_link(one.link.managed.record_id, one.link.device_id)
        with one.change("link.noted") as change:
            change.noted(one.link.id)
