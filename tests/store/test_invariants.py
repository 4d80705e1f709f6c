"""The invariants that the database holds, over whatever callers do in whatever order: on SQLite, where tries cost milliseconds.

What needs both databases, because only there two are really at once, is in `test_links`, `test_pushes` and `bench single_use`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.domain.compliance import Verdict
from remediation.domain.device import DeviceLink, LinkState
from remediation.domain.push import Lane, Push, update_time
from remediation.errors import Conflict, RemediationError, Stale
from remediation.ports import Change
from remediation.store import SqlSessions, SqlStore, make_engine
from remediation.store.tables import LIVING, audit, device_links, metadata
from tests.people import LINK, NOON, minutes
from tests.store.conftest import Lend
from tests.store.scenes import BAD, BROWSER, GOOD, Scene, directory_phone, managed_phone


class Unheard:
    """There is no engine here: its rows are asked for in `test_wakeups`. What was enqueued is written down."""

    def __init__(self) -> None:
        self.lanes: list[tuple[str, Lane]] = []

    def enqueue(self, connection: Any, workflow: str, row_id: str, wake: int, *, lane: Lane) -> None:
        self.lanes.append((row_id, lane))


DEVICES, RECORDS = ("d1", "d2", "d3"), ("1042", "m2")
Begin = Callable[..., Scene]
tries = settings(max_examples=20, deadline=None)


@pytest.fixture(scope="module")
def shared(sqlite: Lend) -> Iterator[sa.Engine]:
    with sqlite() as url:
        engine = make_engine(url, durable=False)
        yield engine
        engine.dispose()


def begun(engine: sa.Engine, tenant: str | None = None) -> Scene:
    """Mia with two phones in the MDM and three in the directory, in a tenant of their own."""
    scene = Scene(engine, SqlStore(engine, tenant or str(uuid4()), Unheard()))
    scene.arrive()
    scene.see_managed(*(managed_phone(name) for name in RECORDS))
    scene.see_directory(*(directory_phone(name) for name in DEVICES))
    return scene


def a_link(name: str, device: str, record: str = "1042", state: LinkState = LinkState.ACTIVE) -> DeviceLink:
    key = replace(LINK.managed, record_id=record)
    return replace(LINK, id=name, device_id=device, object_id=f"object-{device}", managed=key, state=state)


def pairs(scene: Scene, *states: LinkState) -> list[Any]:
    mine = device_links.c.tenant_id == scene.store.tenant_id, device_links.c.state.in_(states)
    return scene.rows(sa.select(device_links.c.device_id, device_links.c.record_id).where(*mine))


def audited(scene: Scene) -> int:
    count = sa.select(sa.func.count()).select_from(audit).where(audit.c.tenant_id == scene.store.tenant_id)
    return int(scene.rows(count)[0][0])


# a live link gives way to another


@st.composite
def carried(draw: st.DrawFn) -> Sequence[str]:
    """How far Microsoft had heard of the old link when it was replaced."""
    steps = ("well", "prepared", "sent", "accepted", "confirmed")
    return steps[: draw(st.integers(0, len(steps)))]


def carry(scene: Scene, link_id: str, steps: Sequence[str]) -> None:
    does: dict[str, Callable[[Change, int], None]] = {
        "well": lambda c, seq: c.desire(link_id, seq=seq, decision=GOOD, posture_read_at=NOON, lane=Lane.PERSON),
        "prepared": lambda c, seq: c.about_to_send(
            link_id, seq=seq, message_id=f"{link_id}/{seq}", update_time=NOON, seen_before=None
        ),
        "sent": lambda c, seq: c.sent(link_id, seq=seq),
        "accepted": lambda c, seq: c.accepted(link_id, seq=seq),
        "confirmed": lambda c, seq: c.confirmed(link_id, seq=seq, by="changed"),
    }
    for step in steps:
        with scene.change(step) as change:
            does[step](change, scene.push(link_id).desired_seq)


def replaced(scene: Scene, new: DeviceLink) -> bool:
    """As `services/replace_link` does: the end and the new link in one change."""
    try:
        with scene.change("link.replaced", at=NOON + minutes(5)) as change:
            change.end_link("old", "replaced")
            change.make_link(new)
    except (Conflict, Stale):
        return False
    return True


@tries
@given(carried(), st.sampled_from(LIVING), st.sampled_from(DEVICES), st.booleans(), st.sampled_from(LIVING))
def test_I1_a_replaced_link_leaves_one_living_link_of_the_phone_or_all_as_it_was(
    shared: sa.Engine,
    steps: Sequence[str],
    old: LinkState,
    device: str,
    held: bool,
    new: LinkState,
) -> None:
    scene = begun(shared)
    if held:
        scene.link(a_link("neighbours", "d2", "m2"))
    scene.link(a_link("old", "d1", state=old))
    carry(scene, "old", steps if old is LinkState.ACTIVE else ())
    before = (pairs(scene, *LIVING), scene.push("old"), audited(scene))
    done = replaced(scene, a_link("new", device, state=new))
    assert done is not (held and device == "d2" and new is LinkState.ACTIVE), "only who holds the entry already keeps it"
    if not done:
        assert (pairs(scene, *LIVING), scene.push("old"), audited(scene)) == before
        return
    assert [pair for pair in pairs(scene, *LIVING) if pair.record_id == "1042"] == [(device, "1042")]
    active = [pair.device_id for pair in pairs(scene, LinkState.ACTIVE)]
    assert len(set(active)) == len(active)
    assert audited(scene) == before[2] + 1


@tries
@given(carried(), st.sampled_from(DEVICES))
def test_I6_the_end_of_a_replaced_link_is_to_be_told_with_the_revocations_however_far_it_was(
    shared: sa.Engine, steps: Sequence[str], device: str
) -> None:
    scene = begun(shared)
    scene.link(a_link("old", "d1"))
    carry(scene, "old", steps)
    before = scene.push("old")
    assert replaced(scene, a_link("new", device))
    old, new = scene.push("old"), scene.push("new")
    assert (old.desired, old.desired_seq, old.at_rest) == (Verdict.NOT_COMPLIANT, before.desired_seq + 1, False)
    assert (old.lane, old.reasons, old.compliant_until, old.message_id) == (Lane.REVOKE, ("replaced",), None, None)
    wakeups = scene.store._wakeups  # type: ignore[attr-defined]
    assert wakeups.lanes[-2:] == [("old", Lane.REVOKE), ("new", Lane.PERSON)], "both are woken with the change, the end first"
    assert (new.desired, new.desired_seq) == (None, 0), "nothing of the old one's is taken over"
    assert {push.link_id for _, push in scene.store.beside(a_link("new", device)) if not push.at_rest} == {"old"}, (
        "what `carry` waits for"
    )


@tries
@given(carried(), st.lists(st.integers(-3600, 3600), min_size=1, max_size=4))
def test_I11_times_told_of_a_device_grow_over_the_links_that_it_has_had(
    shared: sa.Engine, steps: Sequence[str], clocks: list[int]
) -> None:
    scene = begun(shared)
    scene.link(a_link("old", "d1"))
    carry(scene, "old", steps)
    told = [scene.push("old").last_update_time]
    for number, clock in enumerate(clocks):  # of workers whose clocks differ
        name = f"new{number}"
        with scene.change("link.replaced") as change:
            change.end_link(f"new{number - 1}" if number else "old", "replaced")
            change.make_link(a_link(name, "d1"))
        stamp = update_time(scene.push(name).last_update_time, NOON + timedelta(seconds=clock))
        with scene.change("push.prepared") as change:
            change.about_to_send(name, seq=0, message_id=name, update_time=stamp, seen_before=None)
        told.append(stamp)
    known = [one for one in told if one is not None]
    assert known == sorted(set(known))


# whatever is done, in whatever order


def does(scene: Scene, what: str, number: int, *, read: int = 0) -> bool:
    """One change of this kind; False where it was refused."""
    link, seq = f"k{number % 3}", 0
    if what in ("well", "unwell", "sent", "older"):
        push: Push | None = scene.store.push(link)
        seq = push.desired_seq if push is not None else 0
    changes: dict[str, Callable[[Change], Any]] = {
        "make": lambda c: c.make_link(a_link(f"{link}", DEVICES[number % 3], RECORDS[number % 2])),
        "end": lambda c: c.end_link(link, "wiped"),
        "well": lambda c: c.desire(link, seq=seq, decision=GOOD, posture_read_at=NOON + minutes(read), lane=Lane.PERSON),
        "unwell": lambda c: c.desire(link, seq=seq, decision=BAD, posture_read_at=NOON + minutes(read), lane=Lane.REVOKE),
        "older": lambda c: c.desire(link, seq=seq - 1, decision=GOOD, posture_read_at=NOON + minutes(read), lane=Lane.SWEEP),
        "sent": lambda c: c.sent(link, seq=seq),
        "look": lambda c: c.want_look("j1"),
        "help": lambda c: c.need_help("j1" if number % 2 else "no such journey", "loop"),
        "sign out": lambda c: c.end_sessions("mia"),
        "erase": lambda c: c.erase_person("mia"),
    }
    try:
        with scene.change(what, at=NOON + minutes(number)) as change:
            changes[what](change)
    except (RemediationError, sa.exc.IntegrityError):
        return False
    return True


LINKS_ONLY = ("make", "end", "well", "unwell", "older", "sent")
orders = st.lists(st.tuples(st.sampled_from(LINKS_ONLY), st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=16)


@tries
@given(orders)
def test_I3_no_verdict_ever_rests_on_an_older_read_than_the_one_before_it(
    shared: sa.Engine, order: list[tuple[str, int, int]]
) -> None:
    scene = begun(shared)
    for what, number, read in order:
        before = scene.store.push(f"k{number % 3}")
        done = does(scene, what, number, read=read)
        after = scene.store.push(f"k{number % 3}")
        if what not in ("well", "unwell", "older") or before is None or after is None:
            continue
        if done:
            assert after.posture_read_at == NOON + minutes(read)
            assert before.posture_read_at is None or before.posture_read_at <= after.posture_read_at
        else:
            assert after == before


@tries
@given(orders)
def test_I1_whatever_is_made_and_ended_no_two_living_links_share_a_device(
    shared: sa.Engine, order: list[tuple[str, int, int]]
) -> None:
    scene = begun(shared)
    for what, number, read in order:
        does(scene, what, number, read=read)
        records = [pair.record_id for pair in pairs(scene, *LIVING)]
        devices = [pair.device_id for pair in pairs(scene, LinkState.ACTIVE)]
        assert (len(set(records)), len(set(devices))) == (len(records), len(devices))


@tries
@given(orders)
def test_I8_an_open_revocation_stays_with_the_revocations_whoever_wakes_the_row(
    shared: sa.Engine, order: list[tuple[str, int, int]]
) -> None:
    scene = begun(shared)
    for what, number, read in order:
        link = f"k{number % 3}"
        does(scene, what, number, read=read)
        with suppress(Stale), scene.change("woken") as change:
            change.wake_link(link, lane=(Lane.PERSON, Lane.SWEEP)[read % 2])
        push = scene.store.push(link)
        open_end = push is not None and not push.at_rest and push.desired is Verdict.NOT_COMPLIANT
        assert not open_end or push is None or push.lane is Lane.REVOKE


@tries
@given(
    st.lists(
        st.tuples(st.sampled_from((*LINKS_ONLY, "look", "help", "sign out", "erase")), st.integers(0, 5), st.integers(0, 9)),
        max_size=16,
    )
)
def test_I9_every_change_has_its_one_audit_row_and_what_was_refused_has_none(
    shared: sa.Engine, order: list[tuple[str, int, int]]
) -> None:
    scene = begun(shared)
    rows = everything(scene)
    for what, number, read in order:
        done, before = does(scene, what, number, read=read), rows
        rows = everything(scene)
        assert len(rows["audit"]) == len(before["audit"]) + done
        assert done or rows == before, "a refusal leaves nothing at all"


def everything(scene: Scene) -> dict[str, list[Any]]:
    """All rows of this tenant."""
    found = {}
    for table in metadata.sorted_tables:
        mine = sa.select(table).where(table.c.tenant_id == scene.store.tenant_id)
        found[table.name] = [tuple(row) for row in scene.rows(mine.order_by(*table.primary_key.columns))]
    return found


@tries
@given(
    st.lists(
        st.tuples(st.sampled_from((*LINKS_ONLY, "look", "help", "sign out", "erase")), st.integers(0, 5), st.integers(0, 9)),
        min_size=1,
        max_size=12,
    )
)
def test_I10_whatever_one_tenant_does_another_under_the_same_ids_keeps_every_row(
    shared: sa.Engine, order: list[tuple[str, int, int]]
) -> None:
    ours, theirs = begun(shared), begun(shared)
    for scene in (ours, theirs):
        does(scene, "make", 0)
        does(scene, "well", 0)
        SqlSessions(shared, scene.store.tenant_id).begin(oid="mia", name="Mia", roles=(), browser=BROWSER, at=NOON)
    before, seen = everything(theirs), theirs.journey()
    for what, number, read in order:
        does(ours, what, number, read=read)
    ours.store.wake_due(NOON + timedelta(days=400))
    assert everything(theirs) == before
    assert theirs.journey() == seen
