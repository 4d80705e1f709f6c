"""What the helpdesk's page shows of repairs: those offered, the one suggested, start links with their QR codes, and what staff said
of a person's entries in the directory. `domain/repairs.py` decides; nothing raw from a remote passes here without `names.shown`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from ..domain.device import DirectoryDevice
from ..domain.repairs import REPAIRS, YOUNG, Mark, Marked, Offer, Repair, Situation, Target, offers, suggested
from ..ports import StartLink
from ..services.look_up import File
from .desk import desk
from .hand_over import drawn
from .helpdesk_timeline import Entry, entry
from .names import shown

JUST_NOW = timedelta(minutes=5)
WAYS = {"show", "mail", "device"}
NOT_SENT = {"not_found", "refused", "busy", "unreachable", "garbled"}
NOT_DISABLED = {*NOT_SENT, "not_permitted", "not_shown", "owner_changed", "too_young", "linked", "decides"}


@dataclass(frozen=True)
class StartCard:
    """`drawn` is a code to scan; `state` is `shown`, `wanted`, `sent` or `failed`."""

    code: str
    url: str
    way: str
    state: str
    at: datetime
    expires_at: datetime
    drawn: Markup


@dataclass(frozen=True)
class EntryCard:
    """One of several entries of a person in the directory: what speaks for it, and what staff said of it."""

    device_id: str
    name: str
    registered_at: datetime | None
    why: str  # `linked`, `disabled`, `young`, `newest`, `old`
    mark: str | None
    disabling: str | None  # `wanted`, `done`, or why it was not done


@dataclass(frozen=True)
class RepairPanel:
    offers: tuple[Offer, ...]
    suggested: str | None
    done: Entry | None
    starts: tuple[StartCard, ...]
    entries: tuple[EntryCard, ...]
    acts: bool
    role: str = REPAIRS[Repair.CHECK_AGAIN].role


def panel(file: File, situation: Situation, now: datetime, *, acts: bool) -> RepairPanel:
    """`acts`: whoever looks may do them; others see the one suggested, and no button."""
    wanted = suggested(situation, now)
    done = next((one for one in file.acts if one.what.startswith("repair.") and now - one.at < JUST_NOW), None)
    return RepairPanel(
        offers=offers(situation, now) if acts else (),
        suggested=wanted.value if wanted is not None else None,
        done=entry(done, situation.person.oid) if done is not None else None,
        starts=tuple(_start_card(link) for link in desk().look_up.start_links(situation.person.oid, now)) if acts else (),
        entries=tuple(_entries(situation, now)),
        acts=acts,
    )


def shown_target(target: Target) -> Target:
    return Target(target.id, shown(target.name), target.word, target.at)


def start_url(code: str) -> str:
    return f"{desk().settings.public_origin}/s/{code}"


def _start_card(link: StartLink) -> StartCard:
    state = "shown" if link.way == "show" else "sent" if link.told_at else "failed" if link.reason in NOT_SENT else "wanted"
    way = link.way if link.way in WAYS else "show"
    code = shown(link.code)
    return StartCard(code, start_url(code), way, state, link.at, link.expires_at, drawn(start_url(code)))


def _entries(situation: Situation, now: datetime) -> Iterable[EntryCard]:
    """Only where there are several: else there is nothing to tell apart. The one to keep comes first."""
    journey = situation.journey
    if journey is None or len(journey.directory) < 2:
        return
    held = journey.taken | {link.device_id for link in journey.links}
    newest = max(journey.directory, key=_registered).device_id
    for device in sorted(journey.directory, key=lambda one: (one.device_id not in held, -_registered(one), one.device_id)):
        marked = situation.marks.get(device.device_id)
        yield EntryCard(
            device_id=device.device_id,
            name=shown(device.name),
            registered_at=device.registered_at,
            why=_why(device, held, newest, now),
            mark=marked.mark.value if marked is not None else None,
            disabling=_disabling(marked) if marked is not None else None,
        )


def _why(device: DirectoryDevice, held: frozenset[str], newest: str, now: datetime) -> str:
    if device.device_id in held:
        return "linked"
    if not device.enabled:
        return "disabled"
    if device.registered_at is None or now - device.registered_at < YOUNG:
        return "young"
    return "newest" if device.device_id == newest else "old"


def _registered(device: DirectoryDevice) -> float:
    return device.registered_at.timestamp() if device.registered_at is not None else 0.0


def _disabling(marked: Marked) -> str | None:
    if marked.disabled_at is not None:
        return "done"
    if marked.disable_wanted_at is None or marked.mark is not Mark.LEFTOVER:
        return None
    return "wanted" if marked.reason is None else marked.reason if marked.reason in NOT_DISABLED else "refused"


WAY_IN_ENTRA = frozenset({Repair.MARK_DEVICE, Repair.DISABLE_DEVICE})
"""Repairs whose pages tell the way in Entra, in exact clicks."""
