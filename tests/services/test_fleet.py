"""The whole way on Fleet, which has no message to a device: through by a new registration alone where the tenant asks for no more,
down and up again with the posture, ended by a wipe; and beside a dead second MDM.

Control for each: the same stories on MaaS360 and Workspace ONE, `test_maas360` and `test_the_way_through`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from remediation.domain.device import LinkState, Platform
from remediation.domain.evidence import Level
from remediation.domain.finding import State
from remediation.domain.steps import Step, help_why
from remediation.errors import Busy, MessageTestRefused
from remediation.services import ask
from remediation.services.message_test import device_for_test
from remediation.settings.mdm import FleetConnection
from remediation.wiring import build_budgets, build_world
from sandbox.tenant import other_device
from tests.services.test_budgets import settings_for
from tests.services.test_doctor import Ward
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]


@pytest.fixture
def story(tell: Tell) -> Story:
    """Her Mac is in Fleet and was never registered; the tenant asks for `fresh`."""
    return tell("mac_on_fleet", minimum=Level.FRESH)


def arrives(story: Story) -> None:
    story.arrives(platform=Platform.MACOS)
    story.tick(5)


def gets_through(story: Story) -> None:
    arrives(story)
    assert story.step is Step.REGISTER
    story.registers()
    story.gets_to(Step.OPEN)


def test_a_person_on_fleet_gets_through_and_the_link_lives_on(story: Story) -> None:
    gets_through(story)
    assert (story.outlook_opens(), story.link_states()) == (True, [LinkState.ACTIVE])
    [link] = story.links()
    assert (link.managed.connection, link.evidence.level) == ("fleet", Level.FRESH)
    assert story.remotes.phone.messages == []
    story.goes_down_and_comes_up_again()


def test_the_page_says_in_fleets_words_what_fails_and_asks_the_device_to_report(story: Story) -> None:
    story.reports_health(encrypted=False)
    arrives(story)
    story.registers()
    story.gets_to(Step.FIX)
    [device] = story.journey.managed
    [rule] = device.posture.failing
    assert (rule.name, rule.advice) == ("Encryption on", None)
    assert dict(rule.says)["und"] == "Open System Settings, choose Privacy & Security, then FileVault, and turn it on."
    story.remotes.phone.health.encrypted = True
    story.checks_again()
    story.gets_to(Step.OPEN)


@pytest.mark.parametrize("minimum", [Level.POSSESSION, Level.BOUND, Level.CERTIFICATE])
def test_I12_where_more_is_asked_for_nothing_is_linked_and_the_page_says_so(tell: Tell, minimum: Level) -> None:
    story = tell("mac_on_fleet", minimum=minimum)
    arrives(story)
    story.registers()
    story.passes(120)
    assert (story.step, help_why(story.journey, story.world.clock())) == (Step.HELP, "possession_off")
    assert (story.links(), story.uploads()) == ([], [])
    key = story.journey.managed[0].key
    ask.in_my_hand(story.store, story.journey_id, key, oid=story.oid, now=story.world.clock())
    assert story.journey.possession is None, "nothing is wished for that nobody can send"
    with pytest.raises(MessageTestRefused, match="no_messages"):
        device_for_test(story.world.managers["fleet"], key.record_id)


def test_I12_a_link_of_before_ends_once_more_is_asked_for(story: Story) -> None:
    gets_through(story)
    story.with_world(minimum=Level.POSSESSION)
    story.passes(80 * 3600, every=3600)
    assert (story.entra_shows, story.link_states()) == (False, [LinkState.ENDED])


def test_T1_what_was_registered_before_is_not_taken_for_this_device(story: Story) -> None:
    story.registers()
    story.tick(3600)
    arrives(story)
    story.passes(120)
    assert (story.step, story.links()) == (Step.REGISTER, [])
    story.registers_again()  # the control
    story.gets_to(Step.OPEN)


def test_T1_of_two_that_appeared_since_neither_is_taken(story: Story) -> None:
    arrives(story)
    story.registers()
    with story.sandbox.world.lock:
        other_device(story.sandbox.world, "Another Mac", "MacMDM", "15.1", days=0)
    story.passes(120)
    assert (story.step, story.links()) == (Step.CHOOSE, [])


@pytest.mark.parametrize(("version", "linked"), [("15.1", True), ("26.0", False)])
def test_T1_one_that_runs_a_newer_system_than_the_record_is_another(story: Story, version: str, linked: bool) -> None:
    story.remotes.phone.os_version = version
    arrives(story)
    story.registers()
    story.passes(60)
    assert (len(story.links()), story.step is Step.REGISTER) == (int(linked), not linked)


def test_T1_with_a_second_managed_mac_nobody_can_tell(story: Story) -> None:
    world, record = story.sandbox.world, story.remotes.record
    number = max(world.records) + 1
    world.records[number] = replace(record, id=number, uuid=world.new_id(), udid=world.new_id(), serial=f"F2LX{number:08}")
    arrives(story)
    story.registers()
    story.passes(120)
    assert (story.step, story.links()) == (Step.HELP, [])
    assert help_why(story.journey, world.now()) == "possession_off"


def test_somebody_elses_registration_is_not_hers(story: Story) -> None:
    arrives(story)
    noahs = other_device(story.sandbox.world, "Noah’s Mac", "MacMDM", "15.1", days=0)
    noahs.owner_oid = story.remotes.person("Noah").oid
    noahs.registered_users = [story.oid]
    story.passes(120)
    assert story.links() == []


@pytest.mark.parametrize("what", ["wiped", "enrolled anew", "handed on", "shared", "deleted"])
def test_T5_the_end_of_an_enrollment_ends_the_link(story: Story, what: str) -> None:
    gets_through(story)
    record = story.remotes.record
    if what == "wiped":
        record.enrollment_status = "Unenrolled"
    elif what == "enrolled anew":
        record.enrolled_on += timedelta(hours=1)
    elif what == "handed on":
        record.person_oid = story.remotes.person("Noah").oid
    elif what == "shared":
        record.also_mapped = [(story.sandbox.world.persons[story.remotes.person("Noah").oid].upn, "mdm_idp_accounts")]
    else:
        del story.sandbox.world.records[record.id]
    story.passes(30 * 60, every=30)
    assert (story.entra_shows, story.link_states()) == (False, [LinkState.ENDED])


def test_a_policy_that_has_not_run_yet_grants_nothing_and_takes_nothing_before_its_time(story: Story) -> None:
    story.fault("fleet", "never_run")
    arrives(story)
    story.registers()
    story.passes(120)
    assert (story.step, story.uploads()) == (Step.WAIT, [])
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN)
    story.fault("fleet", "never_run")
    story.passes(3600, every=30)
    assert story.entra_shows is True, "until its lease ends"
    story.passes(80 * 3600, every=3600)
    assert story.entra_shows is False


def test_polling_notices_a_change_that_nobody_asked_about(story: Story) -> None:
    gets_through(story)
    story.is_watched(poll=timedelta(seconds=60), overlap=timedelta(seconds=120))
    story.reports_health(jailbroken=True)
    story.passes(240)
    assert story.entra_shows is False


@pytest.mark.parametrize("kind", ["down", "html", "garbled"])
def test_T1_while_a_second_mdm_is_silent_nothing_is_linked_and_once_it_speaks_she_gets_through(story: Story, kind: str) -> None:
    """The Mac in Fleet shows all the while, but nobody knows what the other one holds."""
    story.with_world(managers={"ws1": story.remotes.ws1, "fleet": story.remotes.fleet})
    story.fault("workspace_one", kind)
    arrives(story)
    story.registers()
    story.passes(120)
    assert {device.key.connection for device in story.journey.managed} == {"fleet"}
    assert (story.links(), story.uploads()) == ([], [])
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=3600)
    assert story.outlook_opens()


@pytest.mark.parametrize("kind", ["down", "html", "garbled"])
def test_a_dead_fleet_hides_nothing_of_the_other(tell: Tell, kind: str) -> None:
    story = tell("blocked_just_registered")
    story.with_world(managers={"ws1": story.remotes.ws1, "fleet": story.remotes.fleet})
    story.fault("fleet", kind)
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.tick(5)
    story.registers_again()
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


def connection(story: Story, **more: Any) -> FleetConnection:
    facts = story.remotes.facts["fleet"]
    return FleetConnection(kind="fleet", url=facts["url"], token=SecretStr(facts["token"]), **more)


def test_the_worker_is_made_with_it_from_settings_and_it_has_its_own_budget(story: Story) -> None:
    fleet = connection(story, integrity_policies=("Not jailbroken",), people_from=("mdm_idp_accounts", "custom"))
    settings = settings_for(story.sandbox, ca_file=str(story.sandbox.keys.ca_pem))
    given = settings.model_copy(update={"mdm": {**settings.mdm, "fleet": fleet}})
    budgets = build_budgets(given, story.engine, clock=story.world.clock)
    wire = WSGIAdapter(story.sandbox.api)
    world = build_world(given, story.store, budgets, transport=wire, clock=story.world.clock)
    mia = story.remotes.person()
    [device] = world.managers["fleet"].devices_of(mia).devices
    assert device.posture.compromised is False
    story.fault("fleet", "throttle", retry_after=600)
    with pytest.raises(Busy):
        world.managers["fleet"].devices_of(mia)
    with pytest.raises(Busy) as caught:
        world.managers["fleet"].devices_of(mia)
    assert not caught.value.called, "a gate of its own, which is shut now"
    assert world.managers["ws1"].devices_of(mia).devices == ()


def test_the_doctor_says_that_no_message_can_be_sent_and_what_links_rest_on(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    ward, fleet = Ward(story), connection(story)
    mdm = {**settings_for(story.sandbox).mdm, "fleet": fleet}
    found = ward.examined(mdm=mdm)
    assert (found["messages", "fleet"].state, found["messages", "fleet"].why) == (State.BAD, "impossible")
    assert (found["evidence", ""].why, found["evidence", ""].detail["connections"]) == ("no_messages", "fleet")
    assert found["messages", "ws1"].state is State.GOOD
    found = ward.examined(mdm=mdm, minimum_evidence="fresh")
    assert (found["messages", "fleet"].state, found["evidence", ""].why) == (State.GOOD, "by_fresh")
    assert found["evidence", ""].detail["connections"] == "fleet"
