"""Two living links never share a device, whoever is fastest; what ends is taken down in the same transaction."""

from dataclasses import replace
from functools import partial

import pytest

from remediation.domain.compliance import Verdict
from remediation.domain.device import LinkState, ManagedKey
from remediation.domain.push import Lane, message_id
from remediation.errors import Conflict, Stale
from tests.people import LINK, MANAGED_PHONE, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import GOOD, TENANT, Scene, all_at_once, directory_phone, managed_phone

PENDING = replace(LINK, state=LinkState.PENDING)


def test_a_link_comes_back_as_it_was_made_and_is_woken_with_its_row(scene: Scene) -> None:
    scene.link()
    assert scene.store.link("l1") == LINK
    assert (scene.push().desired, scene.push().desired_seq, scene.push().wake) == (None, 0, 1)
    assert ("push_link", "l1:1", "push") in scene.wake_ups()


def test_T6_of_sixteen_links_to_one_directory_device_one_wins(scene: Scene) -> None:
    scene.see_managed(*(managed_phone(str(n)) for n in range(16)))
    before = len(scene.audited())
    links = [replace(LINK, id=f"l{n}", managed=ManagedKey("ws1", str(n))) for n in range(16)]
    assert all_at_once([partial(scene.link, link) for link in links]) == {"done": 1, "conflict": 15}
    assert len(scene.audited()) == before + 1
    assert sum(name == "push_link" for name, _, _ in scene.wake_ups()) == 1


@pytest.mark.parametrize("state", [LinkState.ACTIVE, LinkState.PENDING])
def test_T6_of_sixteen_links_to_one_managed_device_one_wins(scene: Scene, state: LinkState) -> None:
    scene.see_directory(*(directory_phone(str(n)) for n in range(16)))
    links = [replace(LINK, id=f"l{n}", device_id=str(n), state=state) for n in range(16)]
    assert all_at_once([partial(scene.link, link) for link in links]) == {"done": 1, "conflict": 15}


def test_a_pending_link_keeps_nobody_from_the_directory_device(scene: Scene) -> None:
    scene.see_managed(MANAGED_PHONE, managed_phone("2"))
    scene.link(PENDING)
    scene.link(replace(LINK, id="l2", managed=ManagedKey("ws1", "2")))


def test_the_end_of_a_link_is_told_in_the_same_transaction(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    with scene.change("link.ended", at=NOON + minutes(5)) as change:
        change.end_link("l1", "unenrolled")
    link, push = scene.store.link("l1"), scene.push()
    assert link is not None
    assert (link.state, link.ended_at, link.ended_why) == (LinkState.ENDED, NOON + minutes(5), "unenrolled")
    assert (push.desired, push.desired_seq, push.reasons, push.lane) == (Verdict.NOT_COMPLIANT, 2, ("unenrolled",), Lane.REVOKE)
    assert (push.compliant_until, push.message_id, push.wake) == (None, None, 2)
    assert ("push_link", "l1:2", "revoke") in scene.wake_ups()


def test_a_link_ends_once(scene: Scene) -> None:
    scene.link()

    def end() -> None:
        with scene.change() as change:
            change.end_link("l1", "unenrolled")

    assert all_at_once([end] * 8) == {"done": 1, "stale": 7}
    assert scene.push().desired_seq == 1


def test_the_end_of_a_pending_link_takes_nothing_down(scene: Scene) -> None:
    """Its directory device may be actively linked with another managed device by now."""
    scene.link(PENDING)
    with scene.change() as change:
        change.end_link("l1", "replaced")
    assert (scene.push().desired, scene.push().next_look_at) == (None, None)


def test_I11_a_new_link_of_the_same_device_goes_on_from_the_last_time_told(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    with scene.change() as change:
        change.about_to_send("l1", seq=1, message_id="m1", update_time=NOON + minutes(9), seen_before=None)
        change.end_link("l1", "unenrolled")
    scene.link(replace(LINK, id="l2"))
    assert (scene.push("l2").at_rest, scene.push("l2").desired_seq) == (True, 0)
    assert scene.push("l2").last_update_time == NOON + minutes(9)
    assert message_id(TENANT, "l1", 1) != message_id(TENANT, "l2", 1)


def test_another_broken_rule_of_the_database_is_not_called_a_conflict(scene: Scene) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught:
        scene.link(replace(LINK, device_id="never seen"))
    assert not isinstance(caught.value, Conflict | Stale)
    assert REGISTERED_PHONE.device_id == LINK.device_id
