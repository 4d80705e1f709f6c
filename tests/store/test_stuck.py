"""Every row that does not rest is seen, with its reason and its next try; a bug makes a row wait longer, and nobody else."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.compliance import Decision, Verdict
from remediation.domain.device import ManagedKey
from remediation.domain.push import Lane
from remediation.ports import Actor, StuckRow
from remediation.services import stuck
from remediation.store.stuck import SqlStuckRows
from remediation.store.tables import budgets, journeys, pushes, watches
from remediation.store.wakeups import LOOK_JOURNEY, PUSH_LINK, WATCH_SOURCE
from tests.people import LINK, NOON, minutes
from tests.reads import asked, reads_everything
from tests.store.scenes import BAD, GOOD, TENANT, Scene, directory_phone, managed_phone

OPERATOR = Actor("operator", "root")


def rows_of(scene: Scene, kind: str, *, tenant: str = TENANT) -> list[StuckRow]:
    found = SqlStuckRows(scene.engine, tenant).rows(NOON, limit=10).rows
    return [row for row in found if row.kind == kind]


def counted(scene: Scene) -> dict[tuple[str, str], int]:
    return dict(SqlStuckRows(scene.engine, TENANT).count(NOON))


def put(scene: Scene, statement: sa.Executable) -> None:
    with scene.engine.begin() as connection:
        connection.execute(statement)


def watch(scene: Scene, name: str = "mdm:ws1/poll", **values: Any) -> None:
    put(scene, sa.insert(watches).values(tenant_id=TENANT, name=name, **values))


def rests(scene: Scene, decision: Decision) -> None:
    push = scene.desire(decision)
    for done in ("sent", "accepted"):
        with scene.change(done) as change:
            getattr(change, done)("l1", seq=push.desired_seq)
    with scene.change("confirmed") as change:
        change.confirmed("l1", seq=push.desired_seq, by="changed")


def note(scene: Scene, **values: Any) -> None:
    told: dict[str, Any] = {"next_at": NOON + minutes(5), "attempts": 3, "reason": None, **values}
    push = scene.push()
    scene.store.note_push("l1", wake=push.wake, seq=push.desired_seq, **told)


def looked(scene: Scene, **errors: str | None) -> None:
    told: dict[str, Any] = {"directory_error": None, "mdm_error": None, "owner_problem": None, **errors}
    wake = scene.journey().look.wake
    scene.store.note_look("j1", wake=wake, at=NOON, next_at=NOON + minutes(1), attempts=2, refreshed=False, **told)


def test_a_link_is_stuck_until_entra_shows_what_it_wants(scene: Scene) -> None:
    scene.link()
    [row] = rows_of(scene, "link")
    assert (row.id, row.whose, row.what, row.reason) == ("l1", "mia.berger@contoso.example", "mia iPhone", "waiting")
    scene.desire(GOOD)
    note(scene, reason="channel_unreachable")
    [row] = rows_of(scene, "link")
    assert (row.reason, row.since, row.next_at, row.attempts) == ("channel_unreachable", NOON, NOON + minutes(5), 3)
    rests(scene, GOOD)
    note(scene, attempts=0)
    assert rows_of(scene, "link") == []
    note(scene, reason="mdm_refused")
    assert [row.reason for row in rows_of(scene, "link")] == ["mdm_refused"], "at rest, and no good read any more"
    assert rows_of(scene, "link", tenant="another") == []


def test_open_revocations_come_first(scene: Scene) -> None:
    scene.link()
    rests(scene, GOOD)
    scene.desire(BAD, lane=Lane.REVOKE)
    note(scene, reason="channel_busy")
    with scene.engine.begin() as connection:
        statement = SqlStuckRows(scene.engine, TENANT)._links()
        assert connection.execute(statement).mappings().one()["urgent"] == 0


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ({"directory_error": "busy"}, "directory_busy"),
        ({"mdm_error": "refused"}, "mdm_refused"),
        ({"owner_problem": "ambiguous_owner"}, "ambiguous_owner"),
    ],
)
def test_a_journey_says_why_it_waits(scene: Scene, errors: dict[str, str], reason: str) -> None:
    assert rows_of(scene, "journey") == []
    with scene.change() as change:
        change.want_look("j1")
    assert [row.reason for row in rows_of(scene, "journey")] == ["waiting"]
    looked(scene, **errors)
    [row] = rows_of(scene, "journey")
    assert (row.reason, row.what, row.attempts) == (reason, "case-j1", 2)
    assert stuck.explain(reason).key != "other"
    looked(scene)
    assert rows_of(scene, "journey") == []


def test_sources_and_remotes_that_fail(scene: Scene) -> None:
    watch(scene, good_at=NOON)
    watch(scene, "directory/sweep", failing_since=NOON - minutes(90), reason="directory_refused", attempts=4)
    assert counted(scene) == {("watch", "directory_refused"): 1}
    closed = ("directory", NOON + minutes(9), 0, "busy"), ("mdm:ws1", None, 3, "refused 1005"), ("channel", None, 0, None)
    with scene.engine.begin() as connection:
        for remote, until, failures, reason in closed:
            row = {"remote": remote, "closed_until": until, "failures": failures, "reason": reason}
            connection.execute(sa.insert(budgets).values(tenant_id=TENANT, **row))
    told = {(row.id, row.reason, row.next_at is not None) for row in rows_of(scene, "remote")}
    assert told == {("directory", "directory_busy", True), ("mdm:ws1", "mdm_refused", False)}


def crowded(scene: Scene) -> None:
    """More of each kind than a page holds: three revocations, six devices that wait, some of them since the same moment; cases; and
    remotes of which nobody knows since when."""
    names = [f"{number}" for number in range(9)]
    scene.see_managed(*(managed_phone(name) for name in names))
    scene.see_directory(*(directory_phone(name) for name in names))
    for number, name in enumerate(names):
        sides: dict[str, Any] = {"device_id": name, "object_id": f"object-{name}", "managed": ManagedKey("ws1", name)}
        scene.link(replace(LINK, id=f"link{name}", **sides))
        scene.arrive(f"case{name}")
        told: dict[str, Any] = {"decision": BAD if number % 3 == 0 else GOOD, "posture_read_at": NOON, "lane": Lane.PERSON}
        with scene.change(at=NOON + minutes(number // 4)) as change:
            change.desire(f"link{name}", seq=0, **told)
            change.want_look(f"case{name}")
    with scene.engine.begin() as connection:
        for remote in ("channel", "directory", "mdm:ws1", "mdm:ws2"):
            row = {"remote": remote, "closed_until": NOON + minutes(9), "failures": 1, "reason": "busy"}
            connection.execute(sa.insert(budgets).values(tenant_id=TENANT, **row))


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_it_goes_on_page_by_page_and_leaves_nothing_out(scene: Scene, limit: int) -> None:
    crowded(scene)
    stuck_rows = SqlStuckRows(scene.engine, TENANT)
    everything, found, more, pages = stuck_rows.rows(NOON, limit=100), list[StuckRow](), None, 0
    while more or not pages:
        page = stuck_rows.rows(NOON, limit=limit, after=more)
        assert all(number <= limit for number in Counter(row.kind for row in page.rows).values())
        found, more, pages = [*found, *page.rows], page.more, pages + 1
    assert everything.more == {}
    assert len(everything.rows) == len(found) == sum(counted(scene).values())
    for kind in ("remote", "link", "journey"):
        assert [row for row in found if row.kind == kind] == [row for row in everything.rows if row.kind == kind]
    assert {row.id for row in found if row.kind == "link"} == {f"link{number}" for number in range(9)}
    assert [row.id for row in everything.rows if row.kind == "link"][:3] == ["link0", "link3", "link6"], "revocations first"


def test_what_rests_is_not_read(scene: Scene) -> None:
    if scene.engine.dialect.name == "sqlite":
        with asked(scene.engine) as statements:
            SqlStuckRows(scene.engine, TENANT).rows(NOON, limit=10)
            counted(scene)
        assert statements
        assert reads_everything(scene.engine, statements) == []


def test_every_reason_has_words_a_doer_and_a_repair() -> None:
    for reason in ("mdm_refused", "channel_busy", "failed_500", "our_fault", "never heard of", *stuck.WHO):
        explained = stuck.explain(reason)
        assert explained.repair in stuck.KINDS_OF_REPAIR
    assert stuck.explain("mdm_refused").repair == "credentials"
    assert (stuck.explain("never heard of").key, stuck.explain("never heard of").code) == ("other", "never heard of")


# a bug


def test_a_row_with_a_bug_waits_longer_each_time_and_says_so(scene: Scene) -> None:
    scene.link()
    waits = []
    for n in range(12):
        scene.store.note_fault(PUSH_LINK, "l1", wake=scene.push().wake, at=NOON)
        push = scene.push()
        assert (push.reason, push.attempts) == ("our_fault", n + 1)
        assert push.next_look_at is not None
        waits.append((push.next_look_at - NOON).total_seconds())
    assert waits[:4] == [4, 8, 16, 32]
    assert waits[-1] == 3600
    assert [row.reason for row in rows_of(scene, "link")] == ["our_fault"]


def test_the_bug_of_a_late_pass_changes_nothing(scene: Scene) -> None:
    scene.link()
    before = scene.push()
    scene.store.note_fault(PUSH_LINK, "l1", wake=before.wake - 1, at=NOON)
    assert scene.push() == before


def test_a_bug_does_not_outlast_the_lease(scene: Scene) -> None:
    scene.link()
    rests(scene, Decision(Verdict.COMPLIANT, (), NOON + timedelta(seconds=3)))
    scene.store.note_fault(PUSH_LINK, "l1", wake=scene.push().wake, at=NOON)
    assert scene.push().next_look_at == NOON + timedelta(seconds=3)


def test_journeys_and_sources_say_it_too_and_forget_it(scene: Scene) -> None:
    scene.store.note_fault(LOOK_JOURNEY, "j1", wake=scene.journey().look.wake, at=NOON)
    watch(scene)
    scene.store.note_fault(WATCH_SOURCE, "mdm:ws1/poll", wake=0, at=NOON)
    assert counted(scene) == {("watch", "our_fault"): 1, ("journey", "our_fault"): 1}
    looked(scene)
    assert counted(scene) == {("watch", "our_fault"): 1}


def test_a_row_that_cannot_be_read_keeps_nobody_from_being_woken(scene: Scene) -> None:
    scene.link()
    put(scene, sa.text("UPDATE pushes SET lane = 'a newer word', desired = 'nonsense', desired_seq = 1"))
    put(scene, sa.update(journeys).values(next_look_at=NOON - minutes(1)))
    put(scene, sa.update(pushes).values(next_look_at=NOON - minutes(1)))
    assert scene.store.wake_due(NOON).rows == 2
    with pytest.raises(LookupError):
        scene.push()
    [row] = rows_of(scene, "link")
    scene.store.note_fault(PUSH_LINK, row.id, wake=2, at=NOON)
    assert [row.reason for row in rows_of(scene, "link")] == ["our_fault"]


# the safe repair


def test_retry_wakes_the_row_and_leaves_one_audit_row(scene: Scene) -> None:
    scene.link()
    watch(scene, next_look_at=NOON + minutes(60))
    stuck_rows = SqlStuckRows(scene.engine, TENANT)
    before = (scene.push().wake, scene.journey().look.wake, len(scene.audited()))
    kinds = [
        stuck.retry(scene.store, stuck_rows, row, actor=OPERATOR, why="mended", now=NOON)
        for row in ("l1", "j1", "mdm:ws1/poll", "?")
    ]
    assert kinds == ["link", "journey", "watch", None]
    assert (scene.push().wake, scene.journey().look.wake) == (before[0] + 1, before[1] + 1)
    assert scene.audited()[before[2] :] == ["stuck.retried"] * 3
    [(next_at,)] = scene.rows(sa.select(watches.c.next_look_at))
    assert next_at == NOON
