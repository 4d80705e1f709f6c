"""A journey at each step, of a person whom nobody knows, on each platform: what an administrator previews the pages with.

Nothing of it is stored or looked up: the facts are made so that `steps.next_step` itself leads to the step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .compliance import MdmWord, Posture, Rule, Verdict
from .device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, ManagedKey, Person, Platform
from .evidence import Evidence, Level
from .journey import POSSESSION_LINK_LASTS, Journey, Look, Possession
from .push import Push
from .sign_in_proof import SignIn, pair_of_link
from .standing import Standing
from .steps import Step

MODELS: Mapping[Platform, tuple[str, str]] = {
    Platform.IOS: ("iPhone 15", "18.1"),
    Platform.ANDROID: ("Pixel 8", "15"),
    Platform.MACOS: ("MacBook Air", "15.1"),
    Platform.WINDOWS: ("Surface Laptop", "10.0.26100"),
}
PLATFORMS = tuple(MODELS)
CONNECTION, CASE_CODE = "preview", "ABC-234"


@dataclass(frozen=True)
class _Scene:
    """Somebody called `name`, on a device of this platform, now."""

    platform: Platform
    now: datetime
    name: str

    def ago(self, minutes: float) -> datetime:
        return self.now - timedelta(minutes=minutes)

    @property
    def begun(self) -> Journey:
        person = Person("preview", self.name, "alex.sample@example.com")
        return Journey("preview", CASE_CODE, person, self.platform, self.ago(12), self.now + timedelta(hours=24))

    @property
    def looked(self) -> Journey:
        """Both sides answered, and know nothing of any device."""
        at = self.ago(0.5)
        look = Look(wanted_at=at, done_at=at, directory_read_at=at, mdm_read_at=at)
        standing = Standing(account_enabled=True, guest=False, licensed=True, in_scope=None, read_at=at)
        return replace(self.begun, look=look, standing=standing)

    def phone(self, *failing: Rule) -> ManagedDevice:
        model, version = MODELS[self.platform]
        word = MdmWord.NOT_COMPLIANT if failing else MdmWord.COMPLIANT
        posture = Posture(word, True, False, failing, last_seen=self.ago(2), read_at=self.ago(0.5))
        key, name = ManagedKey(CONNECTION, "1"), f"{self.name} {model}"
        return ManagedDevice(key, "g1", name, self.platform, model, version, None, None, None, posture, self.ago(60 * 24))

    def entry(self, number: int = 1, *, minutes: float = 60) -> DirectoryDevice:
        model, version = MODELS[self.platform]
        ids = f"d{number}", f"o{number}", f"{self.name} {model}"
        at = self.ago(minutes)
        return DirectoryDevice(*ids, self.platform, version, None, True, "preview", at, None, None, self.ago(0.5))

    def enrolled(self, *failing: Rule) -> Journey:
        return replace(self.looked, managed=(self.phone(*failing),))

    def proven(self, *entries: DirectoryDevice, failing: tuple[Rule, ...] = ()) -> Journey:
        """The message on the device was tapped."""
        device = self.phone(*failing)
        proof = Possession(
            device.key,
            wanted_at=self.ago(9),
            sent_at=self.ago(9),
            expires_at=self.ago(9) + POSSESSION_LINK_LASTS,
            proven_at=self.ago(8),
            proven_generation=device.generation,
        )
        return replace(self.looked, managed=(device,), directory=entries, possession=proof)

    def linked(self, level: Level = Level.POSSESSION, *, minimum: Level | None = None, failing: tuple[Rule, ...] = ()) -> Journey:
        entry, state = self.entry(), LinkState.ACTIVE if minimum is None else LinkState.PENDING
        device, evidence = self.phone(*failing), Evidence(level, self.ago(8), "")
        sides = entry.device_id, entry.object_id, device.key, device.generation, "preview", self.platform
        link = DeviceLink("preview", *sides, evidence, state, self.ago(7), minimum=minimum)
        return replace(self.proven(entry, failing=failing), links=(link,))

    def carried(self, *, shown: bool = False) -> Journey:
        """*Compliant* is on its way to Microsoft, or Entra shows it."""
        on_its_way = Push(
            link_id="preview",
            desired=Verdict.COMPLIANT,
            desired_seq=1,
            desired_at=self.ago(6),
            posture_read_at=self.ago(6),
            compliant_until=self.now + timedelta(hours=72),
            sent_seq=1,
            sent_at=self.ago(5),
            accepted_seq=1,
            accepted_at=self.ago(4),
        )
        seen = replace(
            on_its_way,
            confirmed_seq=1,
            confirmed_at=self.ago(1),
            confirmed_by="changed",
            observed=True,
            observed_at=self.ago(1),
        )
        return replace(self.linked(), pushes=(seen if shown else on_its_way,))

    def named(self) -> Journey:
        """Entra named the device in a second sign-in, and the tenant asks for its certificate on top."""
        journey = self.linked(Level.BOUND, minimum=Level.CERTIFICATE)
        pair, at = pair_of_link(journey.links[0]), self.ago(3)
        return replace(journey, sign_ins=(SignIn("preview", pair, "", "", at, at, claimed=pair.device_id),))

    def two(self) -> Journey:
        return self.proven(self.entry(1, minutes=60 * 24 * 40), self.entry(2, minutes=60 * 24 * 400))


_AT: Mapping[Step, Callable[[_Scene], Journey]] = {
    Step.LOOKING: lambda scene: replace(scene.begun, look=Look(wanted_at=scene.now)),
    Step.NOT_FOR_YOU: lambda scene: replace(scene.looked, standing=Standing(True, False, False, None, scene.now)),
    Step.ENROLL: lambda scene: scene.looked,
    Step.THIS_DEVICE: lambda scene: scene.enrolled(),
    Step.REGISTER: lambda scene: scene.proven(),
    Step.CHOOSE: lambda scene: scene.two(),
    Step.SIGN_IN: lambda scene: scene.linked(minimum=Level.BOUND),
    Step.CERTIFICATE: lambda scene: scene.named(),
    Step.FIX: lambda scene: scene.linked(failing=(Rule("", "", "passcode"),)),
    Step.IN_APP: lambda scene: replace(scene.carried(), relay=timedelta(minutes=15)),
    Step.WAIT: lambda scene: scene.carried(),
    Step.OPEN: lambda scene: scene.carried(shown=True),
    Step.HELP: lambda scene: replace(scene.two(), help_why="conflict"),
}


def at_step(step: Step, platform: Platform, now: datetime, *, name: str) -> Journey:
    """A journey that shows this step; KeyError for a platform that nobody holds in the hand."""
    return _AT[step](_Scene(platform, now, name))
