"""Since when something is missing, and who else holds a device: what the end of a link is judged by."""

from dataclasses import replace

from remediation.domain.device import LinkState
from tests.people import KEY, LINK, MANAGED_PHONE, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import Scene, directory_phone, managed_phone


def test_missing_counts_from_the_first_time_after_the_last_good_read(scene: Scene) -> None:
    store = scene.store
    assert store.observe_managed_missing(KEY, at=NOON + minutes(1)) == NOON + minutes(1)
    assert store.observe_managed_missing(KEY, at=NOON + minutes(5)) == NOON + minutes(1)
    posture = replace(MANAGED_PHONE.posture, read_at=NOON + minutes(6))
    store.observe_managed_device(replace(MANAGED_PHONE, posture=posture), at=NOON + minutes(6))
    assert store.observe_managed_missing(KEY, at=NOON + minutes(7)) == NOON + minutes(7)
    assert store.observe_directory_missing(REGISTERED_PHONE.device_id, at=NOON + minutes(8)) == NOON + minutes(8)
    assert [kind for kind, what, *_ in scene.observed() if what == "missing"] == ["managed_device"] * 2 + ["directory_device"]


def test_beside_finds_links_of_either_device_and_living_links_only_those_that_live(scene: Scene) -> None:
    scene.see_managed(MANAGED_PHONE, managed_phone("2"))
    scene.see_directory(REGISTERED_PHONE, directory_phone("d2"))
    scene.link()
    with scene.change() as change:
        change.end_link("l1", "unenrolled")
    same_record = scene.link(replace(LINK, id="l2", device_id="d2"))
    same_device = scene.link(replace(LINK, id="l3", managed=managed_phone("2").key))
    assert {link.id for link, _ in scene.store.beside(LINK)} == {"l2", "l3"}
    assert {link.id for link, _ in scene.store.beside(same_record)} == {"l1"}
    ((link, push),) = scene.store.beside(same_device)
    assert (link.id, link.state, push.link_id, push.at_rest) == ("l1", LinkState.ENDED, "l1", False)
    assert {link.id for link in scene.store.living_links(KEY, LINK.device_id)} == {"l2", "l3"}
    assert scene.store.managed_device(KEY) == MANAGED_PHONE
    assert scene.store.managed_device(replace(KEY, record_id="never")) is None
