"""The whole way on IBM MaaS360: through, down and up again with the device's posture, ended by a wipe; and two MDMs with one dead.

Control for each: the same stories on Workspace ONE, `test_the_way_through` and `test_one_side_missing`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from remediation.domain.device import LinkState
from remediation.domain.steps import Step
from remediation.errors import Busy, RemoteError
from remediation.settings.mdm import Maas360Connection
from remediation.wiring import build_budgets, build_world
from tests.proven import messages_arrive
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]


def test_a_person_on_maas360_gets_through_and_the_link_lives_on(tell: Tell) -> None:
    story = tell("on_maas360")
    story.gets_through()
    assert (story.outlook_opens(), story.link_states()) == (True, [LinkState.ACTIVE])
    assert [link.managed.connection for link in story.links()] == ["maas"]
    assert story.remotes.record.custom_attributes == {("MaaS360", "RemediationEntraDeviceId"): story.remotes.device_id}
    story.goes_down_and_comes_up_again()


def test_the_page_says_what_fails_and_asks_the_device_to_report(tell: Tell) -> None:
    story = tell("on_maas360")
    story.reports_health(passcode=False)
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.FIX)
    [device] = story.journey.managed
    assert [(rule.name, rule.advice) for rule in device.posture.failing] == [("Passcode required", "passcode")]
    story.remotes.phone.health.passcode = True
    story.checks_again()
    story.gets_to(Step.OPEN)


@pytest.mark.parametrize("what", ["wiped", "enrolled anew", "handed on", "deleted"])
def test_T5_the_end_of_an_enrollment_ends_the_link(tell: Tell, what: str) -> None:
    story = tell("on_maas360")
    story.gets_through()
    record = story.remotes.record
    if what == "wiped":
        record.enrollment_status = "Unenrolled"
    elif what == "enrolled anew":
        record.enrolled_on += timedelta(hours=1)
    elif what == "handed on":
        record.person_oid = story.remotes.person("Noah").oid
    else:
        del story.sandbox.world.records[record.id]
    story.passes(30 * 60, every=30)
    assert (story.entra_shows, story.link_states()) == (False, [LinkState.ENDED])


def test_polling_notices_a_change_that_nobody_asked_about(tell: Tell) -> None:
    story = tell("on_maas360")
    story.gets_through()
    story.is_watched(poll=timedelta(seconds=60), overlap=timedelta(seconds=120))
    story.reports_health(jailbroken=True)
    story.passes(240)
    assert story.entra_shows is False


@pytest.mark.parametrize("kind", ["down", "html", "garbled"])
@pytest.mark.parametrize("dead", ["workspace_one", "maas360"])
def test_one_dead_mdm_hides_nothing_of_the_other(tell: Tell, dead: str, kind: str) -> None:
    """Her registered phone is in MaaS360, her second one in Workspace ONE."""
    story = tell("two_mdms")
    messages_arrive(story.engine, story.store.tenant_id, "ws1")
    story.with_world(managers={"ws1": story.remotes.ws1, "maas": story.remotes.maas})
    story.fault(dead, kind)
    story.arrives()
    story.passes(30)
    assert {device.key.connection for device in story.journey.managed} == {"maas" if dead == "workspace_one" else "ws1"}
    assert story.step is Step.THIS_DEVICE, "the page goes on with what it knows"
    story.sandbox.faults.clear()
    story.checks_again()
    story.passes(60)
    assert {device.key.connection for device in story.journey.managed} == {"maas", "ws1"}
    story.says_this_is_mine(story.remotes.record_id)
    story.taps_the_message()
    story.gets_to(Step.REGISTER)  # it could be the other one that is registered
    story.tick(5)
    story.registers_again()
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


def test_T1_while_an_mdm_is_silent_the_registered_phone_may_be_the_one_there(tell: Tell) -> None:
    """The phone in the living MDM shows, but no link rests on its being the only one: nobody knows what the other holds."""
    story = tell("two_mdms")
    story.with_world(managers={"ws1": story.remotes.ws1, "maas": story.remotes.maas})
    story.fault("workspace_one", "down")
    story.arrives()
    story.says_this_is_mine(story.remotes.record_id)
    story.taps_the_message()
    story.passes(120)
    assert (story.step, story.links(), story.journey.look.mdm_error) == (Step.WAIT, [], "unreachable")
    story.tick(5)
    story.registers_again()  # the control: which phone registered after its message is beyond doubt
    story.gets_to(Step.OPEN)
    assert story.outlook_opens()


def test_a_silent_mdm_that_comes_back_empty_keeps_nobody_waiting(tell: Tell) -> None:
    story = tell("on_maas360")
    story.with_world(managers={"ws1": story.remotes.ws1, "maas": story.remotes.maas})
    story.fault("workspace_one", "down")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.passes(60)
    assert (story.step, story.links()) == (Step.WAIT, [])
    story.sandbox.faults.clear()
    story.gets_to(Step.OPEN, within=3600)


def test_the_worker_is_made_with_both_from_settings_and_each_has_its_own_budget(tell: Tell) -> None:
    story = tell("two_mdms")
    facts = story.remotes.facts["maas360"]
    maas = Maas360Connection(
        kind="maas360",
        url=facts["api_url"],
        **{name: facts[name] for name in ("billing_id", "app_id", "access_key", "user", "password")},
    )
    settings = settings_for(story.sandbox, ca_file=str(story.sandbox.keys.ca_pem))
    given = settings.model_copy(update={"mdm": {**settings.mdm, "maas": maas}})
    budgets = build_budgets(given, story.engine, clock=story.world.clock)
    wire = WSGIAdapter(story.sandbox.api)
    world = build_world(given, story.store, budgets, transport=wire, clock=story.world.clock)
    assert set(world.managers) == {"ws1", "maas"}
    mia = story.remotes.person()
    assert [len(manager.devices_of(mia).devices) for manager in world.managers.values()] == [1, 1]
    story.fault("maas360", "throttle", retry_after=600)
    with pytest.raises(Busy):
        world.managers["maas"].devices_of(mia)
    with pytest.raises(Busy) as caught:
        world.managers["maas"].devices_of(mia)
    assert not caught.value.called, "a gate of its own, which is shut now"
    assert world.managers["ws1"].devices_of(mia).devices


def test_without_an_address_the_billing_id_chooses_the_host(tell: Tell) -> None:
    story = tell("on_maas360")
    facts = story.remotes.facts["maas360"]
    own = {name: facts[name] for name in ("billing_id", "app_id", "access_key", "user", "password")}
    given = settings_for(story.sandbox).model_copy(update={"mdm": {"maas": Maas360Connection(kind="maas360", **own)}})
    wire = WSGIAdapter(story.sandbox.api)
    budgets = build_budgets(given, story.engine, clock=story.world.clock)
    world = build_world(given, story.store, budgets, transport=wire, clock=story.world.clock)
    with pytest.raises(RemoteError):
        world.managers["maas"].device("x")
    assert str(wire.requests[-1].url).startswith("https://services.m3.maas360.com/auth-apis/auth/2.0/authenticate/customer/3001")
