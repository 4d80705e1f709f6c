"""Each repair of the helpdesk with its effect in the sandbox; what two who act at once see; and what the worker checks again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState, Platform
from remediation.domain.evidence import Level
from remediation.domain.repairs import BECAUSE, Mark, Repair, suggested
from remediation.domain.steps import Step, help_why
from remediation.domain.turns import REPAIRED
from remediation.errors import ChangedMeanwhile, NotOffered, TooOften
from remediation.services import repair as repairs
from remediation.services.repair import changed_since
from remediation.store.tables import audit, start_links
from tests.services.repairs import IDA, Desk, permits_disabling
from tests.services.test_a_wrong_phone import also_registered
from tests.services.test_windows import on_windows, proven
from tests.stories import Story

Tell = Callable[..., Story]


def opened(tell: Tell) -> tuple[Story, Desk]:
    story = tell("blocked_just_registered")
    story.gets_through()
    return story, Desk(story)


def told(story: Story) -> list[str]:
    return [upload.content[1]["complianceStatus"] for upload in story.uploads()]


def rows(story: Story, why: str) -> list[tuple[str, str, str, dict[str, object]]]:
    with story.engine.connect() as connection:
        found = connection.execute(sa.select(audit).where(audit.c.why == why).order_by(audit.c.id)).all()
    return [(row.actor_kind, row.about_kind, row.about_id, row.detail) for row in found]


def test_check_again_has_everything_read_afresh(tell: Tell) -> None:
    story, desk = opened(tell)
    story.with_world(recheck=timedelta(days=1))
    story.tick(60, everything=True)
    story.reports_health(passcode=False)
    story.tick(30)
    assert story.entra_shows is True, "nobody looked yet"
    desk.does(Repair.CHECK_AGAIN)
    story.passes(60)
    assert (story.entra_shows, story.step) == (False, Step.FIX)
    assert rows(story, "repair.check_again") == [("helpdesk", "journey", story.journey_id, {"because": "asked"})]


def test_asking_the_remotes_is_a_look_and_makes_nobodys_page_an_old_one(tell: Tell) -> None:
    story, desk = opened(tell)
    found = desk.sees()
    assert repairs.ask_now(story.store, found, by="ida", now=story.world.clock())
    assert desk.sees().seen == found.seen
    assert story.journey.look.under_way
    story.tick()
    assert not story.journey.look.under_way


def test_resend_tells_microsoft_once_more_under_a_new_message(tell: Tell) -> None:
    story, desk = opened(tell)
    before = told(story)
    desk.does(Repair.RESEND)
    story.passes(60)
    assert (told(story), story.step) == ([*before, "compliant"], Step.OPEN)


def test_resend_tells_what_the_device_management_says_by_now(tell: Tell) -> None:
    story, desk = opened(tell)
    story.with_world(recheck=timedelta(days=1))
    story.tick(60, everything=True)
    story.reports_health(passcode=False)
    desk.does(Repair.RESEND)
    story.passes(60)
    assert (told(story)[-1], story.entra_shows) == ("notCompliant", False)


def test_resend_is_not_offered_where_nothing_was_told_and_where_the_maker_carries(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    assert Repair.RESEND not in Desk(story).offered()


def test_the_message_is_sent_again_and_only_the_person_can_use_it(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    first = story.token
    story.tick(700)
    desk = Desk(story)
    assert suggested(desk.sees(), story.world.clock()) is Repair.POSSESSION
    desk.does(Repair.POSSESSION)
    assert story.token != first
    assert (story.step, story.uploads()) == (Step.THIS_DEVICE, [])
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def test_T3_no_message_is_sent_again_in_a_journey_that_the_person_denied(tell: Tell) -> None:
    from remediation.services.prove_possession import not_me
    from tests.stories import BROWSER

    story = tell("blocked_just_registered")
    story.arrives()
    story.says_this_is_mine()
    desk = Desk(story)
    assert Repair.POSSESSION in desk.offered(), "the control"
    not_me(story.store, story.token, oid=story.oid, browser=BROWSER, now=story.world.clock())
    assert Repair.POSSESSION not in desk.offered()


def choosing(tell: Tell) -> tuple[Story, Desk]:
    """Mia has her phone of this month, and another entry that could be it as well."""
    story = tell("blocked_just_registered")
    also_registered(story, days=0.01, os_version="17.0")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    assert story.step is Step.CHOOSE
    return story, Desk(story)


def test_staff_settle_which_is_meant_and_microsoft_has_to_name_it(tell: Tell) -> None:
    story, desk = choosing(tell)
    assert suggested(desk.sees(), story.world.clock()) is Repair.SETTLE
    desk.does(Repair.SETTLE, story.remotes.phone.device_id)
    story.passes(60)
    assert (story.step, story.link_states(), story.uploads()) == (Step.SIGN_IN, [LinkState.PENDING], [])
    story.signs_in_again()
    story.gets_to(Step.OPEN)
    [active] = [link for link in story.links() if link.state is LinkState.ACTIVE]
    assert (active.device_id, active.evidence.level) == (story.remotes.phone.device_id, Level.BOUND)
    assert "the helpdesk says" in active.evidence.how


def test_T1_staff_who_were_talked_into_the_wrong_one_open_nothing(tell: Tell) -> None:
    story, desk = choosing(tell)
    [wrong] = [one.id for one in desk.offered()[Repair.SETTLE].targets if one.id != story.remotes.phone.device_id]
    desk.does(Repair.SETTLE, wrong)
    story.passes(120)
    assert (story.step, story.uploads()) == (Step.SIGN_IN, [])
    story.signs_in_again()
    story.passes(60)
    assert (help_why(story.journey, story.world.clock()), story.uploads()) == ("named_another", [])


def test_T1_what_is_doubtful_cannot_be_settled(tell: Tell) -> None:
    story = tell("registered_last_year")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    settle = Desk(story).offered().get(Repair.SETTLE)
    old = next(d for d in story.journey.directory if d.device_id != story.remotes.phone.device_id)
    assert settle is None or old.device_id not in {one.id for one in settle.targets}
    with pytest.raises(NotOffered):
        Desk(story).does(Repair.SETTLE, old.device_id)


def test_an_ended_link_takes_the_device_down_and_is_not_made_again_by_the_old_proof(tell: Tell) -> None:
    story, desk = opened(tell)
    desk.does(Repair.END_LINK)
    story.passes(300)
    assert (story.entra_shows, story.outlook_opens(), story.step) == (False, False, Step.THIS_DEVICE)
    assert story.link_states() == [LinkState.ENDED]
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)


def test_under_fresh_an_ended_link_needs_a_new_registration(tell: Tell) -> None:
    story = tell("mac_on_fleet", minimum=Level.FRESH)
    story.arrives(platform=Platform.MACOS)
    story.tick(5)
    story.registers()
    story.gets_to(Step.OPEN)
    Desk(story).does(Repair.END_LINK)
    story.passes(300)
    assert (story.step, set(story.link_states())) == (Step.REGISTER, {LinkState.ENDED})


def test_a_case_is_closed_and_reopened_without_its_proof(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    desk = Desk(story)
    assert (story.step, Repair.REOPEN in desk.offered()) == (Step.REGISTER, False)
    desk.does(Repair.CLOSE)
    assert story.store.living_journey(story.oid, Platform.IOS, story.world.clock()) is None
    assert suggested(desk.sees(), story.world.clock()) is Repair.REOPEN
    story.registers()
    story.passes(600)
    assert story.links() == [], "nobody looks for a closed case"
    desk.does(Repair.REOPEN)
    story.passes(60)
    assert (story.step, story.journey.proven, story.links()) == (Step.THIS_DEVICE, False, [])


def test_a_start_link_comes_to_the_device_and_by_mail(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    desk = Desk(story, mail=True)
    desk.mail = Post()
    ways = {one.word: one.id for one in desk.offered()[Repair.START_LINK].targets}
    assert set(ways) == {"show", "mail", "device"}
    for way in ("device", "mail", "show"):
        desk.does(Repair.START_LINK, ways[way])
    links = desk.look_up.start_links(story.oid, story.world.clock())
    assert [(one.way, one.told_at is not None) for one in links] == [("show", False), ("mail", True), ("device", True)] or {
        (one.way, one.told_at is not None) for one in links
    } == {("show", False), ("mail", True), ("device", True)}
    assert f"/s/{next(one.code for one in links if one.way == 'device')}" in story.remotes.phone.messages[-1].body
    assert [to for to, _ in desk.mail.sent] == [desk.sees().person.mail]
    assert [detail["way"] for *_, detail in rows(story, "start_link.sent")] == ["device", "mail"]
    code = links[0].code
    assert desk.look_up.start_link(code, story.world.clock()) is Platform.IOS
    assert desk.look_up.start_link(code, story.world.clock() + timedelta(hours=25)) is None
    assert story.uploads() == []


@dataclass
class Post:
    """Where a mail server would be; the real one is in `tests/adapters/test_alarms.py`."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, to: str, subject: str, text: str, *, identity: str, at: datetime) -> None:
        self.sent.append((to, text))


def test_a_start_link_that_cannot_be_sent_says_so(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    desk = Desk(story, mail=True)
    desk.does(Repair.START_LINK, "mail")
    [link] = desk.look_up.start_links(story.oid, story.world.clock())
    assert (link.reason, link.told_at) == ("not_found", None)
    with story.engine.connect() as connection:
        assert connection.execute(sa.select(start_links.c.next_try_at)).scalars().all() == [None]


# duplicates


def shows_enabled(story: Story, device_id: str) -> bool:
    return next(d.enabled for d in story.sandbox.world.devices.values() if d.device_id == device_id)


def test_a_leftover_is_marked_and_then_switched_off_and_nothing_else(tell: Tell) -> None:
    story = on_windows(tell)
    proven(story)
    story.gets_to(Step.OPEN)
    old = also_registered(story, days=400)
    old.os, old.name = "Windows", "MIA-OLD"
    permits_disabling(story)
    desk = Desk(story, disable=True)
    story.checks_again()
    assert len(story.journey.directory) == 2
    assert Repair.DISABLE_DEVICE not in desk.offered(), "only what was marked"
    linked = {link.device_id for link in story.journey.links}
    assert {one.id for one in desk.offered()[Repair.MARK_DEVICE].targets} == {old.device_id}
    desk.does(Repair.MARK_DEVICE)
    assert [(one.device_id, one.mark) for one in desk.look_up.marks(story.oid)] == [(old.device_id, Mark.LEFTOVER)]
    desk.does(Repair.DISABLE_DEVICE)
    assert (shows_enabled(story, old.device_id), [shows_enabled(story, one) for one in linked]) == (False, [True])
    [mark] = desk.look_up.marks(story.oid)
    assert mark.disabled_at is not None
    assert rows(story, "device.disabled") == [("worker", "directory_device", old.device_id, {})]
    assert [call for call in story.ledger() if call["method"] == "DELETE"] == []
    assert story.outlook_opens()


def test_a_kept_entry_is_not_offered_for_switching_off(tell: Tell) -> None:
    story = on_windows(tell)
    proven(story)
    story.gets_to(Step.OPEN)
    old = also_registered(story, days=400)
    old.os = "Windows"
    story.checks_again()
    desk = Desk(story, disable=True)
    desk.does(Repair.MARK_DEVICE)
    assert Repair.DISABLE_DEVICE in desk.offered(), "the control"
    desk.does(Repair.KEEP_DEVICE, old.device_id)
    assert Repair.DISABLE_DEVICE not in desk.offered()


def test_nothing_under_21_days_is_switched_off(tell: Tell) -> None:
    story = on_windows(tell)
    proven(story)
    story.gets_to(Step.OPEN)
    young = also_registered(story, days=20)
    young.os = "Windows"
    permits_disabling(story)
    story.checks_again()
    desk = Desk(story, disable=True)
    desk.does(Repair.MARK_DEVICE)
    assert Repair.DISABLE_DEVICE not in desk.offered()
    with story.store.change(IDA, "forged", about=("directory_device", young.device_id), at=story.world.clock()) as change:
        change.want_disabled(young.device_id)
    desk.works()
    [mark] = desk.look_up.marks(story.oid)
    assert (mark.reason, mark.disabled_at, shows_enabled(story, young.device_id)) == ("too_young", None, True)


@pytest.mark.parametrize(("spoilt", "why"), [("linked", "linked"), ("owner", "owner_changed"), ("not_permitted", "not_permitted")])
def test_the_worker_checks_again_before_it_switches_anything_off(tell: Tell, spoilt: str, why: str) -> None:
    story = on_windows(tell)
    proven(story)
    story.gets_to(Step.OPEN)
    old = also_registered(story, days=400)
    old.os = "Windows"
    story.checks_again()
    desk = Desk(story, disable=True)
    if spoilt != "not_permitted":
        permits_disabling(story)
    device_id = old.device_id
    if spoilt == "owner":
        old.owner_oid = next(p.oid for p in story.sandbox.world.persons.values() if p.oid != story.oid)
    if spoilt == "linked":
        device_id = story.journey.links[0].device_id
        next(d for d in story.sandbox.world.devices.values() if d.device_id == device_id).registered_at -= timedelta(days=400)
    with story.store.change(IDA, "forged", about=("directory_device", device_id), at=story.world.clock()) as change:
        change.mark_device(device_id, Mark.LEFTOVER, oid=story.oid)
        change.want_disabled(device_id)
    desk.works()
    assert [(one.reason, one.disabled_at) for one in desk.look_up.marks(story.oid)] == [(why, None)]
    assert shows_enabled(story, device_id)


def test_where_graph_takes_it_from_no_app_the_page_has_the_way_in_entra(tell: Tell) -> None:
    story, desk = opened(tell)
    old = also_registered(story, days=400)
    permits_disabling(story)
    story.remotes.approve_for_windows()
    story.checks_again()
    desk = Desk(story, disable=True)
    desk.does(Repair.MARK_DEVICE)
    desk.does(Repair.DISABLE_DEVICE)
    [mark] = desk.look_up.marks(story.oid)
    assert (mark.reason, mark.disabled_at, shows_enabled(story, old.device_id)) == ("refused", None, True)


def test_T1_nothing_is_switched_off_while_that_could_decide_which_is_meant(tell: Tell) -> None:
    """Else the right one could be switched off until the wrong one is the only candidate."""
    story, _ = choosing(tell)
    desk = Desk(story, disable=True)
    for _ in range(2):
        desk.does(Repair.MARK_DEVICE)
    story.passes(22 * 24 * 3600, every=24 * 3600)
    assert Repair.DISABLE_DEVICE not in desk.offered()


# two at once, and what is refused


def test_the_second_of_two_sees_what_the_first_did_and_confirms_again(tell: Tell) -> None:
    story, desk = opened(tell)
    seen = desk.sees()
    desk.does(Repair.RESEND, seen=seen)
    with pytest.raises(ChangedMeanwhile):
        desk.does(Repair.CLOSE, seen=seen)
    [first, *_] = changed_since(desk.look_up, story.oid, seen.seen)
    assert (first.what, first.actor) == ("repair.resend", IDA)
    desk.does(Repair.CLOSE)


def test_the_second_of_two_is_stopped_in_the_change_itself(tell: Tell) -> None:
    """Both read before either wrote."""
    story, desk = opened(tell)
    one, other = desk.sees(), desk.sees()
    now, order = story.world.clock(), repairs.Order(Repair.CLOSE, "", "asked", one.seen)
    repairs.repair(story.store, one, order, actor=IDA, now=now)
    with pytest.raises(ChangedMeanwhile):
        repairs.repair(story.store, other, order, actor=IDA, now=now)
    assert story.audit().count("repair.close") == 1


def test_what_is_not_offered_no_reason_and_too_often(tell: Tell) -> None:
    story, desk = opened(tell)
    before = story.audit()
    for which, target in ((Repair.REOPEN, ""), (Repair.END_LINK, "another"), (Repair.CLOSE, "x"), (Repair.SETTLE, "d9")):
        with pytest.raises(NotOffered):
            desk.does(which, target)
    found = desk.sees()
    order = repairs.Order(Repair.CLOSE, "", "because I say so", found.seen)
    with pytest.raises(ValueError, match="because I say so"):
        repairs.repair(story.store, found, order, actor=IDA, now=story.world.clock())
    assert story.audit() == before
    assert "asked" in BECAUSE
    for _ in range(REPAIRED.at_once):
        desk.does(Repair.CHECK_AGAIN)
    with pytest.raises(TooOften):
        desk.does(Repair.CHECK_AGAIN)
