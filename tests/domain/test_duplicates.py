"""Several entries of one device: the linked one is in use; what is another's, switched off or called otherwise is none of them."""

from dataclasses import replace

from remediation.domain.device import Platform
from remediation.domain.duplicates import entries
from tests.people import ARRIVED, LINKED, NOON, REGISTERED_PHONE, minutes

OLD = replace(REGISTERED_PHONE, device_id="old", object_id="o-old", registered_at=NOON - minutes(60 * 24 * 200))
OLDER = replace(OLD, device_id="older", object_id="o-older", name=OLD.name.upper(), registered_at=NOON - minutes(60 * 24 * 400))


def test_three_entries_the_one_in_use_first_then_the_newest() -> None:
    journey = replace(LINKED, directory=(OLDER, REGISTERED_PHONE, OLD))
    assert [one.device_id for one in entries(journey)] == [REGISTERED_PHONE.device_id, "old", "older"]


def test_what_is_none_of_them() -> None:
    assert entries(replace(LINKED, directory=(REGISTERED_PHONE,))) == ()
    assert entries(replace(ARRIVED, directory=(REGISTERED_PHONE, OLD))) == (), "nothing is known to be in use before the link"
    others = (
        replace(OLD, enabled=False),
        replace(OLD, name="Mia's other phone"),
        replace(OLD, platform=Platform.ANDROID),
    )
    for other in others:
        assert entries(replace(LINKED, directory=(REGISTERED_PHONE, other))) == ()
    assert entries(replace(LINKED, directory=(REGISTERED_PHONE, OLD), taken=frozenset({"old"}))) == ()
