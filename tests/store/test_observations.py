"""What was seen is kept as last read; a row of history only where something that matters differs."""

from dataclasses import replace
from typing import Any

import pytest

from remediation.domain.compliance import MdmWord, Posture
from remediation.domain.device import Person
from tests.people import MANAGED_PHONE, MIA, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import FINE, Scene, directory_phone, managed_phone

LATER = NOON + minutes(1)


def posture(**changes: Any) -> Posture:
    return replace(MANAGED_PHONE.posture, **{"read_at": LATER, **changes})


def news(scene: Scene, already: int) -> list[tuple[object, ...]]:
    return scene.observed()[already:]


def test_reading_the_same_again_leaves_no_row(scene: Scene) -> None:
    assert [row[:2] for row in scene.observed()] == [("managed_device", "new"), ("directory_device", "new")]
    scene.store.observe_person(MIA, FINE, at=NOON)
    first = scene.observed()
    scene.see_managed(replace(MANAGED_PHONE, os_version="18", posture=posture(last_seen=LATER)), at=LATER)
    scene.see_directory(replace(REGISTERED_PHONE, os_version="18", read_at=LATER), at=LATER)
    scene.store.observe_person(MIA, replace(FINE, read_at=LATER), at=LATER)
    assert scene.observed() == first
    assert scene.journey().managed[0].os_version == scene.journey().directory[0].os_version == "18"


@pytest.mark.parametrize(
    ("what", "value", "stored"),
    [("word", MdmWord.NOT_COMPLIANT, "not_compliant"), ("enrolled", False, False), ("compromised", True, True)],
)
def test_a_posture_that_differs_leaves_a_row(scene: Scene, what: str, value: object, stored: object) -> None:
    old, already = getattr(MANAGED_PHONE.posture, what), len(scene.observed())
    scene.store.observe_managed_device(replace(MANAGED_PHONE, posture=posture(**{what: value})), at=LATER)
    assert news(scene, already) == [("managed_device", what, old, stored)]


@pytest.mark.parametrize(("what", "value"), [("compliant", True), ("enabled", False), ("owner_oid", "eve"), ("name", "New")])
def test_a_directory_device_that_differs_leaves_a_row(scene: Scene, what: str, value: Any) -> None:
    old, already = getattr(REGISTERED_PHONE, what), len(scene.observed())
    seen = replace(REGISTERED_PHONE, read_at=LATER, **{what: value})
    scene.store.observe_directory_device(seen, at=LATER)
    assert news(scene, already) == [("directory_device", what, old, value)]


def test_what_a_complete_list_lacks_is_gone_until_it_is_back(scene: Scene) -> None:
    already = len(scene.observed())
    scene.see_managed(at=LATER)
    assert scene.journey().managed == ()
    scene.see_managed(replace(MANAGED_PHONE, posture=posture()), at=LATER)
    assert len(scene.journey().managed) == 1
    assert [row[1] for row in news(scene, already)] == ["gone", "back"]


def test_one_list_says_nothing_of_another_person_or_connection(scene: Scene) -> None:
    scene.arrive("j2", Person("eve", "Eve", "eve"))
    scene.see_managed(oid="eve", at=LATER)
    scene.store.observe_managed("maas", "mia", [], at=LATER)
    assert len(scene.journey().managed) == 1


def test_an_older_read_overwrites_nothing(scene: Scene) -> None:
    scene.see_managed(replace(MANAGED_PHONE, posture=posture(compromised=True)), at=LATER)
    already = len(scene.observed())
    scene.see_managed(MANAGED_PHONE)
    scene.see_managed()  # an older list that lacked it
    assert scene.journey().managed[0].posture.compromised is True
    assert news(scene, already) == []


def test_a_list_that_did_not_ask_for_owners_takes_none_away(scene: Scene) -> None:
    scene.see_directory(replace(REGISTERED_PHONE, owner_oid=None, read_at=LATER), at=LATER)
    assert scene.journey().directory[0].owner_oid == "mia"
    scene.store.observe_directory_device(replace(REGISTERED_PHONE, owner_oid=None, read_at=LATER), at=LATER)
    assert scene.journey().directory[0].owner_oid is None


def test_names_that_no_database_can_hold_are_kept_as_far_as_they_can(scene: Scene) -> None:
    phones = managed_phone("2", name="a\x00b\ud800"), managed_phone("3", name="<b>\u202e📱" + "x" * 4096)
    for _ in range(2):
        scene.see_managed(MANAGED_PHONE, *phones)
    scene.see_directory(REGISTERED_PHONE, directory_phone("d2", name="\ud83d"))
    assert [d.name for d in scene.journey().managed] == [MANAGED_PHONE.name, "ab?", phones[1].name]
    assert [row[1] for row in scene.observed()] == ["new"] * 5
