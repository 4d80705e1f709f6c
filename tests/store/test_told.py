"""What the figures are counted from, read on both databases: the period's rows, and what is linked of the people in them."""

from remediation.domain.told import Period
from remediation.store.look_up import SqlLookUp
from tests.people import LINK, NOON, minutes
from tests.store.scenes import GOOD, TENANT, WORKER, Scene


def test_a_period_tells_its_deeds_and_what_is_linked_of_its_people(scene: Scene) -> None:
    with scene.store.change(WORKER, "link.made", about=("link", "l1"), at=NOON) as change:
        change.make_link(LINK)
    scene.desire(GOOD)
    told = SqlLookUp(scene.engine, TENANT).told(Period(NOON - minutes(60), NOON + minutes(60)), NOON, most=100)
    assert {"journey.started", "link.made"} <= {deed.why for deed in told.deeds}
    assert (list(told.links), told.too_many) == (["l1"], False)
    assert (told.problems, told.found_open, told.lapsed, list(told.throttlings)) == ({}, frozenset(), {}, [])


def test_a_lease_that_nobody_took_down_is_told(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    later = Period(NOON + minutes(60), NOON + minutes(120))
    told = SqlLookUp(scene.engine, TENANT).told(later, NOON + minutes(6 * 24 * 60), most=100)
    assert (sum(told.lapsed.values()), list(told.deeds)) == (1, [])


def test_more_rows_than_a_page_counts_are_said_to_be_too_many(scene: Scene) -> None:
    assert SqlLookUp(scene.engine, TENANT).told(Period(NOON - minutes(60), NOON + minutes(60)), NOON, most=0).too_many
