"""The second lock's marks that are not as they should be: put right with the next news of their link, or taken away where no link
answers for the device; and told, where somebody else wrote them.

Part of a pass (`one_pass`) and of the directory's sweep (`reconcile`). Next door: `carry`, which writes what should stand.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial

from ..domain.compliance import Decision, Verdict
from ..domain.device import LinkState
from ..domain.listing import Marks
from ..domain.push import Lane
from ..domain.second_lock import Astray, SecondLock, astray, stands
from ..errors import NotFound, RemoteError
from ..ports import AT_ONCE, Alarm, in_lane
from .one_pass import MARK_REPAIRED, OnePass
from .world import World

log = logging.getLogger(__name__)

SOURCE = "second_lock"
MOST_CLEARED = 20  # of one page of the sweep: what is left is found by the next one
_FOREIGN = (
    "Somebody else wrote into {name} of at least one device in Entra, at {at} or before: the attribute that is set aside for this "
    "product's mark. What they wrote is taken away again; the audit names each device (mark.…). It is told at most once in "
    "an hour."
    "\n\n"
    "A forged mark opens nothing on a device that is not compliant. It lets one in that is compliant and that is held back here. "
    "Who can act: an Entra administrator. Entra's audit log (Update device) shows which app or account wrote: every app with "
    "Device.ReadWrite.All or Directory.ReadWrite.All can, and Intune administrators."
)


def marks_of(world: World) -> Marks | None:
    """For the sweep; None where there is no lock to compare with."""
    return Marks(world.governed, partial(astray, now=world.clock())) if world.lock_prepared() else None


def wrong_mark(one: OnePass) -> Astray | None:
    """What Entra showed of the mark in this pass against what we had seen there; asked before the posture is judged anew."""
    entra = one.sides.entra
    if entra is None or one.lock is None:
        return None
    return astray(one.link, one.push, entra.mark, one.world.clock())


def put_right(one: OnePass, found: Astray, *, news: bool) -> None:
    """With the news that this pass told already, else as news of its own: written by somebody else, it is told in any case."""
    alarm = foreign(one.world) if found.foreign else None
    if alarm is not None:
        log.warning("link %s: somebody else wrote the second lock's mark (%s)", one.link.id, found.what)
    if not news:
        if (decision := _decision(one)) is not None:
            one.desire(decision, MARK_REPAIRED, alarm=alarm, mark=found.what, foreign=found.foreign)
    elif alarm is not None:
        with one.change("mark.foreign") as change:
            change.audit(mark=found.what, foreign=True)
            change.raise_alarm(alarm)


def _decision(one: OnePass) -> Decision | None:
    """None where the mark should stand and nothing fresh justifies it: the row goes down with its lease."""
    if not stands(one.link, one.push):
        return Decision(one.push.desired or Verdict.UNKNOWN, one.push.reasons, None)
    fresh = one.decision is not None and one.decision.verdict is Verdict.COMPLIANT
    return one.decision if fresh else None


def clear_strays(device_ids: Sequence[str], world: World) -> None:
    """Devices that bear a mark and for which no link answers: read directly, since a list is older, and cleared. What cannot be
    done now the next sweep finds again."""
    lock = world.lock
    for device_id in device_ids[:MOST_CLEARED] if lock is not None else ():
        try:
            with in_lane(Lane.REVOKE):
                device = world.directory.device(device_id, owner=False)
                if device.mark is None or _answered_for(device_id, world) or lock is None:
                    continue
                sent = lock.clear(device_id)
        except NotFound:
            continue
        except RemoteError as error:
            log.warning("device %s: the second lock's mark could not be taken away: %s", device_id, error.code)
            return
        log.warning("device %s: a mark of the second lock (%s) that nobody here wrote was taken away", device_id, device.mark.value)
        about, now = ("directory_device", device_id), world.clock()
        with world.store.change(world.actor, "mark.cleared", about=about, at=now) as change:
            change.audit(mark=device.mark.value, **asdict(sent))
            change.raise_alarm(foreign(world))


def _answered_for(device_id: str, world: World) -> bool:
    """By now: a link may have been made since the page was read."""
    held = (one for one in world.store.held_of_directory([device_id]) if world.governed(one.link))
    return any(one.link.state is LinkState.ACTIVE or one.push.desired_seq > 0 for one in held)


def foreign(world: World) -> Alarm:
    """One in an hour: its id is the hour's. Names no device: mails and webhooks travel far."""
    now, held = world.clock(), world.store.second_lock()
    name = held.name if isinstance(held, SecondLock) else "an extension attribute"
    text = _FOREIGN.format(name=name, at=f"{now:%Y-%m-%d %H:%M} UTC")
    return Alarm(f"{SOURCE}/{now:%Y%m%dT%H}", SOURCE, AT_ONCE, now, "A mark of the second lock was written by somebody else", text)
