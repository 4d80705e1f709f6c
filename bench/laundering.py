"""Who can have a phone called compliant? Every attempt of the matrix is played against the product and compared with a
specification that knows nothing of it (`bench/stage/specification.py`).

An attempt is an actor, what the directory holds of them, what the MDM says, the evidence, and the tenant's minimum. The product's
services play it with real adapters and store against the stand-in: sign in, say *this is my phone*, receive the message, press, and
be looked at for a minute. What counts is what Entra shows in the end. `disagreements` are attempts that were decided otherwise than
specified, `laundered` those of them in which a device became compliant that must not.

`--break age` has a directory in which every device was registered just now; `--break generation` an MDM whose record never tells
that it was enrolled anew. `laundered` must count.
"""

import itertools
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from bench.stage.company import Company
from bench.stage.in_process import Unheard, world_of
from bench.stage.specification import Actor, Case, Directory, Evidence, Mdm, Minimum, opens
from remediation.domain.device import DirectoryDevice, LinkState, ManagedDevice, ManagedKey, Platform
from remediation.domain.evidence import Level
from remediation.domain.journey import POSSESSION_LINK_LASTS
from remediation.errors import PossessionRefused
from remediation.services import ask, prove_possession
from remediation.services.look import look
from remediation.services.push_compliance import bring_to_rest
from remediation.services.start_journey import start_journey
from remediation.services.world import World
from remediation.store.store import SqlStore
from sandbox import crowd
from sandbox.enrollment import enroll
from sandbox.platforms import IPHONE
from sandbox.things import DirectoryDevice as Registered
from sandbox.things import Phone

if TYPE_CHECKING:
    from bench.__main__ import Options

AT_ONE_COMPANY = 300  # attempts; each leaves people and devices behind, among which the stand-in looks for the next one's
OWN_BROWSER, OTHER_BROWSER = "b" * 32, "c" * 32


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    cases = sample(120, random.Random(options.seed)) if options.quick else matrix()
    return play(cases, options.db, options.seed, options.broken, say)


def matrix() -> list[Case]:
    kinds = (Actor, Directory, Mdm, Evidence, Minimum)
    return [Case(*chosen) for chosen in itertools.product(*(get_args(kind) for kind in kinds))]


def play(cases: Sequence[Case], db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    begun, told = time.monotonic(), time.monotonic()
    otherwise: list[tuple[Case, bool]] = []
    for first in range(0, len(cases), AT_ONE_COMPANY):
        with Company(db, 0, seed, sockets=False, lag=0) as company:
            company.world.lags.registration_lag = company.world.lags.enrollment_lag = 0
            tenant = _Tenant(company, broken)
            for number, case in enumerate(cases[first : first + AT_ONE_COMPANY], first + 1):
                opened = tenant.plays(case)
                if opened is not opens(case):
                    otherwise.append((case, opened))
                if time.monotonic() - told > 10:
                    told = time.monotonic()
                    say(f"  {number} of {len(cases)}; {len(otherwise)} otherwise than specified")
    for case, opened in otherwise[:10]:
        say(f"  {'opened' if opened else 'stayed closed'}: {case}")
    return {
        "decided": len(cases),
        "open": sum(opens(case) for case in cases),
        "disagreements": len(otherwise),
        "laundered": sum(opened for _, opened in otherwise),
        "seconds": round(time.monotonic() - begun),
    }


def sample(size: int, chance: random.Random) -> Sequence[Case]:
    """Of those that open, of those that one single thing keeps from it, and of all others."""
    cases = matrix()
    good = [case for case in cases if opens(case)]
    near = [case for case in cases if not opens(case) and any(_differ(case, other) == 1 for other in good)]
    far = [case for case in cases if not opens(case) and case not in set(near)]
    shares = ((good, size // 4), (near, size // 2), (far, size // 4))
    return [case for kind, share in shares for case in chance.sample(kind, min(len(kind), share))]


def _differ(one: Case, other: Case) -> int:
    return sum(a != b for a, b in zip(astuple(one), astuple(other), strict=True))


class _Tenant:
    """One for all cases; each has people and phones of its own."""

    def __init__(self, company: Company, broken: str | None) -> None:
        self.world, self.company = company.world, company
        store = SqlStore(company.engine, company.world.tenant_id, Unheard())
        self.services = replace(world_of(company, store), possession_url=lambda token: f"https://x/possession/{token}")
        if broken == "age":
            self.services = replace(self.services, directory=_Ageless(self.services))
        if broken == "generation":
            self.services = replace(self.services, managers={n: _Forgetful(m) for n, m in self.services.managers.items()})

    def plays(self, case: Case) -> bool:
        minimum = Level.POSSESSION if case.minimum == "possession" else Level.CERTIFICATE
        return _Attempt(self, replace(self.services, minimum=minimum), case).ends_open()


@dataclass
class _Attempt:
    tenant: _Tenant
    services: World
    case: Case

    def __post_init__(self) -> None:
        self.world = self.tenant.world
        [self.owner, self.other] = crowd.gather(self.world, 2, compliant=False)
        for member in (self.owner, self.other):
            self.world.devices.pop(member.device.object_id)
            member.phone.device_id = None
        self.devices: list[Registered] = []

    def ends_open(self) -> bool:
        self._before()
        journey, token = self._asks(self._holder.person.oid, self._holder.record.id)
        self._registers()
        if token is not None:
            self._presses(journey, token)
        self._meanwhile()
        for seconds in (0, 5, 20, 40):
            self.world.advance(seconds)
            self._looked_at(journey)
        return any(device.is_compliant is True for device in self.devices)

    @property
    def _holder(self) -> crowd.Member:
        """Whose journey asks for the message, and whose phone it comes to."""
        return self.other if self.case.actor == "lured" else self.owner

    # the two sides

    def _before(self) -> None:
        """What the directory and the MDM hold when the attempt begins."""
        day, enrolled = timedelta(days=1), self.owner.record.enrolled_on
        before = {
            "after": [], "none": [], "only": [enrolled], "old": [enrolled - 200 * day], "two": [enrolled, enrolled + day],
            "two_and_after": [enrolled, enrolled + day],
        }  # fmt: skip
        for at in before.get(self.case.directory, [enrolled]):
            self._register(at)
        device = self.devices[0] if self.devices else None
        if device is not None and self.case.directory == "newer":
            device.os_version = "99.0"
        if device is not None and self.case.directory == "disabled":
            device.enabled = False
        if device is not None and self.case.directory == "other_model":
            device.model = "iPad14,1"
        if self.case.mdm == "second_record":
            second = Phone(f"{self.owner.phone.key}-2", "Second", self.owner.person.oid, IPHONE.model, IPHONE.os_version)
            self.world.phones[second.key] = second
            enroll(self.world, second)

    def _register(self, at: Any) -> None:
        phone = self.owner.phone
        device = Registered(
            object_id=self.world.new_id(),
            device_id=self.world.new_id(),
            name=phone.name,
            os=IPHONE.os,
            os_version=phone.os_version,
            owner_oid=self.owner.person.oid,
            registered_at=at,
            listed_at=at,
        )
        self.world.devices[device.object_id] = device
        self.devices.append(device)

    def _registers(self) -> None:
        if self.case.directory in ("after", "two_and_after"):
            self.world.advance(2)  # the directory keeps whole seconds
            self._register(self.world.now())

    def _meanwhile(self) -> None:
        """What becomes of the record between the proof and the look, when only a fresh read can tell."""
        record, now = self.owner.record, self.world.now()
        if self.case.directory == "not_theirs":
            for device in self.devices:
                device.owner_oid = self.other.person.oid
        if self.case.mdm == "failing":
            record.reported.passcode = False
        elif self.case.mdm == "jailbroken":
            record.reported.jailbroken = True
        elif self.case.mdm == "silent":
            record.last_seen = record.last_compliance_check = now - timedelta(days=20)
        elif self.case.mdm == "unclear":
            record.compliance_override = "Unknown"
        elif self.case.mdm == "unenrolled":
            record.enrollment_status = "Unenrolled"
        elif self.case.mdm == "enrolled_anew":
            record.enrolled_on = record.last_seen = now
        elif self.case.mdm == "gone":
            del self.world.records[record.id]

    # the person, or whoever poses as them

    def _asks(self, oid: str, record: int) -> tuple[str, str | None]:
        """The journey, and the token of the message that came to the phone."""
        store = self.services.store
        asks_for = self.other.record.id if self.case.actor == "swaps" else record
        journey = self._begins(oid)
        key = next((d.key for d in self._managed(journey) if d.key.record_id == str(asks_for)), None)
        if key is None:
            return journey, None  # a record that is not theirs is not among those that they may name
        ask.in_my_hand(store, journey, key, oid=oid, now=self.services.clock())
        look(journey, world=self.services)
        return journey, self._holder.phone.messages[-1].body.rpartition("/possession/")[2][:43]

    def _begins(self, oid: str, browser: str = OWN_BROWSER) -> str:
        """By signing in; the same journey, where one is under way."""
        store, person, now = self.services.store, self.services.directory.person(oid), self.services.clock()
        journey = start_journey(store, person, browser=browser, entrance="enrollment", platform=Platform.IOS, now=now)
        look(journey, world=self.services)
        return journey

    def _managed(self, journey: str) -> Sequence[ManagedDevice]:
        found = self.services.store.journey(journey)
        return found.managed if found is not None else ()

    def _presses(self, journey: str, token: str) -> None:
        case, now = self.case, self.services.clock
        whose = {"colleague": self.other, "lured": self.owner}.get(case.actor, self.owner).person.oid
        asked_for = self._holder.person.oid
        browser = OTHER_BROWSER if case.actor == "forwards" else OWN_BROWSER
        store = self.services.store
        prove_possession.see_link(store, token, now())  # a scanner, a preview, or the page itself
        if case.evidence == "late":
            self.world.advance(POSSESSION_LINK_LASTS.total_seconds() + 1)
            self._seen_lately()
        if case.evidence == "revoked":
            prove_possession.not_me(store, token, oid=asked_for, browser=OWN_BROWSER, now=now())
        if case.evidence == "used_before":
            self._proves(token, oid=asked_for, browser=OWN_BROWSER)
            wiped = self._holder.record  # since then, so that only a replay is left
            wiped.enrolled_on = wiped.last_seen = self.world.now()
        if case.evidence == "opened_only" or case.actor == "thief":
            return
        if case.actor in ("colleague", "lured", "forwards"):
            self._begins(whose, browser)
        self._proves(token, oid=whose, browser=browser)

    def _proves(self, token: str, *, oid: str, browser: str) -> None:
        with suppress(PossessionRefused):
            prove_possession.prove(self.services.store, token, oid=oid, browser=browser, now=self.services.clock())

    def _seen_lately(self) -> None:
        for record in (self.owner.record, self.other.record):
            record.last_seen = record.last_compliance_check = self.world.now()

    # the worker

    def _looked_at(self, journey: str) -> None:
        look(journey, world=self.services)
        for device in self.devices:
            for link in self.services.store.living_links(self._key(), device.device_id):
                if link.state is LinkState.ACTIVE:
                    bring_to_rest(link.id, world=self.services)

    def _key(self) -> ManagedKey:
        return ManagedKey("ws1", str(self.owner.record.id))


class _Ageless:
    """A directory in which every device was registered just now."""

    def __init__(self, services: World) -> None:
        self._true, self._now = services.directory, services.clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._true, name)

    def devices_of(self, oid: str) -> Sequence[DirectoryDevice]:
        return [replace(device, registered_at=self._now()) for device in self._true.devices_of(oid)]

    def device(self, device_id: str, *, owner: bool = True) -> DirectoryDevice:
        return replace(self._true.device(device_id, owner=owner), registered_at=self._now())


class _Forgetful:
    """An MDM whose record is of the same enrollment for ever."""

    def __init__(self, true: Any) -> None:
        self._true = true

    def __getattr__(self, name: str) -> Any:
        return getattr(self._true, name)

    def device(self, record_id: str) -> ManagedDevice:
        device: ManagedDevice = self._true.device(record_id)
        return replace(device, generation="the first")

    def devices_of(self, person: Any) -> Any:
        owned = self._true.devices_of(person)
        return replace(owned, devices=tuple(replace(device, generation="the first") for device in owned.devices))
