"""Where the MDM's maker carries compliance to Microsoft, a pass only watches: what Entra shows is either what should be told, or we
wait. Part of a pass (`one_pass`); next door: `carry`, which sends on every other channel.

Nothing is gated, leased or revoked here: the maker tells what its own record says, when it says so. What the second lock does about
that is done before (`carry`).
"""

from contextlib import suppress
from datetime import datetime

from ..domain.device import LinkState
from ..domain.relay import known_to_mdm
from ..errors import NotFound
from ..ports import Relaying
from .confirm import confirm
from .one_pass import OnePass

WAITING, NOT_KNOWN = "waiting_for_mdm", "mdm_does_not_know"


def watch_relay(one: OnePass, channel: Relaying) -> str | None:
    """Why the row does not rest yet, as `carry` says it."""
    ended = one.link.state is LinkState.ENDED
    if one.sides.entra is None:
        with suppress(*((NotFound,) if ended else ())):
            one.sides.read_back()
    shown = one.sides.entra.compliant if one.sides.entra else None
    if (shown is True) is one.push.says_compliant:
        confirm(one, "relayed")
        return None
    if ended and (one.push.sent_seq == 0 or one.lock is not None):
        confirm(one, "not_ours", shows_other=True)  # nothing of ours stands at Microsoft, and what does is not ours to take away
        return None
    if one.sides.entra is None or known_to_mdm(one.sides.entra):
        return WAITING
    return NOT_KNOWN if one.world.clock() >= _since(one) + channel.every else WAITING


def _since(one: OnePass) -> datetime:
    """From when on the maker has had its chance: the person registered, and we knew of it."""
    registered = one.sides.entra.registered_at if one.sides.entra else None
    return max(at for at in (one.link.made_at, registered) if at is not None)
