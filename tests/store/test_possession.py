"""A possession link works once, in time, for its own person, in the journey it was sent for."""

from dataclasses import replace
from functools import partial

import pytest

from remediation.domain.device import Person
from remediation.errors import PossessionRefused
from tests.people import KEY, MANAGED_PHONE, NOON, minutes
from tests.store.scenes import BROWSER, Scene, all_at_once, managed_phone


@pytest.fixture
def sent(scene: Scene) -> Scene:
    scene.ask_for_proof()
    scene.mint("hash")
    return scene


def tap(scene: Scene, link: str = "hash", *, oid: str = "mia", browser: str = BROWSER, minute: int = 2) -> str:
    with scene.change("possession.proven", at=NOON + minutes(minute)) as change:
        return change.prove_possession(link, oid=oid, browser=browser)


def refusal(scene: Scene) -> str | None:
    facts = scene.store.possession_link("hash", NOON)
    assert facts is not None
    return facts.refusal


def test_the_proof_is_stored_with_its_use_and_wakes_the_journey(sent: Scene) -> None:
    proof = sent.journey().possession
    assert proof is not None
    assert (proof.key, proof.sent_at, proof.expires_at, proof.proven_at) == (KEY, NOON, NOON + minutes(10), None)
    wake = sent.journey().look.wake
    assert tap(sent) == "j1"
    assert sent.journey().proven
    assert sent.journey().look.wake == wake + 1
    assert sent.wake_ups()[-1][1] == f"j1:{wake + 1}"


def test_T7_of_sixteen_taps_one_counts(sent: Scene) -> None:
    before = len(sent.audited())
    assert all_at_once([partial(tap, sent)] * 16) == {"done": 1, "used": 15}
    assert len(sent.audited()) == before + 1


@pytest.mark.parametrize(
    ("oid", "browser", "minute", "why"),
    [("eve", BROWSER, 1, "other_person"), ("mia", "chrome", 1, "other_journey"), ("mia", BROWSER, 10, "too_late")],
)
def test_T7_a_refused_tap_uses_nothing_up(sent: Scene, oid: str, browser: str, minute: int, why: str) -> None:
    with pytest.raises(PossessionRefused) as caught:
        tap(sent, oid=oid, browser=browser, minute=minute)
    assert caught.value.why == why
    assert not sent.journey().proven
    assert refusal(sent) is None
    tap(sent)


def test_a_link_never_made_is_unknown(sent: Scene) -> None:
    assert sent.store.possession_link("other", NOON) is None
    with pytest.raises(PossessionRefused, match="unknown"):
        tap(sent, "other")


def test_a_journey_that_went_on_in_another_browser_takes_its_link_along(sent: Scene) -> None:
    with sent.change() as change:
        change.bind_journey("j1", "chrome")
    with pytest.raises(PossessionRefused, match="other_journey"):
        tap(sent)
    tap(sent, browser="chrome")


def test_not_me_revokes_every_open_link_of_the_journey(sent: Scene) -> None:
    sent.mint("second")
    with sent.change() as change:
        change.revoke_possession("second", oid="mia")
    for token_hash in ("hash", "second"):
        with pytest.raises(PossessionRefused, match="revoked"):
            tap(sent, token_hash)
    assert refusal(sent) == "revoked"


def test_T11_only_the_person_can_revoke(sent: Scene) -> None:
    with pytest.raises(PossessionRefused, match="other_person"), sent.change() as change:
        change.revoke_possession("hash", oid="eve")
    tap(sent)


def test_the_page_behind_a_link_says_whose_and_whether_it_can_be_used(sent: Scene) -> None:
    facts = sent.store.possession_link("hash", NOON)
    assert facts is not None
    assert (facts.journey_id, facts.case_code, facts.oid, facts.person_name) == ("j1", "case-j1", "mia", "Mia Berger")
    assert (facts.device_name, facts.device_model, facts.sent_at) == (MANAGED_PHONE.name, MANAGED_PHONE.model, NOON)
    late = sent.store.possession_link("hash", NOON + minutes(10))
    assert late is not None
    assert (facts.refusal, late.refusal) == (None, "too_late")
    tap(sent)
    assert refusal(sent) == "used"


def test_an_earlier_link_stays_good_and_its_proof_is_not_undone_by_a_later_one(sent: Scene) -> None:
    sent.ask_for_proof()
    tap(sent, "hash")
    sent.mint("second")
    assert sent.journey().proven


def test_a_wipe_between_message_and_tap_voids_the_proof(sent: Scene) -> None:
    sent.see_managed(replace(MANAGED_PHONE, generation="g2"))
    tap(sent)
    assert not sent.journey().proven


def test_a_link_whose_sending_was_never_noted_still_proves(scene: Scene) -> None:
    scene.ask_for_proof()
    scene.mint("hash", sent=False)
    tap(scene)
    proof = scene.journey().possession
    assert proof is not None
    assert (proof.sent_at, scene.journey().proven) == (NOON, True)


def test_asking_again_begins_anew(sent: Scene) -> None:
    sent.see_managed(MANAGED_PHONE, managed_phone("2"))
    with sent.change() as change:
        change.possession_failed("j1", "unreachable")
    sent.ask_for_proof(managed_phone("2").key)
    proof = sent.journey().possession
    assert proof is not None
    assert (proof.key.record_id, proof.sent_at, proof.expires_at, proof.error) == ("2", None, None, None)


def test_a_message_that_was_asked_for_by_a_clock_ahead_of_ours_is_not_sent_again_and_again(scene: Scene) -> None:
    with scene.change(at=NOON + minutes(1)) as change:
        change.want_possession("j1", KEY)
    scene.mint("hash")
    proof = scene.journey().possession
    assert proof is not None
    assert proof.sent_at == proof.wanted_at


def test_another_persons_journey_is_not_touched(sent: Scene) -> None:
    sent.arrive("j2", Person("eve", "Eve", "eve"))
    tap(sent)
    assert sent.journey("j2").possession is None
