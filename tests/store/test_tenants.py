"""Two tenants in one database never see, find, change or end each other's anything, even under the same ids."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.domain.push import Lane
from remediation.errors import PossessionRefused, Stale
from remediation.ports import Actor, Change
from remediation.store import DbosWakeups, SqlSessions, SqlSignInStates, SqlStore
from remediation.store.tables import metadata
from tests.people import LINK, MANAGED_PHONE, NOON, minutes
from tests.store.scenes import BROWSER, GOOD, Scene


@pytest.fixture
def neighbour(engine: sa.Engine, scene: Scene) -> Scene:
    """The scene's tenant is in full swing; this one is empty."""
    scene.ask_for_proof()
    scene.mint("hash")
    scene.link()
    scene.desire(GOOD)
    return Scene(engine, SqlStore(engine, "fabrikam", DbosWakeups(engine)))


def test_nothing_is_seen_across(neighbour: Scene) -> None:
    store = neighbour.store
    assert (store.journey("j1"), store.link("l1"), store.push("l1"), store.possession_link("hash", NOON)) == (None,) * 4
    assert (store.living_journey("mia", Platform.IOS, NOON), store.journey_of_browser(BROWSER, "mia", NOON)) == (None, None)
    assert store.wake_due(NOON + minutes(5)).rows == 0


ACTS: dict[str, Callable[[Change], object]] = {
    "want_look": lambda c: c.want_look("j1"),
    "bind_journey": lambda c: c.bind_journey("j1", "chrome"),
    "want_possession": lambda c: c.want_possession("j1", MANAGED_PHONE.key),
    "mint_possession_link": lambda c: c.mint_possession_link("j1", token_hash="x", expires_at=NOON),
    "still_blocked": lambda c: c.still_blocked("j1"),
    "pick": lambda c: c.pick("j1", "d1"),
    "need_help": lambda c: c.need_help("j1", "loop"),
    "end_link": lambda c: c.end_link("l1", "unenrolled"),
    "wake_link": lambda c: c.wake_link("l1", lane=Lane.SWEEP),
    "desire": lambda c: c.desire("l1", seq=1, decision=GOOD, posture_read_at=NOON, lane=Lane.SWEEP),
    "sent": lambda c: c.sent("l1", seq=1),
    "prove_possession": lambda c: c.prove_possession("hash", oid="mia", browser=BROWSER),
    "revoke_possession": lambda c: c.revoke_possession("hash", oid="mia"),
}


def test_nothing_is_changed_across(scene: Scene, neighbour: Scene) -> None:
    before = scene.journey(), scene.push()
    for name, act in ACTS.items():
        with pytest.raises((Stale, PossessionRefused)), neighbour.change() as change:
            act(change)
        assert (scene.journey(), scene.push()) == before, name


def test_nothing_is_noted_across(scene: Scene, neighbour: Scene) -> None:
    before = scene.journey(), scene.push()
    wake = scene.journey().look.wake
    neighbour.store.note_look(
        "j1",
        wake=wake,
        at=NOON,
        next_at=None,
        attempts=9,
        directory_error=None,
        mdm_error="x",
        owner_problem="shared_user",
        refreshed=True,
    )
    neighbour.store.note_push("l1", wake=1, seq=0, next_at=None, attempts=9, reason="x", observed=True, observed_at=NOON)
    assert (scene.journey(), scene.push()) == before


def test_the_same_ids_live_side_by_side(scene: Scene, neighbour: Scene) -> None:
    neighbour.arrive()
    neighbour.see_managed(replace(MANAGED_PHONE, name="theirs"))
    neighbour.see_managed(at=NOON + minutes(1))
    assert [d.name for d in scene.journey().managed] == [MANAGED_PHONE.name]
    assert neighbour.journey().managed == ()
    neighbour.see_managed(MANAGED_PHONE, at=NOON + minutes(1))
    with neighbour.store.change(Actor("worker", "w"), "test", about=("link", "l1"), at=NOON) as change:
        change.make_link(replace(LINK, id="l1-theirs"))
    assert (scene.journey().links, neighbour.journey().links) == ((LINK,), (replace(LINK, id="l1-theirs"),))


def test_sessions_and_sign_ins_are_apart(engine: sa.Engine) -> None:
    ours, theirs = SqlSessions(engine, "contoso"), SqlSessions(engine, "fabrikam")
    token = ours.begin(oid="mia", name="Mia", roles=[], browser="b", at=NOON)
    theirs.end(token, at=NOON)
    store, about = SqlStore(engine, "fabrikam", DbosWakeups(engine)), ("person", "mia")
    with store.change(Actor("worker", "w"), "sessions.ended", about=about, at=NOON) as change:
        assert change.end_sessions("mia") == 0
    assert theirs.find(token, at=NOON) is None
    assert ours.find(token, at=NOON) is not None
    SqlSignInStates(engine, "contoso").put("key", "value", until=NOON + minutes(10))
    assert SqlSignInStates(engine, "fabrikam").take("key", at=NOON) is None
    assert SqlSignInStates(engine, "contoso").take("key", at=NOON) == "value"


def test_every_table_carries_the_tenant_first() -> None:
    for table in metadata.tables.values():
        column = table.c.tenant_id
        assert not column.nullable
        assert column.primary_key or any(next(iter(index.columns)) is column for index in table.indexes), table.name
        for key in table.foreign_key_constraints:
            assert key.column_keys[0] == "tenant_id", table.name
