"""The helpdesk's reads on both databases: within the tenant, from rows alone, newest first."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from remediation.domain.compliance import MdmWord, Posture
from remediation.domain.device import ManagedDevice, ManagedKey, Person, Platform
from remediation.domain.onboarding import Looked
from remediation.domain.search import fold
from remediation.domain.tenant_facts import KEPT_DELETED, QUOTA_LOOK, DeviceQuota
from remediation.ports import Actor
from remediation.services.start_journey import open_case
from remediation.store import DbosWakeups, SqlStore
from remediation.store.engine import writing
from remediation.store.look_up import PROBED, SqlLookUp
from remediation.store.observations import Observer
from remediation.store.pruning import SqlPrunedRows
from remediation.store.tables import search_terms
from tests.people import LINK, MANAGED_PHONE, MIA, NOON, REGISTERED_PHONE, minutes
from tests.store.scenes import FINE, GOOD, TENANT, Scene, directory_phone

EVE = Person("eve", "Eve Ödegaard-Lind", "eve.o@contoso.example", "e.odegaard@contoso.example")


@pytest.fixture
def look_up(engine: sa.Engine) -> SqlLookUp:
    return SqlLookUp(engine, TENANT)


def later(device: ManagedDevice, by: int) -> Posture:
    return replace(device.posture, read_at=NOON + minutes(by))


def names(look_up: SqlLookUp, *words: str, limit: int = 20) -> list[str]:
    return [found.person.oid for found in look_up.people([fold(word) for word in words], limit=limit).people]


def test_a_case_code_leads_to_its_person(scene: Scene, look_up: SqlLookUp) -> None:
    found = look_up.case("case-j1")
    assert found is not None
    assert (found.oid, found.journey_id, found.platform, found.opened_at) == ("mia", "j1", Platform.IOS, NOON)
    code = open_case(scene.store, browser="b", entrance="leaflet", platform=Platform.ANDROID, now=NOON)
    unsigned = look_up.case(code)
    assert unsigned is not None
    assert (unsigned.oid, unsigned.journey_id, unsigned.entrance, unsigned.platform) == (None, None, "leaflet", Platform.ANDROID)
    assert look_up.case("222-222") is None


@pytest.mark.parametrize(
    "word",
    ["eve", "EVE", "öde", "ÖDE", "Öde", "lind", "eve.o", "o@con", "e.ode", "contoso", "odegaardlind", "ode", "ÖDEGAARD-LIND"],
)
def test_a_word_is_found_where_it_begins(scene: Scene, look_up: SqlLookUp, word: str) -> None:
    scene.arrive("j2", EVE)
    assert "eve" in names(look_up, word)


def test_the_list_says_that_it_goes_on(scene: Scene, look_up: SqlLookUp) -> None:
    scene.arrive("j2", EVE)
    assert look_up.people(["contoso"], limit=1).more
    assert not look_up.people(["contoso"], limit=2).more


def test_somebody_is_found_by_their_devices_and_no_longer_by_what_was_theirs(scene: Scene, look_up: SqlLookUp) -> None:
    scene.see_managed(replace(MANAGED_PHONE, name="Lab phone", serial="F2LX-K9", udid="00008030-001A"))
    for word in ("lab", "f2lxk9", "f2lx-k", "00008030001a", REGISTERED_PHONE.device_id):
        (found,) = look_up.people([word], limit=5).people
        assert (found.person.oid, bool(found.device)) == ("mia", True), word
    assert look_up.people(["mia", "lab"], limit=5).people[0].person.oid == "mia"
    scene.see_managed(
        replace(MANAGED_PHONE, name="Desk phone", serial="F2LX-K9", posture=later(MANAGED_PHONE, 1)), at=NOON + minutes(1)
    )
    assert (names(look_up, "lab"), names(look_up, "desk")) == ([], ["mia"])
    scene.arrive("j2", EVE)
    scene.see_managed(replace(MANAGED_PHONE, serial="F2LX-K9", posture=later(MANAGED_PHONE, 2)), oid="eve", at=NOON + minutes(2))
    assert names(look_up, "f2lx") == ["eve"]


def test_a_device_that_a_list_gives_a_new_name_is_found_by_it(scene: Scene, look_up: SqlLookUp) -> None:
    new = replace(REGISTERED_PHONE, name="Renamed by a list", read_at=NOON + minutes(1))
    with writing(scene.engine) as connection:
        Observer(connection, TENANT, NOON + minutes(1)).directory_page([(REGISTERED_PHONE, new)])
    assert names(look_up, "renamed") == ["mia"]


def test_what_an_older_version_wrote_is_found_after_the_night(scene: Scene, look_up: SqlLookUp) -> None:
    with writing(scene.engine) as connection:
        connection.execute(sa.delete(search_terms))
    assert names(look_up, "mia") == []
    rows = SqlPrunedRows(scene.engine, TENANT)
    assert (rows.mend_terms(), rows.mend_terms()) == (3, 0)
    assert names(look_up, "mia") == ["mia"]


def test_however_many_begin_alike_a_search_reads_no_more_than_so_many(scene: Scene, look_up: SqlLookUp) -> None:
    with scene.change() as change:
        for number in range(PROBED + 1):
            change.save_person(Person(f"p{number:05}", "Ann Example", f"ann{number}@contoso.example", None))
        change.save_person(Person("last", "Ann Zwei", "zwei@contoso.example", None))
    found = look_up.people(["ann"], limit=20)
    assert (len(found.people), found.more) == (20, True)
    assert [one.person.oid for one in look_up.people(["ann", "zwei"], limit=20).people] == ["last"]


@pytest.mark.parametrize("word", ["egaard", "ve.o", "%", "_", "e%", "\\"])
def test_a_word_is_not_found_inside_another_and_signs_are_signs(scene: Scene, look_up: SqlLookUp, word: str) -> None:
    scene.arrive("j2", EVE)
    assert names(look_up, word) == []


def test_every_word_must_be_there_and_the_list_ends(scene: Scene, look_up: SqlLookUp) -> None:
    scene.arrive("j2", EVE)
    assert names(look_up, "contoso") == ["eve", "mia"]
    assert names(look_up, "contoso", limit=1) == ["eve"]
    assert names(look_up, "lind", "contoso") == ["eve"]
    assert names(look_up, "lind", "mia") == []


def test_the_cases_of_a_person_are_newest_first(scene: Scene, look_up: SqlLookUp) -> None:
    with scene.change(at=NOON + minutes(5)) as change:
        change.start_journey(
            journey_id="j9",
            case_code="case-j9",
            oid="mia",
            platform=Platform.MACOS,
            browser="b",
            entrance="start",
            expires_at=NOON + minutes(60),
        )
    assert [case.case_code for case in look_up.cases_of("mia")] == ["case-j9", "case-j1"]
    (found,) = look_up.people(["mia"], limit=5).people
    assert found.last_case_at == NOON + minutes(5)


def test_the_timeline_is_made_of_rows_newest_first(scene: Scene, look_up: SqlLookUp) -> None:
    with scene.store.change(Actor("person", "mia"), "journey.check_again", about=("journey", "j1"), at=NOON + minutes(1)) as change:
        change.want_look("j1")
    link = replace(LINK, made_at=NOON + minutes(2))
    with scene.store.change(Actor("worker", "w"), "link.made", about=("link", "l1"), at=NOON + minutes(2)) as change:
        change.audit(device="d1")
        change.make_link(link)
    worse = replace(MANAGED_PHONE.posture, word=MdmWord.NOT_COMPLIANT, read_at=NOON + minutes(3))
    scene.store.observe_managed_device(replace(MANAGED_PHONE, posture=worse), at=NOON + minutes(3))
    scene.store.observe_directory_device(replace(REGISTERED_PHONE, compliant=True, read_at=NOON + minutes(4)), at=NOON + minutes(4))
    scene.store.observe_person(MIA, replace(FINE, read_at=NOON + minutes(5)), at=NOON + minutes(5))
    scene.store.observe_person(MIA, replace(FINE, licensed=False, read_at=NOON + minutes(6)), at=NOON + minutes(6))
    events = look_up.timeline("mia", limit=100)
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    told = [(event.what, event.actor.kind if event.actor else None) for event in events]
    assert told[0] == ("person.licensed", None)
    assert told[-5:-2] == [("link.made", "worker"), ("journey.check_again", "person"), ("journey.started", "worker")]
    assert {"directory_device.compliant", "managed_device.word", "directory_device.new", "managed_device.new"} <= {
        t[0] for t in told
    }
    first = next(event for event in events if event.what == "directory_device.compliant")
    assert (first.about, first.detail) == (("directory_device", "d1"), {"old": None, "new": True})
    assert [event.what for event in look_up.timeline("mia", limit=2)] == [t[0] for t in told[:2]]


def test_the_timeline_keeps_what_ended_and_leaves_out_others_and_who_looked(scene: Scene, look_up: SqlLookUp) -> None:
    scene.arrive("j2", EVE)
    scene.see_managed(replace(MANAGED_PHONE, key=ManagedKey("ws1", "9")), oid="eve")
    with scene.store.change(Actor("worker", "w"), "link.made", about=("link", "l1"), at=NOON) as change:
        change.make_link(LINK)
    scene.desire(GOOD)
    with scene.store.change(Actor("worker", "w"), "link.ended", about=("link", "l1"), at=NOON + minutes(1)) as change:
        change.end_link("l1", "unenrolled")
    with scene.store.change(Actor("helpdesk", "hanna"), "look_up.viewed", about=("person", "mia"), at=NOON + minutes(2)) as change:
        change.audit(case="case-j1")
    scene.see_managed(at=NOON + minutes(3))
    mine = look_up.timeline("mia", limit=100)
    assert {"link.ended", "link.made", "managed_device.gone"} <= {event.what for event in mine}
    assert not any(event.what.startswith("look_up.") for event in mine)
    assert not any(event.about[1] == "ws1/9" for event in mine)
    assert any(event.about[1] == "ws1/9" for event in look_up.timeline("eve", limit=100))


def test_nothing_is_seen_across_tenants(scene: Scene, engine: sa.Engine) -> None:
    theirs = SqlLookUp(engine, "fabrikam")
    assert (theirs.case("case-j1"), theirs.person("mia"), theirs.cases_of("mia"), theirs.people(["mia"], limit=5).people) == (
        None,
        None,
        [],
        [],
    )
    assert theirs.timeline("mia", limit=5) == []
    neighbour = Scene(engine, SqlStore(engine, "fabrikam", DbosWakeups(engine)))
    neighbour.arrive(person=replace(MIA, name="Mia Theirs"))
    ours = SqlLookUp(engine, TENANT)
    assert [found.person.name for found in ours.people(["mia"], limit=5).people] == ["Mia Berger"]
    person = theirs.person("mia")
    assert person is not None
    assert person.name == "Mia Theirs"


def test_entries_that_went_and_the_quota_as_a_worker_read_it(scene: Scene, look_up: SqlLookUp) -> None:
    assert (list(look_up.gone("mia", NOON - minutes(1))), look_up.device_quota()) == ([], None)
    scene.see_directory(directory_phone("d7"), at=NOON + minutes(5))
    [gone] = look_up.gone("mia", NOON)
    assert (gone.device_id, gone.gone_at, gone.kept_until - gone.gone_at) == ("d1", NOON + minutes(5), KEPT_DELETED)
    assert list(look_up.gone("mia", NOON + minutes(5))) == list(look_up.gone("noah", NOON)) == []
    with scene.change("set_up.looked", at=NOON) as change:
        change.looked_at(Looked(QUOTA_LOOK, looked_at=NOON, detail={"most": 20}))
    assert look_up.device_quota() == DeviceQuota(20, NOON)
