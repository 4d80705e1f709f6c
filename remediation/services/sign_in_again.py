"""A second sign-in that was to name the device: what came back of it is kept, and later the worker looks for Entra's record of it.

Nothing is decided here: `domain/sign_in_proof.py` says what such a sign-in proves, `link_device` acts on it.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ..domain.journey import Journey
from ..domain.sign_in_proof import Record, SignIn
from ..errors import Refused, RemoteError, Stale
from ..ports import Actor, Store
from .world import World


def signed_in_again(store: Store, journey_id: str, sign_in: SignIn, *, oid: str, browser: str, now: datetime) -> None:
    """Called by the web process. Raises Stale where the journey went on in another browser meanwhile."""
    with store.change(Actor("person", oid), "sign_in.returned", about=("journey", journey_id), at=now) as change:
        change.audit(device=sign_in.pair.device_id, named=sign_in.claimed, error=sign_in.error)
        change.audit(correlation_id=sign_in.correlation_id)
        change.signed_in_again(journey_id, sign_in, oid=oid, browser=browser)


def record_due(journey: Journey) -> datetime | None:
    """When the next look for a record is due, None where none is waited for."""
    sign_in = journey.last_sign_in
    return sign_in.record_due if sign_in is not None else None


def look_for_record(journey: Journey, *, world: World) -> bool:
    """One look in Entra's sign-in log, where one is due; whether it was. Its errors delay nothing else: it is not on the way."""
    sign_in, now = journey.last_sign_in, world.clock()
    if sign_in is None or sign_in.record_due is None:
        return False
    if world.sign_in_log is None:
        _keep(journey, replace(sign_in, record=Record.FORBIDDEN), world)
        return True
    if sign_in.record_due > now:
        return False
    try:
        found = world.sign_in_log.devices(
            sign_in.correlation_id, oid=journey.person.oid, app_id=sign_in.app_id, since=sign_in.began_at, until=sign_in.returned_at
        )
    except RemoteError as error:
        if isinstance(error, Refused) and error.status in (400, 403):
            _keep(journey, replace(sign_in, record=Record.FORBIDDEN), world)
        elif error.called:  # else it was never asked, and this was no look
            _keep(journey, sign_in.looked(None), world)
        return True
    _keep(journey, sign_in.looked(found), world)
    return True


def _keep(journey: Journey, sign_in: SignIn, world: World) -> None:
    if sign_in.record is Record.WAITING:
        world.store.note_sign_in(sign_in)
        return
    about = ("journey", journey.id)
    with suppress(Stale), world.store.change(world.actor, "sign_in.recorded", about=about, at=world.clock()) as change:
        change.audit(device=sign_in.pair.device_id, named=sign_in.recorded, log=sign_in.record.value)
        change.audit(correlation_id=sign_in.correlation_id)
        change.sign_in_recorded(sign_in)
