"""Evidence level *bound*: a second sign-in in which Entra names the device, by claim or by record; and the attacks on it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState
from remediation.domain.evidence import Level
from remediation.domain.sign_in_proof import RECORD_LOOKS, Pair, Record, SignIn
from remediation.domain.steps import Step
from remediation.errors import Stale
from remediation.services import ask
from remediation.services.sign_in_again import signed_in_again
from sandbox.tenant import other_device
from tests.stories import BROWSER, Story

Tell = Callable[..., Story]
AN_HOUR = RECORD_LOOKS[-1].total_seconds()


def asked_to_sign_in(tell: Tell, scenario: str = "blocked_just_registered", **more: Any) -> Story:
    story = tell(scenario, **{"minimum": Level.BOUND, **more})
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    assert (story.step, story.link_states(), story.uploads()) == (Step.SIGN_IN, [LinkState.PENDING], [])
    return story


def details(story: Story, why: str) -> list[dict[str, Any]]:
    audit = sa.text("SELECT detail FROM audit WHERE why = :why ORDER BY id").columns(detail=sa.JSON)
    with story.engine.connect() as connection:
        return list(connection.execute(audit, {"why": why}).scalars())


def compliant_pushes(story: Story) -> list[str]:
    return [upload.content[1]["DeviceId"] for upload in story.uploads() if upload.content[1]["complianceStatus"] == "compliant"]


def test_the_claim_names_the_candidate_and_the_link_becomes_active_and_bound(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    story.signs_in_again()
    story.gets_to(Step.OPEN)
    [active] = [link for link in story.links() if link.state is LinkState.ACTIVE]
    assert (active.evidence.level, active.minimum) == (Level.BOUND, Level.BOUND)
    assert "deviceid claim" in active.evidence.how
    assert "link opened on the managed device" in active.evidence.how
    assert story.outlook_opens()
    assert not [e for e in story.ledger() if "auditLogs" in e["path"]], "a claim is Entra's word already"


def test_without_the_claim_the_record_names_it_some_minutes_later_with_the_page_closed(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    story.sandbox.world.lags.sign_in_lag = 290
    story.signs_in_again(wants_claim=False)
    assert (story.step, story.link_states()) == (Step.SIGN_IN, [LinkState.PENDING])
    story.passes(240)
    assert (story.link_states(), story.uploads()) == ([LinkState.PENDING], [])
    story.gets_to(Step.OPEN, within=400)
    [active] = [link for link in story.links() if link.state is LinkState.ACTIVE]
    assert active.evidence.level is Level.BOUND
    assert "record of a second sign-in" in active.evidence.how
    looks = [e for e in story.ledger() if "auditLogs" in e["path"]]
    assert 1 < len(looks) <= 8, "looked for at parked times"
    assert [d["log"] for d in details(story, "sign_in.recorded")] == ["read"]


def test_a_browser_that_proves_nothing_leaves_it_at_possession_and_the_look_for_the_record_ends(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    story.signs_in_again(on_the_phone=False)
    story.passes(AN_HOUR + 600, every=20)
    [sign_in] = story.journey.sign_ins
    assert (sign_in.record, sign_in.named) == (Record.READ, frozenset())
    assert (story.step, story.link_states(), story.uploads()) == (Step.SIGN_IN, [LinkState.PENDING], [])
    story.signs_in_again()  # the control: another try in the right browser
    story.gets_to(Step.OPEN)


def test_a_record_that_never_comes_is_given_up_after_an_hour_and_not_before(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    story.sandbox.world.lags.sign_in_lag = 10**6
    story.signs_in_again(wants_claim=False)
    story.passes(AN_HOUR - 120, every=20)
    assert [one.record for one in story.journey.sign_ins] == [Record.WAITING]
    story.passes(600, every=20)
    assert [one.record for one in story.journey.sign_ins] == [Record.GIVEN_UP]
    calls = len([e for e in story.ledger() if "auditLogs" in e["path"]])
    story.passes(3600, every=60)
    assert len([e for e in story.ledger() if "auditLogs" in e["path"]]) == calls == len(RECORD_LOOKS)
    assert (story.step, story.link_states()) == (Step.SIGN_IN, [LinkState.PENDING])


def test_a_tenant_that_lets_nobody_read_the_log_is_told_so_once_and_the_claim_still_counts(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    for roles in story.sandbox.world.apps["service"].permissions.values():
        roles.discard("AuditLog.Read.All")
    story.sandbox.world.end_tokens()
    story.remotes.moment += 10**5
    story.signs_in_again(wants_claim=False)
    story.passes(120)
    assert (story.journey.sign_ins[0].record, story.journey.look.directory_error) == (Record.FORBIDDEN, None)
    assert len([e for e in story.ledger() if "auditLogs" in e["path"]]) == 1
    story.signs_in_again()
    story.gets_to(Step.OPEN)


@pytest.mark.parametrize("kind", ["throttle", "down", "garbled", "html", "server_error"])
def test_a_log_that_is_unwell_delays_nothing_but_itself(tell: Tell, kind: str) -> None:
    story = asked_to_sign_in(tell)
    story.sandbox.world.lags.sign_in_lag = 0
    story.fault("graph", kind, path="auditLogs", for_seconds=100)
    story.signs_in_again(wants_claim=False)
    story.passes(60)
    assert (story.step, story.journey.look.directory_error) == (Step.SIGN_IN, None)
    story.gets_to(Step.OPEN, within=400)


@pytest.mark.parametrize("claim", [True, False], ids=["claim", "record"])
def test_T1_another_device_than_the_candidate_refuses_the_link(tell: Tell, claim: bool) -> None:
    """*Registers B while opening on A*, and signs in from a third: nothing is pushed, and staff read which two devices it was."""
    story = asked_to_sign_in(tell, "signs_in_elsewhere")
    story.sandbox.world.lags.sign_in_lag = 0
    laptop = story.sandbox.world.signs_in_from
    story.signs_in_again(wants_claim=claim)
    story.passes(60)
    assert (story.step, story.journey.help_why, story.link_states()) == (Step.HELP, "named_another", [LinkState.ENDED])
    assert [link.ended_why for link in story.links()] == ["named_another"]
    refused = [d for d in details(story, "journey.needs_help") if d["because"] == "named_another"]
    assert [(d["device"], d["named"]) for d in refused] == [(story.remotes.phone.device_id, laptop)]
    assert story.uploads() == []
    story.checks_again()
    assert (story.step, story.uploads()) == (Step.HELP, []), "asking again does not lift it"
    story.signs_in_again(on_the_phone=False)
    story.passes(AN_HOUR + 600, every=30)
    assert (story.step, story.uploads()) == (Step.HELP, []), "nor does a sign-in that names nothing"
    story.sandbox.world.signs_in_from = "hand"  # the control: on the device itself
    story.signs_in_again(wants_claim=claim)
    story.gets_to(Step.OPEN, within=400)
    assert compliant_pushes(story) == [story.remotes.phone.device_id]


def test_T1_a_minimum_lowered_meanwhile_does_not_let_the_refused_link_through(tell: Tell) -> None:
    story = asked_to_sign_in(tell, "signs_in_elsewhere")
    story.signs_in_again()
    story.with_world(minimum=Level.POSSESSION)
    story.checks_again()
    story.passes(60)
    assert (story.step, story.uploads()) == (Step.HELP, [])


def test_T1_a_link_of_possession_alone_ends_where_entra_names_another_device_for_its_pair(tell: Tell) -> None:
    """The minimum was lowered between the question and its answer, so that the link was active when the answer came."""
    story = asked_to_sign_in(tell, "signs_in_elsewhere")
    pair = story.journey.sign_in_asked
    assert pair is not None
    story.with_world(minimum=Level.POSSESSION)
    story.checks_again()
    story.gets_to(Step.OPEN)
    returned(story, pair, claimed=story.sandbox.world.signs_in_from)
    story.passes(60)
    assert (story.step, story.entra_shows) == (Step.HELP, False)
    assert LinkState.ACTIVE not in story.link_states()


def test_T11_signing_in_on_the_laptop_afterwards_takes_no_bound_link_down(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    pair = story.journey.sign_in_asked
    assert pair is not None
    story.signs_in_again()
    story.gets_to(Step.OPEN)
    laptop = next(d.device_id for d in story.sandbox.world.devices.values() if d.name == "CONTOSO-MB-07")
    returned(story, pair, claimed=laptop)
    story.passes(60)
    assert (story.step, story.entra_shows) == (Step.OPEN, True)


def test_T3_a_thief_who_signs_in_from_a_device_of_his_own_gets_nothing_without_possession(tell: Tell) -> None:
    """A stolen session registers the thief's phone and signs in from it; the message is on the phone that he does not have."""
    story = tell("blocked_unregistered", minimum=Level.BOUND)
    thiefs = other_device(story.sandbox.world, "iPhone", "iOS", "17.4", 0)
    story.sandbox.world.signs_in_from = thiefs.device_id
    story.arrives()
    story.says_this_is_mine()
    assert story.journey.sign_in_asked is None, "before possession is proven nothing is asked"
    story.passes(1200)
    assert (story.links(), story.uploads()) == ([], [])
    story.sandbox.world.signs_in_from = "hand"  # the control: the person herself
    story.says_this_is_mine()
    story.passes(5)
    story.registers()
    story.passes(10)
    story.taps_the_message()
    story.gets_to(Step.SIGN_IN)
    story.signs_in_again()
    story.gets_to(Step.OPEN)
    assert compliant_pushes(story) == [story.remotes.phone.device_id]


def test_T3_a_sign_in_of_before_possession_was_proven_anew_counts_for_nothing(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    pair = story.journey.sign_in_asked
    assert pair is not None
    before = story.world.clock() - timedelta(minutes=5)
    returned(story, pair, claimed=pair.device_id, began_at=before)
    story.passes(30)
    assert (story.step, story.uploads()) == (Step.SIGN_IN, [])


def test_T4_what_comes_back_in_another_browser_or_for_another_person_is_not_kept(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    pair = story.journey.sign_in_asked
    assert pair is not None
    with pytest.raises(Stale):
        returned(story, pair, claimed=pair.device_id, browser="c" * 32)
    with pytest.raises(Stale):
        returned(story, pair, claimed=pair.device_id, oid=story.remotes.person("Noah").oid)
    assert (story.journey.sign_ins, story.uploads()) == ((), [])
    returned(story, pair, claimed=pair.device_id)  # the control
    story.gets_to(Step.OPEN)


def test_T5_registered_anew_after_the_sign_in_it_proves_nothing_of_the_new_entry(tell: Tell) -> None:
    story = asked_to_sign_in(tell, "reregistered_same_id")
    story.sandbox.world.lags.sign_in_lag = 10**6
    story.sandbox.world.lags.registration_lag = 0
    pair = story.journey.sign_in_asked
    assert pair is not None
    story.registers_again()
    returned(story, pair, claimed=pair.device_id)
    story.passes(60)
    assert (story.uploads(), LinkState.ACTIVE in story.link_states()) == ([], False)
    story.signs_in_again()
    story.gets_to(Step.OPEN)


def test_under_certificate_a_named_device_is_bound_and_still_not_enough(tell: Tell) -> None:
    story = asked_to_sign_in(tell, minimum=Level.CERTIFICATE)
    story.signs_in_again()
    story.passes(30)
    assert (story.step, story.journey.help_why, story.uploads()) == (Step.CERTIFICATE, None, [])
    [pending] = [link for link in story.links() if link.state is LinkState.PENDING]
    assert pending.evidence.level is Level.BOUND


@pytest.mark.parametrize("minimum", [Level.FRESH, Level.POSSESSION])
def test_where_less_is_asked_for_nobody_signs_in_twice(tell: Tell, minimum: Level) -> None:
    story = tell("blocked_just_registered", minimum=minimum)
    story.gets_through()
    assert (story.journey.sign_in_asked, story.journey.sign_ins) == (None, ())


def test_the_explanation_is_kept_with_the_link(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    off = other_device(story.sandbox.world, "Mia’s old iPhone", "iOS", "16.2", 400, enabled=False)
    story.gets_through()
    [made] = details(story, "link.made")
    assert made["how"] == "link opened on the managed device; the only registered device that can be this one"
    assert made["refused"] == [f"{off.device_id} disabled"]


def test_asking_in_two_passes_at_once_changes_nothing(tell: Tell) -> None:
    story = asked_to_sign_in(tell)
    story.signs_in_again()
    story.gets_to(Step.OPEN)
    before = (story.audit().count("link.made"), len(story.uploads()))
    ask.check_again(story.store, story.journey_id, oid=story.oid, now=story.world.clock())
    story.tick(everything=True)
    story.tick(5, everything=True)
    assert (story.audit().count("link.made"), len(story.uploads())) == before


def returned(story: Story, pair: Pair, *, claimed: str, began_at: datetime | None = None, **changed: str) -> None:
    """What a web process says came back."""
    now = story.world.clock()
    who = {"oid": story.oid, "browser": BROWSER, **changed}
    sign_in = SignIn(f"s{now.timestamp()}", pair, "app", "c" * 8, began_at or now, now, claimed)
    signed_in_again(story.store, story.journey_id, sign_in, **who, now=now)
    story.tick()
