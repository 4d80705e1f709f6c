"""Shown certificates in the database (T4, T7): one use, in time, and counted only when the journey's own browser came back."""

import pytest

from remediation.domain.sign_in_proof import pair_of
from remediation.errors import CertificateRefused, Stale
from tests.people import MANAGED_PHONE, MIA, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import BROWSER, Scene, all_at_once

PAIR = pair_of(MANAGED_PHONE, REGISTERED_PHONE)


def asks(scene: Scene, *, browser: str = BROWSER) -> None:
    with scene.change("certificate.asked", at=NOON) as change:
        until = NOON + minutes(10)
        change.ask_for_certificate("j1", PAIR, handle_hash="handle", oid=MIA.oid, browser=browser, expires_at=until)


def shows(scene: Scene, at: float = 1) -> None:
    with scene.change("certificate.shown", at=NOON + minutes(at)) as change:
        change.certificate_shown("handle", pem="a pem", fingerprint="ab", back_hash="back")


def returns(scene: Scene, at: float = 2, *, oid: str = MIA.oid, browser: str = BROWSER) -> None:
    with scene.change("certificate.returned", at=NOON + minutes(at)) as change:
        change.came_back_with_certificate("back", oid=oid, browser=browser)


def shows_certificate(scene: Scene) -> None:
    asks(scene)
    shows(scene)
    returns(scene)


def test_it_counts_and_wakes_the_journey_once_its_browser_is_back(scene: Scene) -> None:
    asks(scene)
    shows(scene)
    assert (scene.journey().certificates, scene.wake_ups()) == ((), [])
    returns(scene)
    [shown] = scene.journey().certificates
    assert (shown.managed, shown.generation, shown.pem) == (PAIR.managed, PAIR.generation, "a pem")
    assert len(scene.wake_ups()) == 1


def test_T7_of_many_at_once_one_uses_it_up(scene: Scene) -> None:
    asks(scene)
    refused = []

    def one() -> None:
        try:
            shows(scene)
        except CertificateRefused as error:
            refused.append(error.why)

    all_at_once([one] * 6)
    assert refused == ["used"] * 5


@pytest.mark.parametrize("changed", [{"oid": "noah"}, {"browser": "another"}])
def test_T4_another_person_or_browser_brings_nothing_back(scene: Scene, changed: dict[str, str]) -> None:
    asks(scene)
    shows(scene)
    with pytest.raises(CertificateRefused, match="other_journey"):
        returns(scene, **changed)  # type: ignore[arg-type]
    assert scene.journey().certificates == ()
    returns(scene)
    assert len(scene.journey().certificates) == 1


def test_too_late_is_too_late_on_both_ways(scene: Scene) -> None:
    with pytest.raises(Stale):
        asks(scene, browser="another")
    asks(scene)
    with pytest.raises(CertificateRefused, match="too_late"):
        shows(scene, 10)
    shows(scene)
    with pytest.raises(CertificateRefused, match="too_late"):
        returns(scene, 10)
