"""What the pretend phone and its story page show, read from the world in one look: plain values, no markup.

Next door: `phone` has the pages, `phone_story` the sentence over them, `policy` decides whether Outlook opens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.phone_story import AGENTS, Now, what_happens_now
from sandbox.platforms import DeviceKind
from sandbox.scenarios import SCENARIOS
from sandbox.troubles import Trouble, trouble_of
from sandbox.world import DirectoryDevice, ManagedRecord, Phone, PhoneMessage, World

if TYPE_CHECKING:
    from sandbox.server import Sandbox

LAGS = {
    "registration_lag": "A new registration is listed",
    "enrollment_lag": "A new enrollment is listed",
    "check_in_lag": "The phone reports after being asked",
    "processing_lag": "Intune completes a message",
    "compliance_lag": "Entra shows the new state",
    "sign_in_lag": "A sign-in is in Entra's log",
}
MDMS = {"workspace_one": "Workspace ONE", "maas360": "IBM MaaS360", "fleet": "Fleet"}
ROLES = {"Helpdesk.Read": "helpdesk", "Helpdesk.Act": "may make changes", "Helpdesk.Lead": "leads", "Admin": "administrator"}
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


@dataclass(frozen=True)
class Piece:
    text: str
    link: bool


@dataclass(frozen=True)
class Message:
    id: str
    at: str
    pieces: list[Piece]

    @property
    def links(self) -> list[str]:
        return [piece.text for piece in self.pieces if piece.link]

    @property
    def words(self) -> str:
        """For the banner, which has the link as a button of its own."""
        return "".join("…" if piece.link else piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Side:
    name: str
    word: str
    tone: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True)
class Switch:
    key: str
    label: str
    on: bool


@dataclass(frozen=True)
class Scene:
    time: str
    date: str
    phone_name: str
    kind: DeviceKind
    agent: str
    hands: list[dict[str, Any]]
    address: str
    now: Now
    outlook: dict[str, Any] | None
    opened_at: str
    details: list[tuple[str, str]]
    messages: list[Message]
    registration: dict[str, str] | None
    record: dict[str, Any] | None
    relay: dict[str, str] | None
    sides: list[Side]
    switches: list[Switch]
    trouble: Trouble | None
    scenarios: dict[str, list[dict[str, Any]]]
    people: list[dict[str, str]]
    product: str
    lags: list[dict[str, Any]]
    faults: list[str]


def local(at: datetime, form: str = "%H:%M:%S") -> str:
    """In the machine's own time zone: the status bar shows the real time."""
    return at.astimezone().strftime(form)


def _when(world: World, at: datetime) -> str:
    return local(at) if world.now() - at < timedelta(hours=20) else local(at, "%-d %B %Y")


def look(sandbox: Sandbox) -> Scene:
    sandbox.faults.settle()
    with sandbox.world.settled() as world:
        phone = world.in_hand
        person = world.persons[phone.person_oid]
        record = world.records.get(phone.record_id or -1)
        device = world.device_by_device_id(phone.device_id) if phone.device_id else None
        now = world.now()
        return Scene(
            time=local(now, "%H:%M"),
            date=local(now, "%A, %-d %B"),
            phone_name=phone.name,
            kind=phone.kind,
            agent=AGENTS[phone.vendor],
            hands=_hands(world, phone),
            address=person.upn,
            now=what_happens_now(world, phone, record, device),
            outlook=phone.outlook,
            opened_at=local(datetime.fromisoformat(phone.outlook["at"]), "%H:%M") if phone.outlook else "",
            details=_details(phone.outlook),
            messages=[_message(message) for message in reversed(phone.messages)],
            registration=_registration(world, device),
            record=_record(record),
            relay=_relay(world, phone, record),
            sides=[_phone_side(phone), _mdm_side(world, phone, record), _entra_side(world, device)],
            switches=[
                Switch("passcode", "Passcode", phone.health.passcode),
                Switch("encrypted", "Encrypted", phone.health.encrypted),
                Switch("jailbroken", phone.kind.broken, phone.health.jailbroken),
            ],
            trouble=trouble_of(phone),
            scenarios=_scenarios(world),
            people=_people(world),
            product=sandbox.config.product_origin,
            lags=[{"name": name, "label": label, "seconds": f"{getattr(world.lags, name):g}"} for name, label in LAGS.items()],
            faults=[f"{fault.service.replace('_', ' ')}: {fault.kind.replace('_', ' ')}" for fault in sandbox.faults.active],
        )


def _details(shown: dict[str, Any] | None) -> list[tuple[str, str]]:
    if shown is None:
        return []
    return [
        ("Error code", str(shown["code"] or "none")),
        ("Request id", shown["request_id"]),
        ("Correlation id", shown["correlation_id"]),
        ("Time", shown["at"]),
        ("App name", shown["app"]),
        ("App id", shown["app_id"]),
        ("Device identifier", shown["device_identifier"]),
        ("Device platform", shown["device_platform"]),
        ("Device state", shown["device_state"]),
    ]


def _message(message: PhoneMessage) -> Message:
    pieces, end = [], 0
    for found in _LINK.finditer(message.body):
        if found.start() > end:
            pieces.append(Piece(message.body[end : found.start()], False))
        pieces.append(Piece(found[0], True))
        end = found.end()
    if end < len(message.body):
        pieces.append(Piece(message.body[end:], False))
    return Message(message.id, local(message.at, "%H:%M"), pieces)


def _registration(world: World, device: DirectoryDevice | None) -> dict[str, str] | None:
    if device is None:
        return None
    sentence = (
        "Microsoft Entra knows it now." if world.visible(device) else f"Microsoft Entra will show it at {local(device.listed_at)}."
    )
    return {
        "sentence": sentence,
        "at": local(device.registered_at, "%-d %B %Y, %H:%M"),
        "name": device.name,
        "device_id": device.device_id,
    }


def _record(record: ManagedRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    failing = [f"{policy.name}: {policy.detail}" for policy in record.failing]
    word, tone = ("Not compliant", "warn") if record.compliance_status != "Compliant" else ("Compliant", "ok")
    return {"status": word, "tone": tone, "failing": failing, "last_seen": local(record.last_seen)}


def _relay(world: World, phone: Phone, record: ManagedRecord | None) -> dict[str, str] | None:
    """Where the maker of this MDM tells Microsoft: whether its app knows of the registration, and when it tells next."""
    if record is None or phone.vendor not in world.turns:
        return None
    words = {"workspace_one": "Register with Microsoft", "maas360": "Configure Microsoft Authenticator"}[phone.vendor]
    begun = record.agent_device_id is not None and record.agent_device_id == phone.device_id
    return {"words": words, "begun": "yes" if begun else "", "next": local(world.turns[phone.vendor])}


def _phone_side(phone: Phone) -> Side:
    wrong = [
        words
        for words, is_wrong in (
            ("no passcode", not phone.health.passcode),
            ("not encrypted", not phone.health.encrypted),
            (phone.kind.broken.lower(), phone.health.jailbroken),
        )
        if is_wrong
    ]
    facts = [("Its browser says", "Macintosh")] if phone.kind.key == "ipad" else []
    return Side(f"The {phone.kind.noun} itself", ", ".join(wrong).capitalize() or "In order", "warn" if wrong else "ok", facts)


def _mdm_side(world: World, phone: Phone, record: ManagedRecord | None) -> Side:
    if record is None:
        return Side(MDMS[phone.vendor], "Not managed", "quiet", [])
    word, tone = ("Not compliant", "warn") if record.compliance_status != "Compliant" else ("Compliant", "ok")
    rules = ", ".join(policy.name for policy in record.failing) or f"all {len(record.policies)} met"
    link = next(iter(record.custom_attributes.values()), "none yet")
    facts = [("Heard at", _when(world, record.last_seen)), ("Rules", rules), ("Link noted", link)]
    if twins := sum(other.serial == record.serial for other in world.records.values()) - 1:
        facts.append(("Same serial", f"{twins} older record"))
    return Side(MDMS[record.vendor], word, tone, facts)


def _entra_side(world: World, device: DirectoryDevice | None) -> Side:
    name = "Microsoft Entra"
    if device is None:
        return Side(name, "Not registered", "quiet", [("Device", "none")])
    spoken, listed = {True: "yes", False: "no", None: "not said"}, world.visible(device)
    facts = [
        ("Registered", _when(world, device.registered_at)) if listed else ("Visible at", local(device.listed_at)),
        ("Managed", spoken[device.is_managed]),
        ("Compliant", spoken[device.is_compliant]),
    ]
    owner = world.persons.get(device.owner_oid)
    if device.registered_users and owner is not None:
        facts.insert(1, ("Owner", owner.name))
    if not device.enabled:
        return Side(name, "Disabled", "bad", facts)
    if device.is_compliant is None:
        return Side(name, "No verdict yet", "quiet", facts)
    return Side(name, "Compliant", "ok", facts) if device.is_compliant else Side(name, "Not compliant", "warn", facts)


def _hands(world: World, phone: Phone) -> list[dict[str, Any]]:
    """The devices of this person that can be taken in the hand, where there is more than one."""
    own = [other for other in world.phones.values() if other.person_oid == phone.person_oid]
    return [{"key": p.key, "name": p.name, "model": p.model, "held": p is phone} for p in own] if len(own) > 1 else []


def _scenarios(world: World) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, story in SCENARIOS.items():
        told = {"name": name, "title": story.title, "line": story.line, "current": name == world.scenario}
        groups.setdefault(story.group, []).append(told)
    return groups


def _people(world: World) -> list[dict[str, str]]:
    people = []
    for person in world.persons.values():
        if not person.tenant_id:
            continue  # known to the MDM alone: nobody can sign in as such
        what = ", ".join(ROLES.get(role, role) for role in person.roles)
        phones = [phone.name for phone in world.phones.values() if phone.person_oid == person.oid]
        other = "" if person.tenant_id == world.tenant_id else "another company"
        people.append(
            {"name": person.name, "what": what or other or ", ".join(phones), "upn": person.upn, "password": person.password}
        )
    return people
