"""What is held of one person: all of it is shown, and all of it goes, from columns too that somebody adds next year."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import LinkState, ManagedKey, Platform
from remediation.domain.impact import Missing, Reason
from remediation.domain.repairs import Mark
from remediation.domain.seals import SealKeys
from remediation.domain.wishes import Kind, Wish
from remediation.errors import ErasureRefused
from remediation.ports import Actor, Somebody
from remediation.services.audit_log import seal, verify
from remediation.services.impact import ask_for_count
from remediation.services.person_file import end_links, erase, export
from remediation.services.waves import WaveAsked, begin_wave
from remediation.store import SqlSessions
from remediation.store.columns import OutsideText
from remediation.store.engine import reading, writing
from remediation.store.person_rows import NOBODYS, SqlPersonRows, of_person
from remediation.store.seals import SqlSeals
from remediation.store.tables import alarms, audit, device_links, directory_devices, group_members, managed_devices, metadata
from tests.people import LINK, MIA, NOON, minutes
from tests.store.scenes import BROWSER, FINE, GOOD, TENANT, Scene, directory_phone, managed_phone
from tests.store.test_seals import KEY
from tests.store.test_shown_certificates import shows_certificate
from tests.store.test_sign_ins import comes_back

PLANTED = "Zyxwia"
OPERATOR = Actor("operator", "root")
TOM = replace(MIA, oid="tom", name="Tom Ohlsen", user_name="tom.ohlsen@contoso.example", mail="tom.ohlsen@contoso.example")
IDS_ALONE = {"impact_registered", "impact_managed", "group_members"}
"""Tables of theirs with nothing in them that anybody could have written."""
FOUND_BY = {"tenant_id", "oid", "listed_oid", "owner_oid", "browser", "subject_kind", "subject_id", "first_oid", "second_oid"}


def lived_in(scene: Scene) -> None:
    """A row of Mia's in every table that can hold one; and Tom with his own phone."""
    scene.store.observe_person(MIA, FINE, at=NOON)
    scene.ask_for_proof()
    scene.mint("hash")
    comes_back(scene)
    shows_certificate(scene)
    scene.link()
    scene.desire(GOOD)
    with scene.change("link.replaced") as change:
        change.tell_owner(LINK.id, ways=("mail",))
    with scene.change("case.opened") as change:
        change.open_case(case_code="AAA-BBB", browser=BROWSER, platform=Platform.IOS, entrance="start")
    with writing(scene.engine) as connection:
        member = {"tenant_id": TENANT, "group_id": "a-group", "listed_at": NOON}
        connection.execute(sa.insert(group_members), [{**member, "oid": "mia"}, {**member, "oid": "tom"}])
    with scene.change("repair.start_link") as change:
        change.make_start_link(
            code="K7M2QX23", oid="mia", platform=Platform.IOS, way="mail", device=None, expires_at=NOON + minutes(60)
        )
        change.mark_device(LINK.device_id, Mark.LEFTOVER, oid="mia")
    SqlSessions(scene.engine, TENANT).begin(oid="mia", name="Mia", roles=("Helpdesk.Read",), browser=BROWSER, at=NOON)
    scene.see_managed(managed_phone("1042", name="another name"), at=NOON + minutes(1))
    with scene.change("access.asked") as change:
        change.ask_for_access("a1", oid="mia", case_code="AAA-BBB", platform=Platform.IOS, message="Zyxwia asks")
    with scene.change("work.taken") as change:
        change.take_work("l9", oid="mia", name="Mia Berger", until=NOON + minutes(30))
    counted_and_told(scene)
    toms = {"owner_user_name": "tom", "owner_mail": TOM.mail, "name": "tom iPhone", "serial": "TOM1"}
    scene.arrive("j2", TOM, browser="firefox")
    scene.see_managed(managed_phone("2000", **toms), oid="tom")
    scene.see_directory(directory_phone("d2", owner_oid="tom", name="Tom's"), oid="tom")
    scene.link(replace(LINK, id="l2", oid="tom", device_id="d2", object_id="object-d2", managed=ManagedKey("ws1", "2000")))


def counted_and_told(scene: Scene) -> None:
    """A policy would stop Mia; she was told to begin, and is being counted again."""
    store, lacks = scene.store, [Missing(Reason.LINK, "ios", ManagedKey("ws1", "1042"))]
    for at in (NOON, NOON + minutes(1)):
        ask_for_count(store, actor=OPERATOR, now=at)
        count = store.claim_count(at, hold=minutes(3))
        assert count is not None
        store.keep_people(count, [Somebody(MIA, FINE)], count)
        store.keep_registered(count, [directory_phone("d1", owner_oid="mia")], count)
        store.keep_managed(count, "ws1", [managed_phone("1042")], count)
        store.keep_missing(count, {"mia": lacks}, count)
        if at == NOON:
            with store.change(OPERATOR, "impact.done", about=("impact", count.id), at=at) as change:
                change.end_count(count, state="done")
            wave = WaveAsked(count.id, "link", "ios", "device", 10, minutes(1))
            begin_wave(store, wave, actor=OPERATOR, now=at)


def rests(scene: Scene, link_id: str = "l1") -> None:
    push = scene.push(link_id)
    with scene.change("push.confirmed") as change:
        change.confirmed(link_id, seq=push.desired_seq, by="changed")
    scene.store.note_push(link_id, wake=push.wake, seq=push.desired_seq, next_at=None, attempts=0, reason=None)


def rows_of(scene: Scene) -> SqlPersonRows:
    return SqlPersonRows(scene.engine, TENANT)


def ended(scene: Scene) -> None:
    assert end_links(scene.store, rows_of(scene), "mia", actor=OPERATOR, now=NOON) == 1
    rests(scene)
    assert end_links(scene.store, rows_of(scene), "mia", actor=OPERATOR, now=NOON) == 0


def gone(scene: Scene) -> dict[str, int]:
    return dict(erase(scene.store, "mia", actor=OPERATOR, why="asked for", now=NOON))


def plant(scene: Scene) -> set[str]:
    """The subject's value into every column of every row of theirs that holds text and is no key."""
    planted = set()
    with scene.engine.begin() as connection:
        for table, which in of_person(connection, TENANT, "mia"):
            keys = {c.name for c in table.primary_key} - {"term", "name"}  # keys, and text of theirs
            bound = keys | {c.name for key in table.foreign_keys for c in [key.parent]} | FOUND_BY
            for number, row in enumerate(connection.execute(sa.select(*table.primary_key).where(which)).all()):
                these = sa.tuple_(*table.primary_key).in_([tuple(row)])
                values: dict[str, Any] = {}
                for column in table.columns:
                    if isinstance(column.type, sa.JSON):
                        values[column.name] = {"of": [PLANTED]}
                    elif column.name not in bound and isinstance(column.type, sa.Text | OutsideText):
                        values[column.name] = f"{PLANTED}-{number}"
                if values:
                    connection.execute(sa.update(table).where(these).values(**values))
                    planted.add(table.name)
    return planted


def where_it_stands(scene: Scene, *words: str) -> set[str]:
    """Tables in which any of these words stands in any column, whatever its type."""
    found = set()
    with reading(scene.engine) as connection:
        for table in metadata.sorted_tables:
            text = [sa.func.lower(sa.cast(sa.type_coerce(column, sa.types.NullType()), sa.Text)) for column in table.columns]
            says = sa.or_(*(column.contains(word.lower(), autoescape=True) for column in text for word in words))
            if connection.execute(sa.select(sa.literal(1)).select_from(table).where(says).limit(1)).first():
                found.add(table.name)
    return found


def test_every_table_is_somebodys_or_nobodys(scene: Scene) -> None:
    with reading(scene.engine) as connection:
        theirs = {table.name for table, _ in of_person(connection, TENANT, "mia")}
    assert theirs.isdisjoint(NOBODYS)
    assert theirs | NOBODYS.keys() == set(metadata.tables)


def test_T34_an_erased_person_stands_in_no_column_of_no_table(scene: Scene) -> None:
    lived_in(scene)
    ended(scene)
    planted = plant(scene)
    with reading(scene.engine) as connection:
        theirs = {table.name for table, _ in of_person(connection, TENANT, "mia")} - IDS_ALONE
    assert planted == theirs, "a table of theirs without a row here would prove nothing"
    assert where_it_stands(scene, PLANTED) == planted
    assert "group_members" in where_it_stands(scene, "mia"), "which has ids alone"
    toms = export(scene.store, rows_of(scene), "tom", actor=OPERATOR, why="before", now=NOON)
    told = gone(scene)
    assert all(told.values()), told
    assert where_it_stands(scene, PLANTED, "Berger") == set()
    assert where_it_stands(scene, "mia") == {"audit"}, "by the object id alone"
    assert not rows_of(scene).held("mia")
    after = export(scene.store, rows_of(scene), "tom", actor=OPERATOR, why="after", now=NOON)
    assert toms is not None
    assert after is not None
    assert {**after, "audit": []} == {**toms, "audit": []}, "Tom's rows are as they were"
    [row] = scene.rows(sa.select(audit).where(audit.c.why == "person.erased"))
    assert (row.actor_kind, row.actor_id, row.about_id, row.detail["gone_people"]) == ("operator", "root", "mia", 1)


def test_T34_the_file_itself_holds_nothing_of_them(scene: Scene) -> None:
    if scene.engine.dialect.name != "sqlite":
        return  # PostgreSQL's pages are for VACUUM, as docs/operating.md says
    file = Path(scene.engine.url.database or "")
    lived_in(scene)
    ended(scene)
    plant(scene)

    def stands() -> bool:
        """Once nobody has the file open, what was written ahead has gone into it."""
        scene.engine.dispose()
        return any(PLANTED.encode() in path.read_bytes() for path in file.parent.glob(file.name + "*"))

    assert stands()
    gone(scene)
    assert not stands()


def test_T34_the_audit_verifies_after_an_erasure(scene: Scene) -> None:
    lived_in(scene)
    log = SqlSeals(scene.engine, TENANT)
    seal(log, KEY, lambda: NOON)
    ended(scene)
    gone(scene)
    seal(log, KEY, lambda: NOON)
    checked = verify(log, SealKeys([KEY]), TENANT, {}, lambda *_: None)
    assert (checked.first, checked.unsealed, checked.rows) == (None, 0, len(scene.audited()))


def test_nothing_goes_while_a_link_lives_or_its_end_is_under_way(scene: Scene) -> None:
    lived_in(scene)
    for _ in range(2):
        before = where_it_stands(scene, "Berger")
        with pytest.raises(ErasureRefused):
            gone(scene)
        assert where_it_stands(scene, "Berger") == before != set()
        end_links(scene.store, rows_of(scene), "mia", actor=OPERATOR, now=NOON)
    link = scene.store.link("l1")
    assert link is not None
    assert (link.state, link.ended_why) == (LinkState.ENDED, "erased")
    assert "person.erased" not in scene.audited()


def test_a_device_that_somebody_else_has_by_now_keeps_its_row(scene: Scene) -> None:
    """Mia's phone was handed to Tom: his link needs the rows, and what stands in them of Mia goes."""
    lived_in(scene)
    ended(scene)
    scene.link(replace(LINK, id="l3", oid="tom", device_id="d1", managed=ManagedKey("ws1", "1042")))
    gone(scene)
    [directory] = scene.rows(sa.select(directory_devices).where(directory_devices.c.device_id == "d1"))
    [managed] = scene.rows(sa.select(managed_devices).where(managed_devices.c.record_id == "1042"))
    assert (directory.name, directory.owner_oid, directory.listed_oid) == ("", None, None)
    assert (managed.name, managed.serial, managed.owner_mail, managed.listed_oid) == ("", None, None, None)
    assert [row.id for row in scene.rows(sa.select(device_links).order_by(device_links.c.id))] == ["l2", "l3"]
    assert where_it_stands(scene, "Berger", "mia iPhone") == set()


def test_what_is_held_is_shown_and_no_secret_among_it(scene: Scene) -> None:
    lived_in(scene)
    found = export(scene.store, rows_of(scene), "mia", actor=OPERATOR, why="their right", now=NOON + timedelta(days=1))
    assert found is not None
    assert found["people"][0]["name"] == MIA.name
    assert found["managed_devices"][0]["serial"] == "F2LXK0ABCD12"
    assert [
        len(found[name]) for name in ("device_links", "pushes", "journeys", "possession_links", "sign_ins", "sessions", "cases")
    ] == [1] * 7
    assert found["audit"][-1]["why"] == "person.exported"
    text = repr(found)
    for secret in ("token_hash", "'hash'", BROWSER, "tom", "Tom", "firefox"):
        assert secret not in text
    assert export(scene.store, rows_of(scene), "nobody", actor=OPERATOR, why="x", now=NOON) is None
    assert scene.audited().count("person.exported") == 1


def test_alarms_speak_of_nobody(scene: Scene) -> None:
    """They stay when a person goes, so their columns are few and known: whoever adds one says why here."""
    assert {column.name for column in alarms.columns if isinstance(column.type, sa.Text | OutsideText)} == {
        *("tenant_id", "id", "sink", "source", "subject", "text", "reason")
    }


def test_who_was_looked_for_to_go_first_is_forgotten_with_the_person(scene: Scene) -> None:
    for oid in ("mia", "tom"):
        with scene.change("set_up.wished") as change:
            change.make_wish(Wish(oid, Kind.ACCOUNT, {"name": f"{oid}@contoso.example"}, "adam", NOON))
        scene.store.answer_wish(oid, at=NOON, answer={"oid": oid, "name": oid.title()})
    assert scene.store.accounts() == {"mia": "Mia", "tom": "Tom"}
    gone(scene)
    assert scene.store.accounts() == {"tom": "Tom"}
