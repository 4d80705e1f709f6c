"""`journey()` reads all the facts in one go, and says what was stored."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from remediation.domain.calls import FailedCall
from remediation.domain.compliance import MdmWord, Rule
from remediation.domain.device import LinkState, ManagedKey, Person, Platform
from remediation.domain.journey import LASTS
from remediation.domain.steps import next_step
from tests.people import LINK, MANAGED_PHONE, MIA, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import FINE, GOOD, Scene, directory_phone, managed_phone

EVE = Person("eve", "Eve", "eve")


def test_what_was_stored_is_read_back(scene: Scene) -> None:
    failing = replace(
        MANAGED_PHONE.posture,
        word=MdmWord.NOT_COMPLIANT,
        compromised=None,
        failing=(Rule("Passcode", "too short", "passcode"), Rule("Eigenbau", "<b>", None, (("en", "x"),))),
        read_at=NOON + timedelta(microseconds=7),
    )
    phone = replace(MANAGED_PHONE, posture=failing)
    scene.see_managed(phone)
    scene.link()
    scene.desire(replace(GOOD, reasons=("a", "b")))
    journey = scene.journey()
    assert (journey.id, journey.case_code, journey.person, journey.platform) == ("j1", "case-j1", MIA, Platform.IOS)
    assert (journey.started_at, journey.expires_at) == (NOON, NOON + LASTS)
    assert journey.managed == (phone,)
    assert journey.directory == (REGISTERED_PHONE,)
    assert journey.links == (LINK,)
    assert journey.pushes == (scene.push(),)
    assert journey.push is not None
    assert journey.push.reasons == ("a", "b")
    next_step(journey, NOON)


def test_all_of_it_takes_six_queries_at_most(scene: Scene) -> None:
    scene.link()
    seen: list[str] = []
    sa.event.listen(scene.engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    scene.journey()
    assert len([s for s in seen if s.startswith("SELECT")]) <= 6


def test_only_this_platform_and_what_is_still_there(scene: Scene) -> None:
    scene.see_managed(managed_phone("2"), managed_phone("3", platform=Platform.ANDROID), at=NOON + minutes(1))
    scene.see_directory(directory_phone("d2", platform=Platform.WINDOWS), at=NOON + minutes(1))
    assert [d.key.record_id for d in scene.journey().managed] == ["2"]
    assert scene.journey().directory == ()


def test_a_device_linked_with_another_record_is_taken(scene: Scene) -> None:
    assert scene.journey().taken == frozenset()
    scene.link()
    assert scene.journey().taken == frozenset()
    scene.see_managed(MANAGED_PHONE, managed_phone("2"))
    with scene.change() as change:
        change.want_possession("j1", managed_phone("2").key)
    assert scene.journey().taken == {"d1"}


def test_another_persons_link_takes_the_device_but_is_not_shown(scene: Scene) -> None:
    scene.arrive("j2", EVE)
    scene.see_managed(managed_phone("9"), oid="eve")
    scene.link(replace(LINK, oid="eve", managed=ManagedKey("ws1", "9")))
    assert scene.journey().links == ()
    assert scene.journey().taken == {"d1"}


def test_a_pending_link_of_another_takes_nothing(scene: Scene) -> None:
    scene.see_managed(MANAGED_PHONE, managed_phone("9"))
    scene.link(replace(LINK, managed=ManagedKey("ws1", "9"), state=LinkState.PENDING))
    assert scene.journey().taken == frozenset()


def test_ended_links_are_not_among_the_facts(scene: Scene) -> None:
    scene.link()
    with scene.change() as change:
        change.end_link("l1", "unenrolled")
    assert (scene.journey().links, scene.journey().pushes) == ((), ())


def test_a_journey_is_found_again_while_it_lives(scene: Scene) -> None:
    find, late = scene.store.living_journey, NOON + LASTS
    assert find("mia", Platform.IOS, NOON) == "j1"
    assert (find("mia", Platform.IOS, late), find("mia", Platform.MACOS, NOON), find("eve", Platform.IOS, NOON)) == (None,) * 3
    in_browser = scene.store.journey_of_browser
    assert in_browser("safari", "mia", NOON) == "j1"
    assert (in_browser("safari", "eve", NOON), in_browser("chrome", "mia", NOON), in_browser("safari", "mia", late)) == (None,) * 3


def test_what_is_not_there_is_none(scene: Scene) -> None:
    assert (scene.store.journey("x"), scene.store.link("x"), scene.store.push("x")) == (None, None, None)


def test_help_is_a_fact_until_somebody_wants_another_look(scene: Scene) -> None:
    with scene.change(at=NOON + minutes(3)) as change:
        change.need_help("j1", "owned_by_another")
        change.still_blocked("j1")
    assert (scene.journey().help_why, scene.journey().still_blocked_at) == ("owned_by_another", NOON + minutes(3))
    with scene.change() as change:
        change.want_look("j1")
    assert scene.journey().help_why is None


def test_the_standing_is_none_until_asked_and_then_as_it_was_told(scene: Scene) -> None:
    assert scene.journey().standing is None
    told = replace(FINE, licensed=False, in_scope=None, guest=None, read_at=NOON + timedelta(microseconds=7))
    scene.store.observe_person(replace(MIA, match="mia.b"), told, at=NOON)
    assert scene.journey().standing == told
    assert scene.journey().person.match == "mia.b"


def test_a_standing_that_differs_leaves_a_row_and_a_sign_in_keeps_it(scene: Scene) -> None:
    scene.store.observe_person(MIA, FINE, at=NOON)
    already = len(scene.observed())
    later = replace(FINE, licensed=False, read_at=NOON + minutes(1))
    scene.store.observe_person(MIA, later, at=NOON + minutes(1))
    assert scene.observed()[already:] == [("person", "licensed", True, False)]
    with scene.change(at=NOON + minutes(2)) as change:
        change.save_person(MIA)
    assert scene.journey().standing == later


def test_an_older_standing_overwrites_nothing(scene: Scene) -> None:
    newer = replace(FINE, guest=True, read_at=NOON + minutes(1))
    scene.store.observe_person(MIA, newer, at=NOON + minutes(1))
    scene.store.observe_person(MIA, FINE, at=NOON)
    assert scene.journey().standing == newer


def test_still_blocked_is_counted_and_dated(scene: Scene) -> None:
    for n in (1, 2):
        with scene.change(at=NOON + minutes(n)) as change:
            change.still_blocked("j1")
    assert (scene.journey().still_blocked_count, scene.journey().still_blocked_at) == (2, NOON + minutes(2))


def test_a_pick_is_remembered_and_can_change(scene: Scene) -> None:
    assert scene.journey().picked is None
    for device in ("d1", "d2"):
        with scene.change() as change:
            change.pick("j1", device)
        assert scene.journey().picked == device


def test_an_owner_problem_is_found_and_forgotten_by_looks(scene: Scene) -> None:
    with scene.change() as change:
        change.want_look("j1")
    for problem in ("ambiguous_owner", None):
        found: dict[str, Any] = {"directory_error": None, "mdm_error": None, "owner_problem": problem}
        scene.store.note_look("j1", wake=1, at=NOON, next_at=None, attempts=0, **found, refreshed=False)
        assert scene.journey().look.owner_problem == problem


def test_the_last_failed_call_stays_with_its_ids_until_another_fails(scene: Scene) -> None:
    found: dict[str, Any] = {"directory_error": None, "mdm_error": None, "owner_problem": None, "refreshed": False}
    with scene.change() as change:
        change.want_look("j1")
    call = FailedCall("directory", "busy", NOON, "ours", "theirs")
    scene.store.note_look("j1", wake=1, at=NOON, next_at=None, attempts=0, **found, failed_calls=(call,))
    scene.store.note_look("j1", wake=1, at=NOON, next_at=None, attempts=0, **found)
    assert scene.journey().look.failed_calls == (call,)
    late = replace(call, remote="mdm")
    scene.store.note_look("j1", wake=0, at=NOON, next_at=None, attempts=0, **found, failed_calls=(call, late))
    assert scene.journey().look.failed_calls == (call,)
