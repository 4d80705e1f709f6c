"""*This wasn't me* (T3): a thief of a session gets nothing, and everybody who has to know of it does."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from remediation.domain.device import LinkState
from remediation.domain.steps import Step
from remediation.ports import AT_ONCE, Alarm
from remediation.services import look_up
from remediation.services.alarms import tell as tell_alarms
from remediation.services.look_up import NOT_ME_SHOWN, File
from remediation.services.prove_possession import not_me
from remediation.store.alarms import SqlAlarms
from remediation.store.look_up import SqlLookUp
from remediation.web.helpdesk_panel import panel
from tests.services.test_a_wrong_phone import also_registered
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]
WAYS = ("log", "webhook", "mail")


class Way:
    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[Alarm] = []

    def tell(self, alarm: Alarm) -> None:
        self.heard.append(alarm)


def told(story: Story, ways: Sequence[Way]) -> list[list[Alarm]]:
    tell_alarms(SqlAlarms(story.engine, story.store.tenant_id), ways, story.world.clock())
    return [way.heard for way in ways]


def file_of(story: Story, *, later: timedelta = timedelta()) -> File:
    reads, now = SqlLookUp(story.engine, story.store.tenant_id), story.world.clock() + later
    file = look_up.open_file(reads, story.store, story.oid, case_code="", oid="hanna", now=now)
    assert file is not None
    return file


def keys_of(story: Story, **more: timedelta) -> list[str]:
    file = file_of(story, **more)
    return [one.key for one in panel(file, story.world.clock(), tenant_id=story.store.tenant_id).stuck]


def test_T3_a_thief_whose_message_the_person_denies_gets_nothing_and_everybody_hears_of_it(tell: Tell) -> None:
    """The thief has Mia's session, and registers his own phone under her name; the message is on her phone, which he has not."""
    story, ways = tell("blocked_unregistered"), [Way(name) for name in WAYS]
    story.arrives()
    story.says_this_is_mine()
    thiefs = also_registered(story, days=0)
    assert told(story, ways) == [[], [], []]
    not_me(story.store, story.token, oid=story.oid, browser=BROWSER, now=story.world.clock())
    story.passes(1200, every=30)
    assert (story.uploads(), story.links(), thiefs.is_compliant) == ([], [], None)

    for heard in told(story, ways):
        [alarm] = heard
        assert (alarm.source, alarm.level, alarm.hours) == ("not_me", AT_ONCE, None)
        assert "this wasn't me" in alarm.text
        assert "Mia" not in alarm.subject + alarm.text
        assert story.oid not in alarm.subject + alarm.text
    found = look_up.search(
        SqlLookUp(story.engine, story.store.tenant_id), story.store, alarm.text, oid="hanna", now=story.world.clock()
    )
    assert found.case is not None, "the code in the alarm is one that the helpdesk can look for"
    assert found.case.oid == story.oid
    shown = panel(file_of(story), story.world.clock(), tenant_id=story.store.tenant_id)
    first = shown.stuck[0]
    assert (first.key, first.who, first.repair) == ("possession_revoked", "helpdesk", "account")
    assert "possession.not_me" in {one.what for one in shown.timeline}

    # the control: Mia herself, with her own phone
    story.says_this_is_mine()
    story.passes(5)
    story.registers()
    story.passes(10)
    thiefs.deleted = True
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    assert {upload.content[0]["DeviceId"] for upload in story.uploads()} == {story.remotes.phone.device_id}
    assert [len(heard) for heard in told(story, ways)] == [1, 1, 1]
    assert keys_of(story)[0] == "possession_revoked", "the thief could have asked again, too: it stays in sight"
    assert "possession_revoked" not in keys_of(story, later=NOT_ME_SHOWN)


def test_T3_whoever_gets_through_undisturbed_alarms_nobody(tell: Tell) -> None:
    story, ways = tell("blocked_just_registered"), [Way(name) for name in WAYS]
    story.gets_through()
    assert (told(story, ways), keys_of(story)) == ([[], [], []], [])
    assert story.link_states() == [LinkState.ACTIVE]


def test_T3_what_was_said_is_not_hidden_by_much_that_happens_afterwards(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    story.arrives()
    story.says_this_is_mine()
    not_me(story.store, story.token, oid=story.oid, browser=BROWSER, now=story.world.clock())
    for _ in range(look_up.EVENTS // 2 + 5):
        story.sandbox.world.advance(60)
        story.checks_again()
        with story.store.change(story.world.actor, "journey.resumed", about=("journey", story.journey_id), at=story.world.clock()):
            pass
    assert "possession.not_me" not in {event.what for event in file_of(story).timeline}, "the timeline is full of other things"
    assert keys_of(story)[0] == "possession_revoked"
