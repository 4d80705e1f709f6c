"""What a policy would do to people, counted from whole lists: the numbers against the sandbox's own truth, whatever happens."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from remediation.domain.impact import NO_DEVICE
from remediation.domain.watch import Pace
from remediation.errors import ImpactRefused
from remediation.ports import Actor, Count
from remediation.services import impact_tables
from remediation.services.impact import ask_for_count, count_on, stop_count
from remediation.services.prune import Keep, prune
from remediation.store import tables
from remediation.store.pruning import SqlPrunedRows
from remediation.store.seals import SqlSeals
from sandbox import crowd
from sandbox.world import GRAPH_APP_ID, INTUNE_PLAN, Group
from tests.store.test_seals import KEY
from tests.stories import Story

Tell = Callable[..., Story]
ON_POSTGRESQL = True
ADAM = Actor("admin", "adam")


def asks(story: Story) -> None:
    ask_for_count(story.store, actor=ADAM, now=story.world.clock())


def newest(story: Story) -> Count:
    found = story.store.newest_count()
    assert found is not None
    return found


def passes(story: Story, *, beats: int = 200, every: float = 5) -> Count:
    """Beats until the count is over."""
    for _ in range(beats):
        if newest(story).state != "counting":
            break
        count_on(story.world)
        story.sandbox.world.advance(every)
    return newest(story)


def counted(story: Story) -> Count:
    asks(story)
    return passes(story)


def numbers(count: Count) -> dict[tuple[str, str], int]:
    return dict(count.by_platform)


@pytest.fixture
def story(tell: Tell) -> Story:
    """A company of the crowd beside the few of each story. Of the crowd 3 lack nothing, 4 a link, 5 a registration, 2 enrollment
    though Entra knows their phone, 1 any device, and 2 a licence."""
    story = tell("blocked_just_registered", page_size=6)
    story.sandbox.world.page_size = 8
    story.before = numbers(counted(story))  # type: ignore[attr-defined]
    world, (_, _, no_entry, no_record, no_licence) = story.sandbox.world, gathered(story)
    for member in [*no_entry, no_record[0]]:
        del world.devices[member.device.object_id]
    for member in no_record:
        del world.records[member.record.id]
    for member in no_licence:
        member.person.licences.remove(INTUNE_PLAN)
    return story


def gathered(story: Story) -> list[list[crowd.Member]]:
    """Before anything is taken away, since the next ones are numbered by the records there are."""
    world = story.sandbox.world
    return [crowd.gather(world, number, compliant=number == 3) for number in (3, 4, 5)] + [
        crowd.gather(world, 3, compliant=False),
        crowd.gather(world, 2),
    ]


OF_THE_CROWD = {
    ("link", "ios"): 4,
    ("registration", "ios"): 5,
    ("enrollment", "ios"): 2,
    ("enrollment", NO_DEVICE): 1,
    ("licence", "ios"): 2,
}


def of_the_crowd(story: Story, count: Count) -> dict[tuple[str, str], int]:
    found = Counter(numbers(count))
    found.subtract(story.before)  # type: ignore[attr-defined]
    return {what: number for what, number in found.items() if number}


def test_everybody_is_counted_once_for_what_they_lack(story: Story) -> None:
    count = counted(story)
    assert (count.state, of_the_crowd(story, count)) == ("done", OF_THE_CROWD)
    people = [p for p in story.sandbox.world.persons.values() if p.tenant_id == story.sandbox.world.tenant_id]
    assert count.people == sum(p.enabled and not p.guest for p in people)
    assert count.touched <= count.people
    assert all(read.whole for read in count.lists.values())
    assert count.lists["people:"].rows == len(people)
    link = [one.name for one in story.store.people_missing(count, "link", "ios")]
    assert len(link) == numbers(count)["link", "ios"]
    assert link == sorted(link)


def test_it_takes_pages_and_never_a_call_for_a_person(story: Story) -> None:
    """`bench/impact.py` counts the same for ten thousand."""
    story.sandbox.world.page_size = 999
    seq = story.sandbox.ledger.since()[-1].seq
    count = counted(story)
    paths = Counter(entry.path for entry in story.sandbox.ledger.since(seq) if "token" not in entry.path)
    records = len(story.sandbox.world.records)
    assert count.state == "done"
    assert {path.rpartition("/")[2] for path in paths} == {"users", "devices", "search"}
    assert sum(paths.values()) == 2 + -(-records // 6)


def test_one_person_with_several_devices_is_counted_once_for_each_reason_and_platform(tell: Tell) -> None:
    story = tell("two_phones")
    before = numbers(counted(story))
    world, mia = story.sandbox.world, story.remotes.person().oid
    for device in list(world.devices.values()):
        if device.owner_oid == mia:
            del world.devices[device.object_id]
    after = counted(story)
    assert sum(r.person_oid == mia for r in world.records.values()) > 1
    assert [p.oid for p in story.store.people_missing(after, "registration", "ios")].count(mia) == 1
    assert numbers(after)["registration", "ios"] <= before.get(("registration", "ios"), 0) + 1
    assert after.by_reason["registration"] == len(story.store.people_missing(after, "registration", None))


def test_who_is_linked_lacks_compliance_until_entra_shows_it(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    mia = story.remotes.person().oid
    assert mia in {p.oid for p in story.store.people_missing(counted(story), "link", "ios")}
    story.gets_through()
    assert mia not in {p.oid for r in ("link", "compliance") for p in story.store.people_missing(counted(story), r, "ios")}
    story.reports_health(passcode=False)
    story.passes(120)
    assert story.entra_shows is False
    assert mia in {p.oid for p in story.store.people_missing(counted(story), "compliance", "ios")}


def test_members_of_the_chosen_groups_alone_by_way_of_groups_within_too(story: Story) -> None:
    world = story.sandbox.world
    members = crowd.gather(world, 7, compliant=False)
    inner = Group(world.new_id(), "Inner", "", {m.person.oid for m in members[:4]})
    outer = Group(world.new_id(), "Outer", "", {m.person.oid for m in members[3:6]}, {inner.id})
    inner.groups.add(outer.id)  # they may hold one another
    world.groups |= {inner.id: inner, outer.id: outer}
    story.world.roster.groups = (outer.id, inner.id)  # type: ignore[union-attr]
    count = counted(story)
    assert (count.state, count.people, numbers(count)) == ("done", 6, {("link", "ios"): 6})


# what happens on the way


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [2, 6])
def test_P1_killed_at_any_call_it_goes_on_and_counts_the_same(story: Story, at: int, after: bool) -> None:
    story.with_world(pace=Pace(pages=3))
    transport: Any = story.remotes.transport
    transport.send = Deadly(transport.send, at, after=after)
    asks(story)
    for _ in range(120):
        try:
            count_on(story.world)
        except Killed:
            assert newest(story).state == "counting"
        story.sandbox.world.advance(60)  # the three minutes for which the dead one held it pass
    assert of_the_crowd(story, newest(story)) == OF_THE_CROWD


def test_a_worker_that_wakes_late_writes_nothing(story: Story) -> None:
    asks(story)
    old = story.store.claim_count(story.world.clock(), hold=timedelta(minutes=3))
    assert old is not None
    assert story.store.claim_count(story.world.clock(), hold=timedelta(minutes=3)) is None, "held"
    story.sandbox.world.advance(181)
    count = passes(story)
    assert of_the_crowd(story, count) == OF_THE_CROWD
    page = story.world.roster.people(None, None)  # type: ignore[union-attr]
    assert not story.store.keep_people(old, page.rows, old)
    assert not story.store.begin_list(old, stage="people:", next_at=story.world.clock())
    assert numbers(newest(story)) == numbers(count)


@pytest.mark.parametrize(
    ("service", "kind"),
    [("graph", "throttle"), ("workspace_one", "down"), ("graph", "server_error"), ("workspace_one", "drop_answer")],
)
def test_a_remote_that_is_away_is_waited_for_at_the_same_page(story: Story, service: str, kind: str) -> None:
    story.fault(service, kind, times=3)
    assert of_the_crowd(story, counted(story)) == OF_THE_CROWD


@pytest.mark.parametrize("service", ["graph", "workspace_one"])
def test_an_odd_answer_begins_its_list_anew(story: Story, service: str) -> None:
    story.with_world(pace=Pace(pages=1))
    asks(story)
    for _ in range(3):
        count_on(story.world)
    story.fault(service, "html", times=1)
    count = passes(story)
    assert of_the_crowd(story, count) == OF_THE_CROWD
    assert sum(read.again for read in count.lists.values()) == 1


def test_a_list_that_never_comes_to_its_end_yields_no_number(story: Story) -> None:
    story.fault("workspace_one", "html", path="devices/search")
    count = counted(story)
    assert (count.state, numbers(count), count.people, count.kept) == ("incomplete", {}, 0, False)
    assert (count.lists["mdm:ws1"].whole, count.lists["mdm:ws1"].why) == (False, "garbled")
    assert "impact" not in impact_tables.as_json(count)
    assert rows_of(story) == {}
    assert story.store.counted_last() is not None, "the numbers of before stay"


def test_what_is_refused_ends_it_and_says_what(story: Story) -> None:
    world = story.sandbox.world
    world.apps["service"].permissions[GRAPH_APP_ID] -= {"User.Read.All"}
    world.tokens_end = world.now()
    count = counted(story)
    assert (count.state, count.lists["people:"].why) == ("incomplete", "refused")


def test_a_chosen_group_that_is_gone_ends_it(story: Story) -> None:
    story.world.roster.groups = ("11111111-2222-4333-8444-555555555555",)  # type: ignore[union-attr]
    count = counted(story)
    assert count.state == "incomplete"
    assert [read.why for read in count.lists.values()] == ["not_found"]


def test_a_directory_that_does_not_say_whose_devices_are_yields_no_number(story: Story) -> None:
    for device in story.sandbox.world.devices.values():
        device.owner_oid = ""
    count = counted(story)
    assert (count.state, count.lists["directory"].why) == ("incomplete", "owners_not_told")


def test_a_record_that_cannot_be_read_is_said(tell: Tell) -> None:
    def spoil(request: requests.PreparedRequest, status: int, body: bytes) -> bytes:
        if "devices/search" not in str(request.url) or status != 200:
            return body
        page = json.loads(body)
        page["Devices"][0]["Udid"] = ["odd"]
        return json.dumps(page).encode()

    count = counted(tell("blocked_just_registered", change=spoil))
    assert (count.state, count.lists["mdm:ws1"].unreadable) == ("done", 1)


# one at a time, stopped, let go


def test_one_at_a_time_and_stopped_by_whoever_may(story: Story) -> None:
    asks(story)
    with pytest.raises(ImpactRefused) as refused:
        asks(story)
    assert refused.value.why == "counting_already"
    count_on(story.world)
    stop_count(story.store, newest(story).id, actor=ADAM, now=story.world.clock())
    assert (newest(story).state, count_on(story.world)) == ("stopped", False)
    with pytest.raises(ImpactRefused):
        stop_count(story.store, newest(story).id, actor=ADAM, now=story.world.clock())
    assert counted(story).state == "done"
    assert [why for why in story.audit() if why.startswith("impact.")] == [
        *("impact.asked", "impact.done"),
        *("impact.asked", "impact.stopped"),
        *("impact.asked", "impact.done"),
    ]


def rows_of(story: Story) -> dict[str, int]:
    """How many rows the numbers of all counts but the newest that is done hold on to, and what was needed only while it counted."""
    last = story.store.counted_last()
    found = {}
    with story.engine.connect() as connection:
        for table in (tables.impact_names, tables.impact_registered, tables.impact_managed):
            found[table.name] = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in (tables.impact_people, tables.impact_missing):
            others = table.c.count_id != (last.id if last is not None else "")
            found[table.name] = connection.execute(sa.select(sa.func.count()).select_from(table).where(others)).scalar_one()
    return {name: number for name, number in found.items() if number}


def test_T34_nothing_is_kept_of_people_but_of_those_behind_the_newest_numbers(story: Story) -> None:
    first = counted(story)
    assert rows_of(story) == {}
    with story.engine.connect() as connection:
        kept = set(connection.execute(sa.select(tables.impact_people.c.oid)).scalars())
        assert kept == set(connection.execute(sa.select(tables.impact_missing.c.oid)).scalars()), "who lacks nothing is not kept"
    asks(story)
    assert story.store.people_missing(first, "link", "ios"), "the control: while the next one counts they stay"
    passes(story)
    assert rows_of(story) == {}
    assert not story.store.people_missing(first, "link", "ios")


def test_T34_the_people_behind_numbers_age_out(story: Story) -> None:
    count = counted(story)
    keep = Keep(timedelta(days=30), timedelta(days=90), timedelta(days=730))
    rows, log = SqlPrunedRows(story.engine, story.store.tenant_id), SqlSeals(story.engine, story.store.tenant_id)

    def pruned_after(days: float) -> None:
        now = story.world.clock() + timedelta(days=days)
        prune(story.store, rows, log, now, keep=keep, audit_key=lambda: KEY, actor=ADAM)

    pruned_after(29)
    assert story.store.people_missing(count, "link", "ios")
    pruned_after(31)
    assert story.store.people_missing(count, "link", "ios") == []
    assert story.store.newest_count() is None


class Killed(BaseException):
    """What SIGKILL is to a process; nothing of ours catches it."""


class Deadly:
    """Kills once, at call number `at`, before or after the remote did what it was asked."""

    def __init__(self, send: Callable[..., requests.Response], at: int, *, after: bool) -> None:
        self.send, self.left, self.after = send, at, after

    def __call__(self, *args: Any, **kw: Any) -> requests.Response:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Killed
        response = self.send(*args, **kw)
        if self.left == 0:
            raise Killed
        return response
