"""Second sign-ins in the database (T4, T7): whose they are, that they wake the journey, and that their record is settled once."""

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState
from remediation.domain.evidence import Level
from remediation.domain.sign_in_proof import Record, SignIn, pair_of
from remediation.errors import Stale
from tests.people import LINK, MANAGED_PHONE, MIA, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import BROWSER, Scene, all_at_once

SIGN_IN = SignIn(
    id="s1",
    pair=pair_of(MANAGED_PHONE, REGISTERED_PHONE),
    app_id="app",
    correlation_id="c1",
    began_at=NOON + minutes(2),
    returned_at=NOON + minutes(3),
    claimed="d1",
)
SILENT = replace(SIGN_IN, claimed=None)


def comes_back(scene: Scene, sign_in: SignIn = SIGN_IN, *, oid: str = MIA.oid, browser: str = BROWSER) -> None:
    with scene.change("sign_in.returned", at=sign_in.returned_at) as change:
        change.signed_in_again("j1", sign_in, oid=oid, browser=browser)


def settle(scene: Scene, sign_in: SignIn) -> None:
    with scene.change("sign_in.recorded", at=NOON + minutes(9)) as change:
        change.sign_in_recorded(sign_in)


def test_what_came_back_is_a_fact_of_the_journey_and_wakes_it(scene: Scene) -> None:
    comes_back(scene)
    assert scene.journey().sign_ins == (SIGN_IN,)
    assert scene.journey().look.wanted_at == SIGN_IN.returned_at
    assert scene.wake_ups() == [("look_journey", "j1:1", "push")]


def test_they_are_told_in_the_order_of_their_return(scene: Scene) -> None:
    later = replace(SIGN_IN, id="s0", returned_at=NOON + minutes(5))
    comes_back(scene, later)
    comes_back(scene)
    assert scene.journey().sign_ins == (SIGN_IN, later)


@pytest.mark.parametrize(
    ("changed", "returned_at"),
    [({"oid": "noah"}, NOON), ({"browser": "another"}, NOON), ({}, NOON + minutes(60 * 24))],
    ids=["another person", "another browser", "too late"],
)
def test_T4_only_of_its_person_in_its_browser_while_the_journey_lives(
    scene: Scene, changed: dict[str, str], returned_at: datetime
) -> None:
    with pytest.raises(Stale):
        comes_back(scene, replace(SIGN_IN, returned_at=returned_at), **changed)
    assert (scene.journey().sign_ins, scene.wake_ups()) == ((), [])
    comes_back(scene)
    assert scene.journey().sign_ins == (SIGN_IN,)


def test_the_record_is_settled_once_by_one_of_many(scene: Scene) -> None:
    comes_back(scene, SILENT)
    read = replace(SILENT, record=Record.READ, recorded="d1", record_looks=3)
    ended = all_at_once([lambda: settle(scene, read)] * 8)
    assert ended == {"done": 1, "stale": 7}
    [stored] = scene.journey().sign_ins
    assert (stored.record, stored.recorded, stored.record_looks) == (Record.READ, "d1", 3)
    with pytest.raises(Stale):
        settle(scene, replace(SILENT, record=Record.GIVEN_UP))
    assert scene.audited().count("sign_in.recorded") == 1


def test_a_late_worker_takes_no_look_back(scene: Scene) -> None:
    comes_back(scene, SILENT)
    scene.store.note_sign_in(replace(SILENT, record_looks=4))
    scene.store.note_sign_in(replace(SILENT, record_looks=2))
    assert [one.record_looks for one in scene.journey().sign_ins] == [4]
    settle(scene, replace(SILENT, record=Record.READ, record_looks=5))
    scene.store.note_sign_in(replace(SILENT, record_looks=6))
    assert [(one.record_looks, one.record) for one in scene.journey().sign_ins] == [(5, Record.READ)]


def test_a_link_keeps_what_the_tenant_asked_when_it_was_made(scene: Scene) -> None:
    scene.link(replace(LINK, state=LinkState.PENDING, minimum=Level.BOUND))
    link = scene.store.link("l1")
    assert link is not None
    assert link.minimum is Level.BOUND
    scene.rows(sa.text("UPDATE device_links SET minimum = NULL RETURNING id"))  # one of before it was kept
    link = scene.store.link("l1")
    assert link is not None
    assert link.minimum is None


def test_the_pending_link_and_the_proof_ask_for_a_sign_in(scene: Scene) -> None:
    scene.ask_for_proof()
    scene.mint("hash")
    with scene.change("possession.proven", at=NOON + minutes(1)) as change:
        change.prove_possession("hash", oid=MIA.oid, browser=BROWSER)
    scene.link(replace(LINK, state=LinkState.PENDING, minimum=Level.BOUND))
    assert scene.journey().sign_in_asked == SIGN_IN.pair
    comes_back(scene)
    assert scene.journey().sign_in_of(SIGN_IN.pair) == SIGN_IN
    assert scene.journey().sign_in_of(replace(SIGN_IN.pair, object_id="o2")) is None
