"""One change, one audit row; whatever is refused leaves nothing at all."""

from contextlib import suppress

import pytest
import sqlalchemy as sa

from remediation.errors import Stale
from remediation.store.engine import writing
from remediation.store.tables import audit
from tests.people import MIA, NOON
from tests.store.scenes import FINE, Scene


def test_a_change_leaves_exactly_one_audit_row(scene: Scene) -> None:
    before = len(scene.audited())
    with scene.change("journey.help") as change:
        change.audit(because="loop")
        change.want_look("j1")
        change.need_help("j1", "loop")
        change.audit(times=2)
    row = scene.rows(sa.select(audit).order_by(audit.c.id.desc()).limit(1))[0]
    assert len(scene.audited()) == before + 1
    assert (row.tenant_id, row.at, row.actor_kind, row.actor_id, row.why) == ("contoso", NOON, "worker", "worker-1", "journey.help")
    assert (row.about_kind, row.about_id, row.detail) == ("journey", "j1", {"because": "loop", "times": 2})


def test_an_error_inside_leaves_no_row_and_no_wake_up(scene: Scene) -> None:
    audited, woken = scene.audited(), scene.wake_ups()

    def fail() -> None:
        with scene.change() as change:
            change.want_look("j1")
            change.need_help("j1", "loop")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (scene.audited(), scene.wake_ups()) == (audited, woken)
    assert (scene.journey().help_why, scene.journey().look.wake) == (None, 0)


def test_a_refusal_that_the_caller_swallows_still_undoes_everything(scene: Scene) -> None:
    audited = scene.audited()

    def swallow() -> None:
        with scene.change() as change:
            change.need_help("j1", "loop")
            with suppress(Stale):
                change.end_link("no such link", "why")

    with pytest.raises(Stale):
        swallow()
    assert scene.audited() == audited
    assert scene.journey().help_why is None


def test_lesson_TOB_PYPI26_4_a_change_whose_audit_row_cannot_be_written_did_not_happen(scene: Scene) -> None:
    """Of PyPI's events some were dropped in silence, by a detail of the wrong shape. Here the change goes with its row."""
    audited, woken = scene.audited(), scene.wake_ups()

    def odd(detail: object) -> None:
        with scene.change() as change:
            change.want_look("j1")
            change.need_help("j1", "loop")
            change.audit(detail=detail)

    for detail in (object(), b"bytes", {1, 2}, NOON):
        with pytest.raises((sa.exc.StatementError, TypeError)):
            odd(detail)
    assert (scene.audited(), scene.wake_ups()) == (audited, woken)
    assert (scene.journey().help_why, scene.journey().look.wake) == (None, 0)
    odd({"of": ["a", "shape", 1, None]})
    assert (len(scene.audited()), scene.journey().help_why) == (len(audited) + 1, "loop")


def test_T28_a_change_happens_only_where_its_audit_row_is_taken(scene: Scene) -> None:
    """The database refuses the row, as a full disk or a right that was taken away would."""
    audited = scene.audited()
    with writing(scene.engine) as connection:
        connection.execute(sa.text("CREATE UNIQUE INDEX one_a_moment ON audit (at, why)"))
    assert "journey.started" in audited
    with pytest.raises(sa.exc.IntegrityError), scene.change("journey.started") as change:
        change.need_help("j1", "loop")
    assert (scene.audited(), scene.journey().help_why) == (audited, None)


@pytest.mark.parametrize("statement", [sa.update(audit).values(why="nothing"), sa.delete(audit)])
def test_the_audit_can_only_grow(scene: Scene, statement: sa.Executable) -> None:
    before = scene.audited()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        scene.rows(statement)
    assert scene.audited() == before != []


@pytest.mark.parametrize("name", ["token", "id_token", "client_secret", "Password"])
def test_the_audit_takes_no_secrets(scene: Scene, name: str) -> None:
    with pytest.raises(ValueError, match=name), scene.change() as change:
        change.audit(**{name: "x"})


def test_saving_a_person_keeps_the_mail_that_the_directory_gave(scene: Scene) -> None:
    from_graph = MIA.__class__(MIA.oid, "Mia B.", MIA.user_name, "mia.berger@contoso.example")
    scene.store.observe_person(from_graph, FINE, at=NOON)
    with scene.change() as change:
        change.save_person(MIA)
    assert scene.journey().person == MIA.__class__(MIA.oid, MIA.name, MIA.user_name, "mia.berger@contoso.example")
