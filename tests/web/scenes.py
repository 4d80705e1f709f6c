"""Journeys as real rows, brought by real store calls to each step that a page can show. Nothing here is a fake."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from remediation.domain.calls import FailedCall
from remediation.domain.compliance import Decision, MdmWord, Posture, Rule, Verdict
from remediation.domain.device import DirectoryDevice, LinkState, ManagedDevice, ManagedKey, Person, Platform
from remediation.domain.device_certificate import Attribute, CertificateSays
from remediation.domain.evidence import Level
from remediation.domain.journey import Journey
from remediation.domain.onboarding import Looked
from remediation.domain.push import Lane
from remediation.domain.sign_in_proof import Record, SignIn
from remediation.domain.standing import Standing
from remediation.domain.steps import LOOP
from remediation.domain.tenant_facts import QUOTA_LOOK
from remediation.ports import Actor, Store
from remediation.services import ask
from remediation.services.device_certificate import ask_for_certificate, came_back, certificate_shown
from remediation.services.prove_possession import prove, token_hash
from remediation.services.sign_in_again import signed_in_again
from remediation.services.start_journey import start_journey
from tests.people import HEALTHY, LINK, MANAGED_PHONE, MIA, REGISTERED_PHONE

WORKER = Actor("worker", "test")
NOAH = Person(oid="noah", name="Noah Lind", user_name="noah.lind@contoso.example")
BROWSER = "the-browser-of-mia"


class Scene:
    """One person's journey, moved on by the words of its methods."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        person: Person = MIA,
        browser: str = BROWSER,
        platform: Platform = Platform.IOS,
    ) -> None:
        self.store, self.clock, self.person, self.browser, self.platform = store, clock, person, browser, platform
        self.token = ""
        self.relay: timedelta | None = None
        self.id = start_journey(store, person, browser=browser, entrance="start", platform=platform, now=clock())

    def looked(
        self, *, directory_error: str | None = None, mdm_error: str | None = None, owner_problem: str | None = None
    ) -> Scene:
        journey = self.store.journey(self.id)
        assert journey is not None
        self.store.note_look(
            self.id,
            wake=journey.look.wake,
            at=self.clock(),
            next_at=None,
            attempts=0,
            directory_error=directory_error,
            mdm_error=mdm_error,
            owner_problem=owner_problem,
            refreshed=False,
            relay=self.relay,
            failed_calls=[
                FailedCall(remote, error, self.clock(), f"ours-of-{remote}", f"theirs-of-{remote}")
                for remote, error in (("directory", directory_error), ("mdm", mdm_error))
                if error is not None
            ],
        )
        return self

    def relayed(self, every: timedelta = timedelta(minutes=15)) -> Scene:
        """The MDM's maker tells Microsoft about this platform."""
        self.relay = every
        return self

    def stands(self, **standing: bool | None) -> Scene:
        everything = {"account_enabled": True, "guest": False, "licensed": True, "in_scope": None, **standing}
        self.store.observe_person(self.person, Standing(read_at=self.clock(), **everything), at=self.clock())
        return self

    def has_phones(self, *phones: ManagedDevice) -> Scene:
        self.store.observe_managed("ws1", self.person.oid, phones, at=self.clock())
        return self

    def registered(self, *devices: DirectoryDevice) -> Scene:
        self.store.observe_directory(self.person.oid, devices, at=self.clock())
        return self

    def may_have(self, most: int | None) -> Scene:
        """So many devices, as a worker read of the tenant."""
        with self.store.change(WORKER, "set_up.looked", about=("look", QUOTA_LOOK), at=self.clock()) as change:
            change.looked_at(Looked(QUOTA_LOOK, looked_at=self.clock(), detail={"most": most}))
        return self

    def message_wanted(self) -> Scene:
        ask.in_my_hand(self.store, self.id, self.phone().key, oid=self.person.oid, now=self.clock())
        return self

    def message_sent(self) -> Scene:
        """One wish sends one message, so whoever was here before wishes anew."""
        self.message_wanted()
        with self.store.change(WORKER, "possession.wanted", about=("journey", self.id), at=self.clock()) as change:
            change.want_possession(self.id, self.phone().key)
        self.token = secrets.token_urlsafe(32)
        with self.store.change(WORKER, "possession.sent", about=("journey", self.id), at=self.clock()) as change:
            until = self.clock() + timedelta(minutes=10)
            link = change.mint_possession_link(self.id, token_hash=token_hash(self.token), expires_at=until)
            change.possession_link_sent(link)
        return self

    def proven(self) -> Scene:
        self.message_sent()
        prove(self.store, self.token, oid=self.person.oid, browser=self.browser, now=self.clock())
        return self

    def linked(self) -> Scene:
        self.proven()
        link = replace(LINK, oid=self.person.oid, platform=self.platform, made_at=self.clock(), managed=self.phone().key)
        with self.store.change(WORKER, "link.made", about=("link", link.id), at=self.clock()) as change:
            change.make_link(link)
        return self

    def pending(self) -> Scene:
        """As the worker makes a link where the tenant asks for a device that Entra itself names."""
        self.proven()
        link = replace(LINK, oid=self.person.oid, platform=self.platform, made_at=self.clock(), managed=self.phone().key)
        link = replace(link, state=LinkState.PENDING, minimum=Level.BOUND)
        with self.store.change(WORKER, "link.made", about=("link", link.id), at=self.clock()) as change:
            change.make_link(link)
        return self

    def signed_in_again(self, **came_back: str | None) -> Scene:
        pair = self.journey().sign_in_asked
        assert pair is not None
        now = self.clock()
        sign_in = SignIn(secrets.token_hex(8), pair, "app", secrets.token_hex(8), now, now, **came_back)  # type: ignore[arg-type]
        signed_in_again(self.store, self.id, sign_in, oid=self.person.oid, browser=self.browser, now=now)
        return self

    def bound(self) -> Scene:
        """As the worker makes a link where the tenant asks for a certificate, and Entra's claim named the device."""
        self.proven()
        link = replace(LINK, oid=self.person.oid, platform=self.platform, made_at=self.clock(), managed=self.phone().key)
        pending = replace(link, state=LinkState.PENDING, minimum=Level.CERTIFICATE)
        with self.store.change(WORKER, "link.made", about=("link", link.id), at=self.clock()) as change:
            change.make_link(pending)
        self.signed_in_again(claimed=link.device_id)
        with self.store.change(WORKER, "link.ended", about=("link", link.id), at=self.clock()) as change:
            change.end_link(link.id, "evidence_changed")
        again = replace(pending, id="l2", evidence=replace(link.evidence, level=Level.BOUND))
        with self.store.change(WORKER, "link.made", about=("link", again.id), at=self.clock()) as change:
            change.make_link(again)
        return self

    def certificate_shown(self) -> Scene:
        journey = self.journey()
        pair = journey.certificate_asked
        assert pair is not None
        handle = ask_for_certificate(self.store, journey, pair, browser=self.browser, now=self.clock())
        says = CertificateSays(Attribute.SERIAL, "F2LXK0ABCD12", "ab" * 32, "1f", "CN=MDM")
        back = certificate_shown(self.store, handle, journey.id, "a certificate", says, now=self.clock())
        came_back(self.store, back, oid=self.person.oid, browser=self.browser, now=self.clock())
        return self

    def recorded(self, record: Record, named: str | None = None) -> Scene:
        [*_, last] = self.journey().sign_ins
        with self.store.change(WORKER, "sign_in.recorded", about=("journey", self.id), at=self.clock()) as change:
            change.sign_in_recorded(replace(last, record=record, recorded=named))
        return self

    def link_refused(self) -> Scene:
        with self.store.change(WORKER, "link.ended", about=("link", LINK.id), at=self.clock()) as change:
            change.end_link(LINK.id, "named_another")
        return self

    def desired(self) -> Scene:
        self.linked()
        decision = Decision(Verdict.COMPLIANT, (), self.clock() + timedelta(hours=72))
        with self.store.change(WORKER, "push.desired", about=("link", LINK.id), at=self.clock()) as change:
            change.desire(LINK.id, seq=0, decision=decision, posture_read_at=self.clock(), lane=Lane.PERSON)
        return self

    def accepted(self) -> Scene:
        self.desired()
        with self.store.change(WORKER, "push.sent", about=("link", LINK.id), at=self.clock()) as change:
            change.about_to_send(LINK.id, seq=1, message_id=secrets.token_hex(16), update_time=self.clock(), seen_before=None)
            change.sent(LINK.id, seq=1)
            change.accepted(LINK.id, seq=1)
        return self

    def opened(self, by: str = "changed") -> Scene:
        self.accepted()
        with self.store.change(WORKER, "push.confirmed", about=("link", LINK.id), at=self.clock()) as change:
            change.confirmed(LINK.id, seq=1, by=by)
        push = self.store.push(LINK.id)
        assert push is not None
        self.store.note_push(
            LINK.id, wake=push.wake, seq=1, next_at=None, attempts=0, reason=None, observed=True, observed_at=self.clock()
        )
        return self

    def registered_anew(self) -> Scene:
        """Beside the entry that is linked, which stayed behind."""
        return self.registered(REGISTERED_PHONE, replace(SECOND_REGISTERED, registered_at=self.clock()))

    def waits_for(self, reason: str) -> Scene:
        push = self.store.push(LINK.id)
        assert push is not None
        self.store.note_push(LINK.id, wake=push.wake, seq=push.desired_seq, next_at=None, attempts=0, reason=reason)
        return self

    def picked(self, device_id: str) -> Scene:
        ask.pick(self.store, self.id, device_id, oid=self.person.oid, now=self.clock())
        return self

    def checked_again(self) -> Scene:
        ask.check_again(self.store, self.id, oid=self.person.oid, now=self.clock())
        return self

    def tried(self, *tries: str) -> Scene:
        with self.store.change(
            Actor("person", MIA.oid), "journey.check_again", about=("journey", self.id), at=self.clock()
        ) as change:
            change.tried(self.id, tries)
        return self

    def still_blocked(self) -> Scene:
        ask.still_blocked(self.store, self.id, oid=self.person.oid, now=self.clock())
        return self

    def needs_help(self, why: str) -> Scene:
        with self.store.change(WORKER, "journey.needs_help", about=("journey", self.id), at=self.clock()) as change:
            change.need_help(self.id, why)
        return self

    def journey(self) -> Journey:
        journey = self.store.journey(self.id)
        assert journey is not None
        return journey

    def phone(self) -> ManagedDevice:
        return self.journey().managed[0]


FAILING = Posture(
    word=MdmWord.NOT_COMPLIANT,
    enrolled=True,
    compromised=False,
    failing=(
        Rule("Passcode required", "The device has no passcode", "passcode"),
        Rule("Contoso rule 12", "The radio must be off in the lab", None),
        Rule("Lab radio", "", None, (("de", "Schalten Sie das Funkgerät aus."), ("en", "Turn the radio off."))),
    ),
    last_seen=HEALTHY.last_seen,
    read_at=HEALTHY.read_at,
)
FAILING_PHONE = replace(MANAGED_PHONE, posture=FAILING)
SECOND_PHONE = replace(
    MANAGED_PHONE,
    key=replace(MANAGED_PHONE.key, record_id="2001"),
    name="A phone with a name of forty letters, all",
    model="iPhone SE (3rd generation)",
    serial="SECOND",
)
SECOND_REGISTERED = replace(REGISTERED_PHONE, device_id="d2", object_id="o2", name="Another iPhone")

KNOWN_TO_MDM = replace(REGISTERED_PHONE, managed=True, compliant=False)


def stage(name: str, begun: Scene) -> Scene:
    """The scene of this name. Every step of `domain.steps.Step` has one at least."""
    one, both = begun.has_phones, (MANAGED_PHONE, SECOND_PHONE)
    if name == "looking":
        return begun
    if name == "looking_slow":
        return begun.looked(mdm_error="unreachable")
    if name == "enroll":
        return begun.has_phones().registered().looked()
    if name == "register":
        return one(MANAGED_PHONE).registered().looked().proven().looked()
    if name in ("register_in_vain", "register_too_often"):
        return stage("register", begun).tried(*["register"] * (LOOP if name == "register_in_vain" else 2 * LOOP))
    if name == "register_relayed":
        return one(MANAGED_PHONE).registered().relayed().looked().proven().looked()
    if name == "register_switched_off":
        return one(MANAGED_PHONE).registered(replace(REGISTERED_PHONE, enabled=False)).looked().proven().looked()
    if name == "choose":
        return one(MANAGED_PHONE).registered(REGISTERED_PHONE, SECOND_REGISTERED).looked().proven().looked()
    if name == "register_again":
        return stage("choose", begun).picked("d2")
    if name == "register_in_doubt":
        return one(*both).registered(REGISTERED_PHONE).looked().proven().looked()
    if name == "not_for_you":
        return one(MANAGED_PHONE).registered().stands(licensed=False).looked()
    if name == "help_possession_off":
        return one(replace(MANAGED_PHONE, key=ManagedKey("ws2", "7"))).registered().looked()
    if name == "help_shared":
        return one(MANAGED_PHONE).registered().looked(owner_problem="shared_user")
    ready = one(*(both if name == "this_device_two" else (FAILING_PHONE,) if name == "fix" else (MANAGED_PHONE,)))
    ready.registered(REGISTERED_PHONE).looked()
    further: dict[str, Callable[[], Scene]] = {
        "this_device": lambda: ready,
        "this_device_two": lambda: ready,
        "this_device_sending": ready.message_wanted,
        "this_device_sent": ready.message_sent,
        "sign_in": ready.pending,
        "sign_in_waiting": lambda: ready.pending().signed_in_again().looked(),
        "sign_in_unnamed": lambda: ready.pending().signed_in_again().recorded(Record.GIVEN_UP).looked(),
        "sign_in_failed": lambda: ready.pending().signed_in_again(error="AADSTS50097").looked(),
        "help_named_another": lambda: ready.pending().signed_in_again(claimed="d9").link_refused().looked(),
        "certificate": lambda: ready.bound().looked(),
        "certificate_shown": lambda: ready.bound().certificate_shown().looked(),
        "help_certificate_another": lambda: ready.bound().certificate_shown().needs_help("certificate_another"),
        "fix": lambda: ready.linked().looked(),
        "wait_linking": ready.proven,
        "wait": lambda: ready.accepted().looked(directory_error="unreachable"),
        "in_app": lambda: ready.relayed().desired().looked(),
        "in_app_missed": lambda: ready.relayed().desired().looked().checked_again().relayed(timedelta()).looked(),
        "wait_relayed": lambda: ready.registered(KNOWN_TO_MDM).relayed().desired().looked(),
        "open": lambda: ready.opened().looked(),
        "open_still_blocked": lambda: ready.opened().looked().still_blocked().looked(),
        "help_loop": lambda: ready.opened().looked().still_blocked().still_blocked().looked(),
        "this_device_anew": lambda: ready.opened().looked().registered_anew().still_blocked().looked(),
        "wait_old_link_first": lambda: ready.desired().waits_for("old_link_first").looked(),
        "help": lambda: ready.proven().needs_help("conflict"),
    }
    return further[name]()


SCENES = (
    "looking",
    "looking_slow",
    "enroll",
    "register",
    "register_in_vain",
    "register_too_often",
    "register_relayed",
    "register_switched_off",
    "register_again",
    "register_in_doubt",
    "choose",
    "not_for_you",
    "this_device",
    "this_device_two",
    "this_device_sending",
    "this_device_sent",
    "this_device_anew",
    "fix",
    "wait_linking",
    "wait_old_link_first",
    "wait",
    "in_app",
    "in_app_missed",
    "wait_relayed",
    "open",
    "open_still_blocked",
    "sign_in",
    "sign_in_waiting",
    "sign_in_unnamed",
    "sign_in_failed",
    "certificate",
    "certificate_shown",
    "help_certificate_another",
    "help",
    "help_named_another",
    "help_shared",
    "help_possession_off",
    "help_loop",
)


def of(platform: Platform, scene: str, begun: Scene) -> Scene:
    """`enroll`, `register` or `fix` on another kind of device."""
    managed = replace(MANAGED_PHONE, platform=platform, model=None)
    if scene == "enroll":
        return begun.has_phones().registered().looked()
    if scene == "register":
        return begun.has_phones(managed).registered().looked().proven().looked()
    begun.has_phones(replace(managed, posture=ALL_FAILING)).registered(replace(REGISTERED_PHONE, platform=platform)).looked()
    return begun.linked().looked()


ALL_FAILING = replace(
    FAILING, failing=tuple(Rule(f"Rule {advice}", "", advice) for advice in ("passcode", "encryption", "jailbreak"))
)
