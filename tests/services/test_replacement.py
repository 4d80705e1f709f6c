"""A phone registered anew while its former entry's link lives: better evidence, down before up, and the owner told elsewhere."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState
from remediation.domain.evidence import Level
from remediation.domain.steps import Step
from remediation.errors import Unreachable
from remediation.services.tell_owner import Ways, Words, tell_owner
from remediation.store.notices import SqlNotices
from remediation.store.store import SqlStore
from remediation.store.wakeups import DbosWakeups
from sandbox.enrollment import enroll
from tests.services.test_sign_in_proof import details
from tests.stories import Story

Tell = Callable[..., Story]


def still_blocked_after_registering_anew(tell: Tell, scenario: str = "blocked_just_registered", **more: Any) -> Story:
    """Mia got through; her phone lost its registration and was registered again, and its former entry was left behind alive."""
    story = tell(scenario, **more)
    story.gets_through()
    story.passes(60)
    story.loses_its_registration_and_registers()
    story.passes(20)
    assert not story.outlook_opens()
    story.says_still_blocked()
    story.passes(10)
    return story


def proves_it_anew(story: Story) -> None:
    proves_it_anew_while(story, lambda: None)


def proves_it_anew_while(story: Story, happens: Callable[[], None]) -> None:
    """Something happens just before the last proof."""
    story.says_this_is_mine()
    story.taps_the_message()
    assert story.step is Step.SIGN_IN
    happens()
    story.signs_in_again()


def sent(story: Story) -> list[tuple[str, str]]:
    """What took effect at Microsoft, in order: device and verdict."""
    contents = [upload.content[1] for upload in story.uploads()]
    return [(one["DeviceId"], one["complianceStatus"]) for one in contents]


def test_the_new_entry_takes_the_place_of_the_old_one(tell: Tell) -> None:
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    assert story.step is Step.THIS_DEVICE, "the tap from before the new registration proves nothing of it"
    proves_it_anew(story)
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()
    first, second = sorted(story.links(), key=lambda link: link.made_at)
    assert (first.id, first.state, first.ended_why) == (old.id, LinkState.ENDED, "replaced")
    assert (second.state, second.evidence.level, second.managed) == (LinkState.ACTIVE, Level.BOUND, old.managed)
    assert second.device_id == story.remotes.phone.device_id != old.device_id
    assert [d["link"] for d in details(story, "link.replaced")] == [old.id]


def test_T1_down_before_up_when_a_link_is_replaced(tell: Tell) -> None:
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    proves_it_anew(story)
    story.gets_to(Step.OPEN)
    told = sent(story)
    assert told.count((old.device_id, "notCompliant")) == 1, "exactly one end"
    assert told.index((old.device_id, "notCompliant")) < told.index((story.remotes.phone.device_id, "compliant"))


def test_T1_until_the_old_entry_is_seen_down_the_new_one_stays_down(tell: Tell) -> None:
    """Only what Entra says of the old one is missing; everything else would let the new one through."""
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    proves_it_anew_while(story, lambda: story.fault("graph", "down", path=old.device_id))
    story.passes(300)
    assert story.step is Step.WAIT
    assert not story.outlook_opens()
    assert [device for device, verdict in sent(story) if verdict == "compliant"] == [old.device_id]
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=3600)


def test_T1_a_grant_that_is_still_on_its_way_to_the_old_entry_keeps_the_new_one_down(tell: Tell) -> None:
    """Microsoft takes its time with the old entry's two messages, and none with the new one's."""
    story = still_blocked_after_registering_anew(tell)
    lags = story.sandbox.world.lags
    proves_it_anew_while(story, lambda: setattr(lags, "compliance_lag", 0))
    story.gets_to(Step.OPEN)
    [second] = [link for link in story.links() if link.state is LinkState.ACTIVE]
    lags.compliance_lag = 400
    story.reports_health(passcode=False)
    story.checks_again()
    story.passes(600, every=20)
    story.reports_health(passcode=True)
    story.checks_again()
    story.passes(10)
    assert sent(story)[-1] == (second.device_id, "compliant"), "told, and not shown yet"
    story.loses_its_registration_and_registers()
    story.passes(10)
    story.says_still_blocked()
    story.passes(10)
    proves_it_anew(story)
    [third] = [link for link in story.links() if link.state is LinkState.ACTIVE]
    assert third.device_id == story.remotes.phone.device_id != second.device_id
    story.passes(10)
    assert sent(story)[-1] == (second.device_id, "notCompliant")
    lags.compliance_lag = 0
    for _ in range(150):
        story.tick(5)
        with story.sandbox.world.settled() as world:
            up = [device.device_id for device in world.devices.values() if device.is_compliant and not device.deleted]
        assert len({second.device_id, third.device_id} & set(up)) < 2
    assert story.outlook_opens(), "the control"


def test_T1_possession_alone_replaces_nothing(tell: Tell) -> None:
    """The tenant's minimum is *possession*, by which the first link was made: it takes more to put another device in its place."""
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    story.says_this_is_mine()
    story.taps_the_message()
    story.signs_in_again(on_the_phone=False)
    story.passes(4000, every=40)
    assert (story.step, [link.id for link in story.links()], story.link_states()) == (Step.SIGN_IN, [old.id], [LinkState.ACTIVE])
    assert not story.outlook_opens()


def test_T1_another_device_than_the_new_entry_refuses(tell: Tell) -> None:
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    story.says_this_is_mine()
    story.taps_the_message()
    with story.sandbox.world.lock:
        named, story.remotes.phone.device_id = story.remotes.phone.device_id, old.device_id
    story.signs_in_again()
    with story.sandbox.world.lock:
        story.remotes.phone.device_id = named
    story.passes(60)
    assert (story.step, story.link_states()) == (Step.HELP, [LinkState.ACTIVE])
    story.signs_in_again()  # the control: in the right one
    story.gets_to(Step.OPEN)


def test_whoever_is_not_blocked_is_asked_nothing(tell: Tell) -> None:
    """A second entry alone, of a phone that the company does not know, moves nothing."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.loses_its_registration_and_registers()
    story.passes(120)
    story.checks_again()
    assert (story.step, story.link_states()) == (Step.OPEN, [LinkState.ACTIVE])


def test_a_higher_old_link_asks_for_as_much_again(tell: Tell) -> None:
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    certificate = sa.text("UPDATE device_links SET evidence_level = 'certificate'")
    with story.engine.begin() as connection:
        connection.execute(certificate)
    proves_it_anew(story)
    story.passes(60)
    assert (story.step, story.link_states()) == (Step.CERTIFICATE, [LinkState.ACTIVE])
    assert story.links()[0].id == old.id


def enrolls_anew_under_another_record(story: Story, **of_the_new: str) -> None:
    """The MDM keeps the earlier one, as enrolled as before; it is seen no more."""
    phone, old = story.remotes.phone, story.remotes.record
    with story.sandbox.world.lock:
        phone.record_id = None
        new = enroll(story.sandbox.world, phone)
        new.serial, new.udid = of_the_new.get("serial", old.serial), old.udid


def test_I6_a_phone_enrolled_anew_under_another_record_ends_the_link_of_the_earlier_one(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    [old] = story.links()
    story.passes(300, every=20)
    enrolls_anew_under_another_record(story)
    story.passes(60)
    story.checks_again()
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    first, second = sorted(story.links(), key=lambda link: link.made_at)
    assert (first.id, first.ended_why) == (old.id, "enrolled_anew")
    assert (second.state, second.device_id) == (LinkState.ACTIVE, old.device_id)
    assert [verdict for _, verdict in sent(story)] == ["compliant", "notCompliant", "compliant"], "down before up"


@pytest.mark.parametrize("serial", ["ANOTHER00001", "0", ""])
def test_T1_another_phone_ends_nobodys_link(tell: Tell, serial: str) -> None:
    """The control: a second managed phone, and one whose serial names nothing, take nothing over."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.passes(300, every=20)
    enrolls_anew_under_another_record(story, serial=serial)
    story.passes(60)
    story.checks_again()
    story.says_this_is_mine(story.remotes.phone.record_id)
    story.taps_the_message()
    story.passes(120)
    assert story.link_states() == [LinkState.ACTIVE]


@pytest.mark.parametrize("after", ["link.replaced", "push.prepared", "push.sent", "push.accepted", "push.confirmed"])
def test_T1_down_before_up_whatever_crashes_in_between(tell: Tell, after: str) -> None:
    """The worker dies just after this change of the old link's end, and another begins from the top, over all rows."""
    story = still_blocked_after_registering_anew(tell)
    [old] = story.links()
    before = story.audit().count(after)
    sound = story.world.store

    def change(*given: Any, **more: Any) -> Any:
        if story.audit().count(after) > before:
            raise KilledError
        return SqlStore.change(sound, *given, **more)  # type: ignore[arg-type]

    story.says_this_is_mine()
    story.taps_the_message()
    dying = DyingStore(story.engine, sound.tenant_id, DbosWakeups(story.engine), change)
    story.with_world(store=dying)
    with suppress(KilledError):
        story.signs_in_again()
        story.passes(60)
    assert story.audit().count(after) > before, "it died there"
    story.with_world(store=sound)
    story.tick(1, everything=True)
    story.gets_to(Step.OPEN)
    told = sent(story)
    assert told.index((old.device_id, "notCompliant")) < told.index((story.remotes.phone.device_id, "compliant"))
    assert [link.state for link in story.links()].count(LinkState.ACTIVE) == 1


class KilledError(BaseException):
    """No handler of ours catches it, as none catches a kill."""


class DyingStore(SqlStore):
    def __init__(self, engine: sa.Engine, tenant_id: str, wakeups: DbosWakeups, change: Callable[..., Any]) -> None:
        super().__init__(engine, tenant_id, wakeups)
        self._dying = change

    def change(self, *given: Any, **more: Any) -> Any:
        return self._dying(*given, **more)


class Mails:
    """Where mail goes: a server that fails as often as it is told to."""

    def __init__(self, failing: int = 0) -> None:
        self.failing, self.sent = failing, list[tuple[str, str, str]]()

    def send(self, to: str, subject: str, text: str, *, identity: str, at: object) -> None:
        if self.failing:
            self.failing -= 1
            raise Unreachable("no answer", remote="mail")
        self.sent.append((to, subject, identity))


def test_T3_the_owner_is_told_on_the_device_and_by_mail(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.with_world(tell_owner_by=("device", "mail"))
    story.gets_through()
    story.passes(60)
    story.loses_its_registration_and_registers()
    story.passes(20)
    story.says_still_blocked()
    story.passes(10)
    proves_it_anew(story)
    story.gets_to(Step.OPEN)
    mails, rows = Mails(failing=1), SqlNotices(story.engine, story.store.tenant_id)
    ways = Ways(story.world.managers, mails, lambda _: Words("Registered anew", "Was it not you? Call your helpdesk."))
    assert tell_owner(rows, ways, story.world.clock()) == 1, "the mail server did not answer, and the device was told all the same"
    story.passes(600, every=300)
    assert tell_owner(rows, ways, story.world.clock()) == 1
    story.passes(600, every=300)
    assert tell_owner(rows, ways, story.world.clock()) == 0, "once each"
    [link] = [one for one in story.links() if one.state is LinkState.ACTIVE]
    assert mails.sent == [(story.journey.person.mail, "Registered anew", f"replaced/{link.id}")]
    assert [m.body for m in story.remotes.phone.messages].count("Was it not you? Call your helpdesk.") == 1


def test_a_first_link_tells_nobody(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    assert SqlNotices(story.engine, story.store.tenant_id).claim(story.world.clock()) == []


def test_a_replacement_that_fails_its_rules_stays_down(tell: Tell) -> None:
    story = still_blocked_after_registering_anew(tell)
    story.reports_health(passcode=False)
    proves_it_anew(story)
    story.passes(120)
    assert story.step is Step.FIX
    assert not story.outlook_opens()
