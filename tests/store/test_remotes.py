"""The rows of how each remote is, on both databases: what is counted, whose it is, and what depends on whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import sqlalchemy as sa

from remediation.domain.budget import Limit
from remediation.domain.health import Cause, Connection, Dependents, Heard
from remediation.domain.told import Period, Throttling
from remediation.store.dependents import SqlDependents
from remediation.store.engine import writing
from remediation.store.look_up import SqlLookUp
from remediation.store.remotes import GOOD_EVERY, EventTally, HeardRemotes, SqlConnections
from remediation.store.tables import dependents, watches
from tests.people import NOON, minutes
from tests.store.scenes import GOOD, Scene

LIMIT = Limit(2.0, 12)
DOWN = Heard("unreachable", Cause.TIMEOUT)
BUSY = Heard("busy", Cause.THROTTLED, 429, "TooManyRequests")
REFUSED = Heard("refused", Cause.REFUSED, 400, "1011", "Device … not found")


def read(engine: sa.Engine, tenant: str) -> dict[str, Connection]:
    return {one.name: one for one in SqlConnections(engine, tenant).connections(NOON + minutes(5))}


def test_failures_are_counted_from_the_first_and_forgotten_with_a_good_answer(engine: sa.Engine, scene: Scene) -> None:
    tenant, heard = scene.store.tenant_id, HeardRemotes(engine, scene.store.tenant_id)
    for n in range(3):
        heard.heard("mdm:ws1", DOWN, LIMIT, NOON + minutes(n))
    row = read(engine, tenant)["mdm:ws1"].row
    assert (row.failures, row.failing_since, row.failed_at, row.good_at) == (3, NOON, NOON + minutes(2), None)
    heard.heard("mdm:ws1", Heard(), LIMIT, NOON + minutes(3))
    row = read(engine, tenant)["mdm:ws1"].row
    assert (row.failures, row.failing_since, row.good_at, row.cause) == (0, None, NOON + minutes(3), "timeout")
    assert (row.rate, row.burst) == (2.0, 12)
    heard.heard("mdm:ws1", REFUSED, LIMIT, NOON + minutes(4))
    row = read(engine, tenant)["mdm:ws1"].row
    assert (row.failures, row.failing_since, row.code, row.words) == (0, None, "1011", "Device … not found")


def test_a_good_answer_is_written_once_a_minute_and_at_once_after_a_failure(engine: sa.Engine, scene: Scene) -> None:
    tenant, heard = scene.store.tenant_id, HeardRemotes(engine, scene.store.tenant_id)
    moments = []
    for at, what in ((0, Heard()), (30, Heard()), (61, Heard()), (62, DOWN), (63, Heard()), (64, Heard())):
        heard.heard("directory", what, LIMIT, NOON + timedelta(seconds=at))
        moments.append(read(engine, tenant)["directory"].row.good_at)
    assert timedelta(seconds=60) == GOOD_EVERY
    assert [(at - NOON).total_seconds() for at in moments if at is not None] == [0, 0, 61, 61, 63, 63]


def test_that_a_remote_wants_fewer_calls_is_counted_by_its_day_and_nothing_else_is(engine: sa.Engine, scene: Scene) -> None:
    tenant, told = scene.store.tenant_id, SqlLookUp(engine, scene.store.tenant_id)
    midnight = datetime(NOON.year, NOON.month, NOON.day, tzinfo=UTC) + timedelta(days=1)
    one, another = HeardRemotes(engine, tenant), HeardRemotes(engine, tenant)  # two processes
    for at in (NOON, midnight - timedelta(microseconds=1)):
        one.heard("directory", BUSY, LIMIT, at)
        another.heard("directory", replace(BUSY, code=None), LIMIT, at.astimezone(timezone(timedelta(hours=9))))
    one.heard("directory", BUSY, LIMIT, midnight)
    one.heard("mdm:ws1", BUSY, LIMIT, NOON)
    HeardRemotes(engine, "another").heard("directory", BUSY, LIMIT, NOON)
    for other in (DOWN, REFUSED, Heard()):
        one.heard("channel", other, LIMIT, NOON)
    read_at = midnight + timedelta(days=2)
    found = told.told(Period(midnight - timedelta(days=1), midnight), read_at, most=None).throttlings
    last = Throttling("directory", 4, midnight - timedelta(microseconds=1), None)
    assert found == [last, Throttling("mdm:ws1", 1, NOON, "TooManyRequests")]
    found = told.told(Period(midnight, midnight + timedelta(days=1)), read_at, most=None).throttlings
    assert found == [Throttling("directory", 1, midnight, "TooManyRequests")]


def test_the_count_is_one_statement_more_in_the_transaction_of_the_row(engine: sa.Engine, scene: Scene) -> None:
    heard, done = HeardRemotes(engine, scene.store.tenant_id), list[str]()
    heard.heard("directory", BUSY, LIMIT, NOON)
    sa.event.listen(engine, "before_cursor_execute", lambda *call: done.append(call[2].split()[0]))
    sa.event.listen(engine, "commit", lambda *_: done.append("commit"))
    heard.heard("directory", BUSY, LIMIT, NOON)
    heard.heard("directory", DOWN, LIMIT, NOON)
    assert [one for one in done if not one.startswith("BEGIN")] == ["UPDATE", "INSERT", "commit", "UPDATE", "commit"]


def test_two_tenants_and_two_processes_have_no_say_in_each_others_rows(engine: sa.Engine, scene: Scene) -> None:
    one, other = scene.store.tenant_id, "another"
    HeardRemotes(engine, one).heard("channel", DOWN, LIMIT, NOON)
    HeardRemotes(engine, one).heard("channel", DOWN, LIMIT, NOON)
    HeardRemotes(engine, other).heard("channel", Heard(), LIMIT, NOON)
    assert (read(engine, one)["channel"].row.failures, read(engine, other)["channel"].row.failures) == (2, 0)


def test_entra_has_a_row_for_each_resource_and_what_was_taken_out_of_the_settings_is_not_shown(
    engine: sa.Engine, scene: Scene
) -> None:
    tenant, heard = scene.store.tenant_id, HeardRemotes(engine, scene.store.tenant_id)
    for name in ("tokens", "tokens:graph.example", "mdm:gone", "sign_in_log"):
        heard.heard(name, Heard(), LIMIT, NOON)
    heard.heard("tokens:intune.example", Heard("refused", Cause.EXPIRED), LIMIT, NOON)
    with engine.begin() as connection:
        for name, reason in (("mdm:gone/poll", "no_such_source"), ("mdm:new/poll", None)):
            connection.execute(sa.insert(watches).values(tenant_id=tenant, name=name, reason=reason))
    found = read(engine, tenant)
    assert list(found) == ["entra", "directory", "channel", "mdm:new"]
    assert (len(found["entra"].rows), found["entra"].row.why) == (3, Cause.EXPIRED)


def test_what_depends_on_a_connection(engine: sa.Engine, scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    HeardRemotes(engine, scene.store.tenant_id).heard("mdm:maas", Heard(), LIMIT, NOON)
    HeardRemotes(engine, scene.store.tenant_id).heard("mdm:ws1", Heard(), LIMIT, NOON)
    counts, at = SqlDependents(engine, scene.store.tenant_id), NOON + minutes(5)
    assert read(engine, scene.store.tenant_id)["mdm:ws1"].dependents.links == 1, "no worker has counted yet"
    assert counts.count(lambda: at)
    with writing(engine) as connection:
        connection.execute(sa.update(dependents).values(links=7))
    assert read(engine, scene.store.tenant_id)["mdm:ws1"].dependents.links == 7, "no page counts what a worker has counted"
    assert not counts.count(lambda: at + timedelta(seconds=50)), "what was counted just now is not counted again"
    assert SqlDependents(engine, scene.store.tenant_id).count(lambda: at + minutes(1))
    found = read(engine, scene.store.tenant_id)
    until = scene.push().compliant_until
    soon = int(until is not None and until <= NOON + minutes(5) + timedelta(hours=24))
    assert found["mdm:ws1"].dependents == found["channel"].dependents == Dependents(1, 1, until, soon)
    assert found["mdm:maas"].dependents == Dependents()
    assert type(found["mdm:ws1"].dependents.ending) is int


def test_events_are_tallied_in_one_write_and_for_known_connections_alone(engine: sa.Engine, scene: Scene) -> None:
    tenant, tally = scene.store.tenant_id, EventTally()
    HeardRemotes(engine, tenant).heard("mdm:ws1", Heard(), LIMIT, NOON)
    for n in range(7):
        tally.note(engine, tenant, "ws1", forged=True, now=NOON + timedelta(seconds=n / 2))
    tally.note(engine, tenant, "unknown", forged=True, now=NOON + minutes(1))
    tally.note(engine, tenant, "ws1", forged=False, now=NOON + minutes(2))
    found = read(engine, tenant)
    assert (found["mdm:ws1"].row.forged, found["mdm:ws1"].row.event_at) == (7, NOON + minutes(2))
    assert "mdm:unknown" not in found
