"""Leases are extended once per outage, in one change: within both clocks, and only for devices that stand well."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.compliance import Decision, MdmWord, Verdict
from remediation.domain.device import Person
from remediation.errors import ExtensionRefused
from remediation.ports import Actor
from remediation.services.leases import WITHIN, ending, extend
from remediation.store.leases import SqlLeases
from remediation.store.tables import audit, device_links, pushes, watches
from tests.people import HEALTHY, LINK, MANAGED_PHONE, NOON
from tests.store.scenes import GOOD, TENANT, Scene, all_at_once, directory_phone, managed_phone

OPERATOR = Actor("operator", "root")
NOW = NOON + timedelta(hours=70)  # two hours before the leases end
WEEK = NOON + timedelta(days=7)
READ = timedelta(microseconds=123_457)


def fails(scene: Scene, since: datetime = NOON, connection: str = "ws1") -> None:
    with scene.engine.begin() as connection_:
        row = {"name": f"mdm:{connection}/poll", "failing_since": since, "good_at": since, "reason": "mdm_unreachable"}
        connection_.execute(sa.insert(watches).values(tenant_id=TENANT, **row))


def stands(scene: Scene, decision: Decision = GOOD, *, read_at: datetime = NOON) -> None:
    scene.link()
    push = scene.desire(decision, read_at=read_at)
    with scene.change("confirmed") as change:
        change.confirmed("l1", seq=push.desired_seq, by="changed")


def more(scene: Scene, connection: str = "ws1", check_in: timedelta = timedelta(days=14), **kw: Any) -> tuple[int, datetime]:
    asked = {"check_in": check_in, "actor": OPERATOR, "why": "data centre lost power", "now": NOW, **kw}
    return extend(scene.store, SqlLeases(scene.engine, TENANT), connection, **asked)


def refusal(scene: Scene, connection: str = "ws1", **kw: Any) -> str:
    before = scene.push(), len(scene.audited())
    with pytest.raises(ExtensionRefused) as raised:
        more(scene, connection, **kw)
    assert (scene.push(), len(scene.audited())) == before, "refused, and nothing is left of it"
    return raised.value.why


def test_it_stands_until_a_week_after_our_own_last_good_read(scene: Scene) -> None:
    stands(scene, read_at=NOON + READ)
    fails(scene)
    assert more(scene) == (1, WEEK + READ)
    assert scene.push().compliant_until == WEEK + READ
    [row] = scene.rows(sa.select(audit).where(audit.c.why == "leases.extended"))
    assert (row.actor_kind, row.about_id, row.detail["count"]) == ("operator", "ws1", 1)
    assert row.detail["because"] == "data centre lost power"


@pytest.mark.parametrize("days", [6, 14])
def test_it_never_stands_past_the_devices_check_in_clock(scene: Scene, days: int) -> None:
    stands(scene)
    fails(scene)
    assert HEALTHY.last_seen is not None
    more(scene, check_in=timedelta(days=days))
    assert scene.push().compliant_until == min(WEEK, HEALTHY.last_seen + timedelta(days=days))


def test_once_per_outage_whoever_asks(scene: Scene) -> None:
    stands(scene)
    fails(scene)
    told = all_at_once([lambda: more(scene)] * 4)
    assert told == {"done": 1, "extended_already": 3}
    assert scene.audited().count("leases.extended") == 1
    assert refusal(scene) == "extended_already"
    with scene.engine.begin() as connection:
        connection.execute(sa.update(watches).values(failing_since=NOON + timedelta(hours=60)))
    assert refusal(scene) == "nothing", "a second outage, and no good read between: the week is the same"


def test_only_while_it_fails(scene: Scene) -> None:
    stands(scene)
    assert refusal(scene) == "unknown"
    fails(scene)
    assert refusal(scene, "ws2") == "unknown"
    with scene.engine.begin() as connection:
        connection.execute(sa.update(watches).values(failing_since=None))
    assert refusal(scene) == "not_failing"


Spoil = Callable[[Scene], None]


def said(**posture: Any) -> Spoil:
    return lambda scene: scene.see_managed(replace(MANAGED_PHONE, posture=replace(HEALTHY, **posture)))


def put(table: sa.Table, **values: Any) -> Spoil:
    def do(scene: Scene) -> None:
        with scene.engine.begin() as connection:
            connection.execute(sa.update(table).values(**values))

    return do


@pytest.mark.parametrize(
    "spoil",
    [
        said(word=MdmWord.NOT_COMPLIANT),
        said(word=MdmWord.PENDING),
        said(word=MdmWord.UNKNOWN),
        said(compromised=True),
        said(compromised=None),
        said(enrolled=False),
        said(last_seen=None),
        lambda scene: scene.see_managed(replace(MANAGED_PHONE, generation="wiped since")),
        lambda scene: scene.see_managed(),
        put(pushes, desired=Verdict.NOT_COMPLIANT),
        put(pushes, desired_seq=9),
        put(pushes, observed=False),
        put(pushes, compliant_until=NOW),
        put(pushes, compliant_until=WEEK + timedelta(days=1)),
        put(device_links, state="ended"),
        put(pushes, posture_read_at=None),
    ],
)
def test_never_for_a_device_that_does_not_stand_well(scene: Scene, spoil: Spoil) -> None:
    stands(scene)
    fails(scene)
    spoil(scene)
    assert refusal(scene) == "nothing"


def test_the_counts_by_connection(scene: Scene) -> None:
    stands(scene)
    noah = Person("noah", "Noah Lind", "noah@contoso.example")
    scene.arrive("j2", noah)
    scene.see_managed(managed_phone("2"), oid="noah")
    scene.see_directory(directory_phone("d2"), oid="noah")
    scene.link(replace(LINK, id="l2", device_id="d2", object_id="o2", managed=managed_phone("2").key, oid="noah"))
    fails(scene)
    fails(scene, connection="ws2")
    leases = SqlLeases(scene.engine, TENANT)
    found = {one.connection: (one.standing, one.within, one.failing_since) for one in ending(leases, NOW)}
    assert WITHIN == (1, 12, 24, 72)
    assert found == {"ws1": (1, (0, 1, 1, 1), NOON), "ws2": (0, (0, 0, 0, 0), NOON)}
    more(scene)
    [ws1, _] = ending(leases, NOW)
    assert ws1.within == (0, 0, 0, 0)
    assert ws1.extension is not None
    assert (ws1.extension.links, ws1.extension.until, ws1.extension.extended_at) == (1, WEEK, NOW)
