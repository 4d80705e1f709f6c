"""One named device proves the channel of its platform: compliant, not compliant, compliant, each seen in Entra.

The row of the pilot is where it stands; the worker drives it by a row of `watches`, and whoever is killed anywhere goes on from
there. It reads rows alone: the link's own passes (`push_compliance`) do all that is done at the remotes, and `judge` alone decides.
What a pilot adds is that its device is held down for a while. Next door: `domain/pilot.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from ..domain.channel import ChannelKind
from ..domain.device import LinkState, ManagedKey, Platform
from ..domain.finding import Finding, State
from ..domain.pilot import Down, Pilot, PilotState, PilotStep, look, look_again, step_lasts
from ..domain.watch import Watch
from ..errors import Conflict, Stale, StepRefused
from ..ports import Actor, Relaying, Sending, Store
from .doctor import Doctor
from .world import World


def device_of(store: Store, connection: str, record_id: str) -> str:
    """The active link of this record. Raises StepRefused where there is none: a pilot device is one that got through."""
    link_id = store.active_link(ManagedKey(connection, record_id))
    if link_id is None:
        raise StepRefused("no_link", f"{connection} {record_id}")
    return link_id


def start(world: World, link_id: str, *, by_mdm: bool, actor: Actor) -> Pilot:
    """Where the MDM's maker carries, nothing can be held down here: the MDM itself has to say *not compliant*."""
    store, now = world.store, world.clock()
    link = store.link(link_id)
    if link is None or link.state is not LinkState.ACTIVE:
        raise StepRefused("no_link")
    channel = kind_of(world, link.platform, link.managed.connection)
    if channel is None:
        raise StepRefused("no_channel", link.platform.value)
    down = Down.MDM if by_mdm or channel is ChannelKind.MDM_RELAY else Down.PUSH
    pilot = Pilot(
        id=str(uuid4()),
        platform=link.platform,
        channel=channel.value,
        connection=link.managed.connection,
        link_id=link.id,
        down=down,
        step=PilotStep.COMPLIANT,
        step_at=now,
        until=now + step_lasts(down, _every(world, link.platform)),
        state=PilotState.RUNNING,
        started_at=now,
        started_by=actor.id,
    )
    try:
        with store.change(actor, "pilot.started", about=("pilot", pilot.id), at=now) as change:
            change.audit(link=link.id, platform=link.platform.value, channel=channel.value, down=down.value)
            change.start_pilot(pilot)
    except Conflict as running:
        raise StepRefused("runs", link.platform.value) from running
    return pilot


def stop(store: Store, platform: Platform, *, actor: Actor, now: datetime) -> None:
    """What it held down is let go, and looked at anew."""
    pilot = store.running_pilot(platform)
    if pilot is None:
        raise StepRefused("not_running", platform.value)
    with store.change(actor, "pilot.stopped", about=("pilot", pilot.id), at=now) as change:
        change.audit(step=pilot.step.value)
        change.stop_pilot(pilot, why="by_hand")


def drive(watch: Watch, world: World, platform: Platform) -> None:
    """One look at the pilot of a platform."""
    now, pilot = world.clock(), world.store.running_pilot(platform)
    if pilot is None:
        world.store.save_watch(replace(watch, next_look_at=None))
        return
    watch = watch.begun(now)
    if not world.store.save_watch(watch):
        return
    link, push = world.store.link(pilot.link_id), world.store.push(pilot.link_id)
    kind = kind_of(world, platform, pilot.connection)
    after = look(pilot, link, push, kind.value if kind is not None else None, now)
    if after is not None:
        why = "pilot.failed" if after.failed else "pilot.proven" if after.step is None else "pilot.seen"
        try:
            with world.store.change(world.actor, why, about=("pilot", pilot.id), at=now) as change:
                seen = after.seen_at.isoformat() if after.seen_at is not None else None
                change.audit(step=pilot.step.value, seen=seen, because=after.failed, last=push.reason if push else None)
                change.pilot_goes_on(pilot, after, until=now + step_lasts(pilot.down, _every(world, platform)))
        except Stale:
            pass  # stopped meanwhile, or another worker looked too
    on = world.store.running_pilot(platform)
    world.store.save_watch(replace(watch, next_look_at=None if on is None else look_again(on, now)))


def _every(world: World, platform: Platform) -> timedelta:
    channel = world.channel(platform)
    return channel.every if isinstance(channel, Relaying) else timedelta(0)


def kind_of(world: World, platform: Platform, connection: str | None = None) -> ChannelKind | None:
    """Of the channel that serves the platform; None where none does, or none from this connection."""
    channel = world.channel(platform, connection)
    return channel.kind if isinstance(channel, Sending | Relaying) else None


def proven(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """What the pilots say of each platform that a channel serves."""
    yield from proven_of(doctor.world)


def proven_of(world: World) -> Iterator[Finding]:
    known = world.store.pilots()
    for platform in Platform:
        kind = kind_of(world, platform)
        if kind is not None:
            yield of_platform([one for one in known if one.platform is platform], platform, kind.value)


def of_platform(known: Sequence[Pilot], platform: Platform, kind: str) -> Finding:
    """`known` are this platform's, the newest first. What was proven stands until a later one fails."""
    done = next((one for one in known if one.state is PilotState.PROVEN and one.channel == kind), None)
    newest = next((one for one in known if one.channel == kind), None)
    detail = {"channel": kind}
    if newest is not None and newest.state is PilotState.RUNNING:
        return Finding("pilot", State.UNKNOWN, "running", platform.value, {**detail, "step": newest.step.value})
    if newest is not None and newest.state is PilotState.FAILED and (done is None or done.started_at < newest.started_at):
        return Finding("pilot", State.BAD, newest.why or "link_ended", platform.value, detail)
    if done is not None:
        at = done.ended_at or done.started_at
        return Finding("pilot", State.GOOD, "proven", platform.value, {**detail, "at": f"{at:%Y-%m-%d %H:%M} UTC"})
    why = "other_channel" if known else "never"
    return Finding("pilot", State.UNKNOWN, why, platform.value, detail)
