"""Once a night what nobody needs any more goes, in small bites, and nothing that is still needed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.ports import Actor
from remediation.services.prune import PRUNED, Keep, prune
from remediation.store import SqlSessions, SqlSignInStates
from remediation.store.pruning import BATCH, SqlPrunedRows
from remediation.store.seals import SqlSeals
from remediation.store.tables import (
    alarms,
    audit,
    cases,
    device_links,
    directory_devices,
    journeys,
    managed_devices,
    observations,
    people,
    possession_links,
    pushes,
    search_terms,
    sessions,
    sign_in_states,
    sign_ins,
    throttlings,
)
from tests.people import HEALTHY, LINK, MIA, NOON, minutes
from tests.store.scenes import GOOD, TENANT, Scene, managed_phone
from tests.store.test_shown_certificates import shows_certificate
from tests.store.test_sign_ins import comes_back

KEEP = timedelta(days=90)
LATER = NOON + timedelta(days=1) + KEEP  # the journey ends at NOON + 24 h
AUDIT_KEY = "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u"
WORKER = Actor("worker", "worker-1")


def goes(scene: Scene, at: Any = LATER) -> dict[str, int] | None:
    rows, log = SqlPrunedRows(scene.engine, TENANT), SqlSeals(scene.engine, TENANT)
    keep = Keep(KEEP, timedelta(days=365), timedelta(days=730))
    return prune(scene.store, rows, log, at, keep=keep, audit_key=lambda: AUDIT_KEY, actor=WORKER)


def some(gone: dict[str, int] | None) -> dict[str, int]:
    return {name: number for name, number in (gone or {}).items() if number}


def count(scene: Scene, table: sa.Table) -> int:
    return int(scene.rows(sa.select(sa.func.count()).select_from(table))[0][0])


def lived_in(scene: Scene) -> None:
    scene.ask_for_proof()
    scene.mint("hash")
    scene.link()
    scene.desire(GOOD)
    comes_back(scene)
    shows_certificate(scene)
    with scene.change("case") as change:
        change.open_case(case_code="AAA-BBB", browser="b", platform=Platform.IOS, entrance="start")
    with scene.engine.begin() as connection:
        row = {"id": "x", "sink": "log", "source": "mdm:ws1", "level": 1, "at": NOON, "subject": "s", "text": "t"}
        connection.execute(sa.insert(alarms).values(tenant_id=TENANT, **row))


def test_what_is_past_its_age_goes_and_links_stay(scene: Scene) -> None:
    lived_in(scene)
    before = scene.push()
    assert some(goes(scene, LATER - minutes(1))) == {"cases": 1, "alarms": 1}
    late = LATER + timedelta(hours=20)
    assert some(goes(scene, late)) == {"possession_links": 1, "shown_certificates": 1, "sign_ins": 1, "journeys": 1}
    assert [count(scene, table) for table in (journeys, possession_links, sign_ins, cases, alarms)] == [0] * 5
    assert scene.push() == before
    assert scene.store.link("l1") is not None
    [_, row] = scene.rows(sa.select(audit).where(audit.c.why == PRUNED).order_by(audit.c.id))
    assert (row.actor_kind, row.detail["gone_journeys"], row.detail["keep_days"]) == ("worker", 1, 90)


def test_once_a_night_by_whichever_worker(scene: Scene) -> None:
    assert goes(scene, NOON) is not None
    assert goes(scene, NOON + timedelta(hours=19)) is None
    assert goes(scene, NOON + timedelta(hours=20)) is not None
    assert scene.audited().count(PRUNED) == 2


def test_sessions_that_can_be_used_stay(scene: Scene) -> None:
    signed_in, states = SqlSessions(scene.engine, TENANT), SqlSignInStates(scene.engine, TENANT)
    for at in (NOON - timedelta(hours=14), NOON - timedelta(hours=4), NOON):
        signed_in.begin(oid=MIA.oid, name="Mia", roles=(), browser="b", at=at)
    token = signed_in.begin(oid=MIA.oid, name="Mia", roles=(), browser="b", at=NOON - minutes(110))
    states.put("ended", "x", until=NOON - timedelta(hours=2))
    with scene.engine.begin() as connection:
        row = {"key": "fresh", "value": "x", "until": NOON + minutes(10)}
        connection.execute(sa.insert(sign_in_states).values(tenant_id=TENANT, **row))
    gone = goes(scene, NOON)
    assert gone is not None
    assert count(scene, sessions) == 2
    assert [key for (key,) in scene.rows(sa.select(sign_in_states.c.key))] == ["fresh"]
    assert signed_in.find(token, at=NOON) is not None


def test_what_remotes_refused_is_counted_for_as_long_as_the_audit_is_kept(scene: Scene) -> None:
    day = {"remote": "directory", "count": 1}
    with scene.engine.begin() as connection:
        for at in (NOON - timedelta(days=731), NOON - timedelta(days=730)):
            for whose in (TENANT, "another"):
                connection.execute(sa.insert(throttlings).values(tenant_id=whose, day=at, last_at=at, **day))
    assert some(goes(scene, NOON)) == {"throttlings": 1}
    assert count(scene, throttlings) == 3


def test_another_tenants_rows_stay_and_many_go_in_bites(scene: Scene) -> None:
    with scene.engine.begin() as connection:
        case = {"browser": "b", "platform": Platform.IOS, "entrance": "start", "opened_at": NOON - KEEP}
        mine = [{"tenant_id": TENANT, "case_code": f"c{n}", **case} for n in range(BATCH + 7)]
        connection.execute(sa.insert(cases), [*mine, {"tenant_id": "another", "case_code": "c", **case}])
    gone = goes(scene, NOON)
    assert gone is not None
    assert gone["cases"] == BATCH + 7
    assert count(scene, cases) == 1


def test_what_was_seen_and_links_that_ended_go_once_microsoft_has_taken_the_end(scene: Scene) -> None:
    lived_in(scene)
    with scene.change("link.ended") as change:
        change.end_link("l1", "wiped")
    late = NOON + timedelta(days=400)
    assert "device_links" not in some(goes(scene, late)), "its end is still on its way, however long that takes"
    assert count(scene, people) == 1
    with scene.change("push.confirmed") as change:
        change.confirmed("l1", seq=scene.push().desired_seq, by="changed")
    scene.store.note_push("l1", wake=scene.push().wake, seq=scene.push().desired_seq, next_at=None, attempts=0, reason=None)
    gone = some(goes(scene, late + timedelta(days=1)))
    assert gone == {"pushes": 1, "device_links": 1, "directory_devices": 1, "managed_devices": 1, "people": 1}
    assert [count(scene, table) for table in (device_links, pushes, people, directory_devices, managed_devices)] == [0] * 5


def test_devices_and_people_of_a_journey_or_a_link_stay(scene: Scene) -> None:
    scene.link()
    late = NOON + timedelta(days=400)
    assert {"directory_devices", "managed_devices", "people"}.isdisjoint(some(goes(scene, late)))
    assert [count(scene, table) for table in (people, directory_devices, managed_devices)] == [1, 1, 1]
    assert count(scene, observations) == 0


def serials(scene: Scene) -> list[tuple[str, str | None]]:
    return [
        tuple(row) for row in scene.rows(sa.select(managed_devices.c.record_id, managed_devices.c.serial).order_by("record_id"))
    ]


def test_T34_a_released_device_loses_its_serial_number_that_night_and_a_linked_or_listed_one_keeps_it(scene: Scene) -> None:
    kept, linked, released = (managed_phone(name, serial=f"SERIAL{name}", udid=name) for name in ("1042", "2", "3"))
    scene.see_managed(kept, linked, released)
    scene.link(replace(LINK, managed=linked.key))
    scene.see_managed(kept, at=NOON + minutes(1))
    assert some(goes(scene, NOON + minutes(2)))["serials"] == 1
    assert serials(scene) == [("1042", "SERIAL1042"), ("2", "SERIAL2"), ("3", None)]
    terms = set(scene.rows(sa.select(search_terms.c.term).where(search_terms.c.subject.startswith("managed_device/"))))
    assert {("serial1042",), ("serial2",)} <= terms
    assert ("serial3",) not in terms, "nor is it found by it any more"
    with scene.change("link.ended") as change:
        change.end_link("l1", "wiped")
    assert some(goes(scene, NOON + timedelta(days=1)))["serials"] == 1
    scene.see_managed(
        kept, replace(linked, posture=replace(HEALTHY, read_at=NOON + timedelta(days=1))), at=NOON + timedelta(days=1)
    )
    assert serials(scene) == [("1042", "SERIAL1042"), ("2", "SERIAL2"), ("3", None)], "enrolled again"
