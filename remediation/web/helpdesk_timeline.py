"""The rows of the audit and of the observations as a timeline: each in words by its stable id, with actor, time and ids to quote.

An id that has no words yet, from a newer version or a neighbour's hand, is shown as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..domain.evidence import Level
from ..domain.repairs import BECAUSE as REPAIRED_BECAUSE
from ..domain.repairs import Repair
from ..domain.steps import Step
from ..domain.troubles import trouble_of
from ..ports import Event
from ..services.end_sessions import BECAUSE
from .names import shown

EVENTS = {
    *("journey.started", "journey.resumed", "journey.left", "journey.check_again", "journey.needs_help", "journey.still_blocked"),
    "journey.tell_me",
    "microsoft.said",
    "trouble.told",
    *("device.picked", "possession.wanted", "possession.minted", "possession.sent", "possession.failed", "possession.put_off"),
    *(
        "possession.proven",
        "possession.not_me",
        "sign_in.returned",
        "sign_in.recorded",
        "certificate.asked",
        "certificate.shown",
        "certificate.returned",
        "link.made",
        "link.replaced",
        "link.noted",
        "link.ended",
        "verdict.changed",
        "drift.repaired",
        "drift.seen",
        "mark.repaired",
        "mark.cleared",
        "mark.foreign",
        "lease.ended",
    ),
    *(
        "push.prepared",
        "push.sent",
        "push.accepted",
        "push.confirmed",
        "push.failed",
        "push.not_applied",
        "push.resync",
        "stuck.retried",
    ),
    *("person.exported", "person.erased", "sessions.ended", "work.taken", "work.released"),
    *(f"access.{what}" for what in ("asked", "first_approved", "approved", "denied", "sent", "given", "failed", "lapsed")),
    *("access.end_wanted", "access.ended"),
    *("start_message.sent", "start_message.failed", "start_message.unknown"),
    *(f"repair.{repair.value}" for repair in Repair),
    *("repair.asked", "start_link.sent", "device.disabled", "journey.shown"),
    *(f"person.{what}" for what in ("name", "user_name", "mail", "account_enabled", "guest", "licensed", "in_scope")),
    *(f"{kind}.{what}" for kind in ("directory_device", "managed_device") for what in ("new", "gone", "back", "name", "platform")),
    *(f"directory_device.{what}" for what in ("object_id", "enabled", "owner_oid", "listed_oid", "compliant", "mark")),
    *(f"managed_device.{what}" for what in ("generation", "owner_user_name", "listed_oid")),
    *(f"managed_device.{what}" for what in ("word", "enrolled", "compromised", "failing")),
}
ACTORS = {"person", "worker", "browser", "helpdesk", "operator"}
DETAILS = {
    *("entrance", "platform", "connection", "record", "device", "state", "evidence", "because", "message", "compliant", "verdict"),
    *("reasons", "by", "shown", "journey", "for_journey", "old", "new", "directory_device", "managed_device", "link"),
    *("client_request_id", "request_id", "named", "how", "refused", "error", "log", "correlation_id"),
    *("fingerprint", "serial", "issuer", "ended", "hours", "until", "codes", "at", "way", "page", "mark", "foreign", "app"),
    *("trouble", "browser"),
}
IDS = {
    *("record", "device", "message", "journey", "for_journey", "directory_device", "managed_device", "link", "connection"),
    *("client_request_id", "request_id", "named", "correlation_id", "fingerprint", "serial", "codes", "app"),
}
PAGES = {*(step.value for step in Step), "relay"}
LEVELS = {level.name for level in Level}
ABOUT = {"directory_device", "managed_device", "link"}


@dataclass(frozen=True)
class Detail:
    """`known` where `label` keys our texts; `is_page` where the value is a page that people see, `is_trouble` where it is what
    they said is going on."""

    label: str
    known: bool
    value: str
    is_id: bool
    is_word: bool = False
    is_page: bool = False
    is_trouble: bool = False


@dataclass(frozen=True)
class Entry:
    at: datetime
    what: str
    known: bool
    actor: str  # `seen`, `themself`, or the kind of the actor
    actor_known: bool
    actor_id: str
    details: tuple[Detail, ...]


def entry(event: Event, oid: str) -> Entry:
    actor = event.actor
    themself = actor is not None and actor.kind == "person" and actor.id == oid
    kind = "seen" if actor is None else "themself" if themself else actor.kind
    return Entry(
        at=event.at,
        what=event.what,
        known=event.what in EVENTS,
        actor=kind,
        actor_known=kind in ACTORS | {"seen", "themself"},
        actor_id="" if actor is None or themself else actor.id,
        details=tuple(_details(event)),
    )


def _details(event: Event) -> Iterable[Detail]:
    kind, key = event.about
    if event.what == "journey.shown":
        page = str(event.detail.get("new"))
        yield Detail("page", True, shown(page), is_id=False, is_page=page in PAGES)
        return
    told = {**event.detail, **({kind: key} if kind in ABOUT else {})}
    for label, value in told.items():
        words = _words(value)
        if label == "evidence" and words in LEVELS:
            yield Detail(label, True, f"level_{words.lower()}", is_id=False, is_word=True)
        elif label == "trouble" and trouble_of(words) is not None:
            yield Detail(label, True, words, is_id=False, is_trouble=True)
        elif label == "because" and words in BECAUSE + REPAIRED_BECAUSE:
            yield Detail(label, True, f"because_{words}", is_id=False, is_word=True)
        elif words:
            is_id = label in IDS or label not in DETAILS
            yield Detail(label, label in DETAILS, words, is_id, isinstance(value, bool))


def _words(value: Any) -> str:
    """`failing` is a list of rules: their names say enough here."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    if isinstance(value, dict):
        return shown(str(value.get("name", "")))
    return shown(str(value), 120)
