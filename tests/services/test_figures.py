"""The figures of whole stories, compared with a recount from the audit's rows that knows nothing of how they are counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import Platform
from remediation.domain.steps import Step
from remediation.domain.told import Deed, KnownLink, Period, Throttling, Told
from remediation.domain.ways import FUNNEL
from remediation.ports import Actor
from remediation.services import figures, look_up
from remediation.services.figure_lists import Item, Number, listed
from remediation.services.figure_tables import Table, tables
from remediation.services.figures import Choice, choose
from remediation.services.start_journey import open_case
from remediation.store.look_up import SqlLookUp
from remediation.store.tables import journeys, pushes
from tests.reads import asked, reads_everything
from tests.services.recount import Recount, Row
from tests.services.test_budgets import TwoWorkers
from tests.stories import Story

Tell = Callable[..., Story]
DAY = timedelta(days=1)


def reads(story: Story) -> SqlLookUp:
    return SqlLookUp(story.engine, story.store.tenant_id)


def counted(story: Story, **narrowed: Any) -> dict[str, list[Row]]:
    now = story.world.clock()
    choice = replace(choose({}, [], now), **narrowed)
    found = figures.count(reads(story), choice, now)
    return {name: as_rows(table) for name, table in found.tables.items()}


def as_rows(table: Table) -> list[Row]:
    assert all(len(row) == len(table.columns) for row in table.rows)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def row_of(rows: list[Row], **keys: Any) -> Row:
    [found] = [row for row in rows if keys.items() <= row.items()]
    return found


def agrees(story: Story) -> dict[str, list[Row]]:
    """Every figure that the rows can tell, against the recount."""
    found, recount = counted(story), Recount(story)
    begun, opened = recount.started, {key: recount.opened(key) for key in recount.started}
    for row in found["journeys"]:
        mine = [
            key
            for key, told in begun.items()
            if row["entrance"] in ("all", told["detail"]["entrance"]) and row["platform"] in ("all", told["detail"]["platform"])
        ]
        through = [key for key in mine if opened[key] is not None]
        assert (row["begun"], row["finished"]) == (len(mine), len(through))
        assert row["already"] == sum(opened[key] == begun[key]["at"] for key in through)
        assert row["unaided"] == sum(not helped(recount, key) for key in through)
    waits = [(at - begun[key]["at"]).total_seconds() for key, at in opened.items() if at is not None and at > begun[key]["at"]]
    told = row_of(found["times"], measure="from_arrival", platform="all")
    assert told["count"] == len(waits)
    assert told["median_s"] == (round(median(waits)) if waits else None)
    steps = {row["step"]: row["reached"] for row in found["funnel"] if row["platform"] == "all"}
    assert list(steps) == list(FUNNEL)
    assert (steps["arrived"], steps["open"]) == (len(begun), sum(at is not None for at in opened.values()))
    proven = {row["detail"]["journey"] for row in recount.said("possession.proven")}
    assert steps["proven"] == len(proven | {key for key in begun if recount.link_of(key)})
    assert steps["linked"] == sum(recount.link_of(key) is not None for key in begun)
    helps = {(row["about_id"], row["detail"]["because"]) for row in recount.said("journey.needs_help")}
    helps |= {(key, "loop") for key in begun if len(recount.said("journey.still_blocked", about=key)) > 1}
    with story.engine.connect() as connection:
        problems = connection.execute(sa.select(journeys.c.id, journeys.c.owner_problem)).all()
    helps |= {(key, problem) for key, problem in problems if problem is not None}
    assert causes(found, "help") == Counter(because for _, because in helps)
    judged = [one.wish for link in recount.links for one in recount.news(link) if not one.compliant]
    verdicts = [row for row in judged if row["why"] not in ("link.ended", "push.resync")]
    assert causes(found, "verdict") == Counter(reason for row in verdicts for reason in row["detail"]["reasons"])
    assert causes(found, "ended") == Counter(row["detail"]["because"] for row in recount.said("link.ended"))
    loops = Counter(str(min(3, len(recount.said("journey.still_blocked", about=key)))) for key in begun)
    assert {row["still_blocked"].rstrip("+"): row["journeys"] for row in found["loops"] if row["journeys"]} == dict(loops)
    for lane, compliant in (("person", True), ("revocation", False)):
        took, row = recount.latencies(compliant=compliant), row_of(found["pushes"], lane=lane)
        assert (row["confirmed"], row["median_s"]) == (len(took), round(median(took)) if took else None), lane
    assert [row["count"] for row in found["evidence"]] == [0, 0]
    assert {(row["actor"], row["action"]): row["count"] for row in found["staff"]} == recount.staff()
    recount.agrees(found, story.world.clock(), opened, {key: helped(recount, key) for key in begun})
    lists_agree(story, recount)
    return found


def lists_agree(story: Story, recount: Recount) -> None:
    """Behind every number as many as it says; each once, page by page; and behind those of journeys the people who came."""
    now = story.world.clock()
    counted = figures.count(reads(story), choose({}, [], now), now)
    for table in counted.tables.values():
        for place, row in enumerate(table.rows):
            for column in table.columns[table.words :]:
                number = Number(table.name, tuple(str(word) for word in row[: table.words]), column)
                everything = paged(counted, number)
                value = row[table.columns.index(column)]
                if (place, column) in table.behind and column not in ("percent", "median_s", "p90_s"):
                    size = sum(item.count or 0 for item in everything) if column == "wanted_fewer" else len(everything)
                    assert size == value, number
    came = Counter(row["actor_id"] for row in recount.said("journey.started"))
    assert Counter(item.oid for item in paged(counted, Number("journeys", ("all", "all"), "begun"))) == came
    opened = [key for key in recount.started if recount.opened(key) is not None]
    through = Counter(recount.started[key]["actor_id"] for key in opened)
    assert Counter(item.oid for item in paged(counted, Number("journeys", ("all", "all"), "finished"))) == through
    days = Counter(row["at"].date().isoformat() for row in recount.started.values())
    assert {row[0]: row[1] for row in counted.tables["trend"].rows if row[1]} == days


def paged(counted: figures.Counted, number: Number) -> list[Item]:
    found: list[Item] = []
    after: str | None = None
    while True:
        page = listed(counted, number, after=after, size=2, seen=lambda oids: oids)
        found += page.items
        after = page.next
        if after is None:
            assert len(found) == page.total
            return found


def helped(recount: Recount, journey: str) -> bool:
    about = {journey, recount.link_of(journey), recount.started[journey]["actor_id"]}
    since = recount.started[journey]["at"]
    staff = [row for row in recount.rows if row["actor_kind"] in ("helpdesk", "operator") and row["about_id"] in about]
    touched = any(since <= row["at"] <= since + timedelta(hours=24) for row in staff)
    looped = len(recount.said("journey.still_blocked", about=journey)) > 1
    return touched or looped or bool(recount.said("journey.needs_help", about=journey))


def causes(found: dict[str, list[Row]], kind: str) -> dict[str, int]:
    return {row["cause"]: row["count"] for row in found["causes"] if row["kind"] == kind}


# the stories


def test_nobody_came(tell: Tell) -> None:
    found = agrees(tell("blocked_just_registered"))
    assert row_of(found["journeys"], entrance="all")["begun"] == 0
    assert {row["percent"] for row in found["funnel"]} == {None}


def test_one_person_got_through_and_nobody_helped(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    found = agrees(story)
    assert row_of(found["journeys"], entrance="enrollment", platform="ios")["unaided"] == 1
    assert {row["reached"] for row in found["funnel"]} == {1}
    assert row_of(found["times"], measure="from_registration", platform="all")["count"] == 1
    ours, whole = (row_of(found["times"], measure=name, platform="ios") for name in ("ours", "from_arrival"))
    assert ours["count"] == 1
    assert ours["median_s"] <= whole["median_s"]
    assert row_of(found["waits"], platform="ios")["sent"] == 1


def test_a_whole_week(tell: Tell) -> None:
    """Through, then not well, mended, back and open already, back and still blocked twice, wiped; a second person never got on; a
    third could not sign in; staff looked."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.passes(120)
    story.reports_health(passcode=False)
    story.passes(900, every=30)
    story.reports_health(passcode=True)
    story.passes(900, every=30)
    story.passes(26 * 3600, every=3600)
    story.arrives()
    story.says_still_blocked()
    story.passes(60)
    story.says_still_blocked()
    story.passes(60)
    now = story.world.clock()
    open_case(story.store, browser="x" * 32, entrance="start", platform=Platform.ANDROID, now=now)
    look_up.search(reads(story), story.store, "mia", oid="hanna", now=now)
    look_up.open_file(reads(story), story.store, story.oid, case_code="", oid="hanna", now=now)
    link_id = story.push.link_id
    with story.store.change(Actor("operator", "root"), "link.ended", about=("link", link_id), at=now) as change:
        change.audit(because="erased")
        change.end_link(link_id, "erased")
    story.passes(300)
    found = agrees(story)
    everybody = row_of(found["journeys"], entrance="all")
    assert (everybody["begun"], everybody["finished"], everybody["could_not_sign_in"]) == (2, 2, 1)
    assert row_of(found["journeys"], entrance="start", platform="android")["could_not_sign_in"] == 1
    assert everybody["already"] == 1
    assert row_of(found["loops"], still_blocked="2")["journeys"] == 1
    assert row_of(found["pushes"], lane="revocation")["confirmed"] == 2
    assert row_of(found["pushes"], lane="person")["confirmed"] == 2
    assert causes(found, "verdict")["rules_fail"] == 1


def test_who_was_looked_at_by_staff_was_not_unaided(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.arrives()
    look_up.open_file(reads(story), story.store, story.oid, case_code="", oid="hanna", now=story.world.clock())
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.OPEN)
    row = row_of(agrees(story)["journeys"], entrance="all")
    assert (row["finished"], row["unaided"]) == (1, 0)


def test_who_left_on_the_way_is_in_the_funnel_where_they_left(tell: Tell) -> None:
    story = tell("blocked_unregistered")
    story.arrives()
    story.says_this_is_mine()
    found = agrees(story)
    left = {row["step"]: row["left_here"] for row in found["funnel"] if row["platform"] == "ios"}
    assert left == {**dict.fromkeys(FUNNEL, 0), "chosen": 1}
    assert row_of(found["journeys"], entrance="all")["under_way"] == 1
    story.sandbox.world.advance(25 * 3600)
    assert row_of(counted(story)["journeys"], entrance="all")["under_way"] == 0


def test_who_was_well_all_along_finished_without_waiting(tell: Tell) -> None:
    story = tell("already_fine")
    story.arrives()
    assert story.step is Step.OPEN
    found = counted(story)
    row = row_of(found["journeys"], entrance="all")
    assert (row["finished"], row["already"], row["unaided"]) == (1, 1, 1)
    assert row_of(found["times"], measure="from_arrival", platform="all")["count"] == 0


@pytest.mark.parametrize("scenario", ["owned_by_another", "ambiguous_owner", "windows", "two_phones"])
def test_who_needs_a_person(tell: Tell, scenario: str) -> None:
    story = tell(scenario)
    story.arrives(platform=Platform.WINDOWS if scenario == "windows" else Platform.IOS)
    story.passes(60)
    assert row_of(agrees(story)["journeys"], entrance="all")["finished"] == 0


def test_a_device_that_fails_names_the_rule_by_our_word(tell: Tell) -> None:
    story = tell("not_compliant")
    story.arrives()
    story.says_this_is_mine()
    story.taps_the_message()
    story.gets_to(Step.FIX)
    assert causes(agrees(story), "rule_now").keys() <= {"passcode", "encryption", "jailbreak", "update", "other"}
    assert causes(agrees(story), "rule_now")


def test_only_what_was_asked_for(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    for narrowed, begun in (
        ({"platform": "ios"}, 1),
        ({"platform": "macos"}, 0),
        ({"connection": "ws1"}, 1),
        ({"connection": "x"}, 0),
    ):
        found = counted(story, **narrowed)
        assert row_of(found["journeys"], entrance="all")["begun"] == begun
        assert row_of(found["pushes"], lane="person")["desired"] == begun
    yesterday = story.world.clock().date() - timedelta(days=1)
    assert row_of(counted(story, first=yesterday, last=yesterday)["journeys"], entrance="all")["begun"] == 0


def test_what_began_before_the_period_still_says_how_the_device_stood(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    story.passes(48 * 3600, every=3600)
    story.arrives()
    today = story.world.clock().date()
    row = row_of(counted(story, first=today, last=today)["journeys"], entrance="all")
    assert (row["begun"], row["already"]) == (1, 1)


def test_compliant_without_evidence_would_be_counted(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    now = story.world.clock()
    with story.engine.begin() as connection:
        connection.execute(sa.update(pushes).values(compliant_until=now - timedelta(hours=1)))
    worker = Actor("worker", "1")
    with story.store.change(worker, "verdict.changed", about=("link", story.push.link_id), at=now) as change:
        change.audit(verdict="not_compliant", reasons=["rules_fail"])
    with story.store.change(worker, "push.sent", about=("link", story.push.link_id), at=now) as change:
        change.audit(compliant=True)
    assert [row["count"] for row in counted(story)["evidence"]] == [1, 1]
    assert (Recount(story).unfounded(), Recount(story).lapsed(now)) == (1, 1)


def test_what_microsoft_does_not_show(tell: Tell) -> None:
    """A wait that is over, and one of a device that is to be taken down, first longer than usual and then beyond the promise."""
    story = tell("blocked_just_registered")
    story.gets_through()
    story.sandbox.world.lags.compliance_lag = 5 * 3600
    story.reports_health(passcode=False)
    story.passes(1800, every=60)
    found = agrees(story)
    assert (row_of(found["waits"], platform="all")["longer"], row_of(found["pushes"], lane="revocation")["waiting"]) == (1, 1)
    story.passes(3600, every=120)
    found = agrees(story)
    assert (row_of(found["waits"], platform="ios")["beyond_promise"], row_of(found["waits"], platform="all")["usual"]) == (1, 1)


def test_remotes_that_want_fewer_calls_are_counted_as_often_as_they_said_so(tell: Tell) -> None:
    """On two days, and by two remotes, heard by two workers; what the sandbox answered is the recount."""
    workers = TwoWorkers(tell("blocked_just_registered"))
    story = workers.story
    for service, days in (("graph", 0), ("workspace_one", 0), ("graph", 1)):
        story.sandbox.world.advance(days * 24 * 3600)
        story.fault(service, "throttle", times=2, retry_after=3)
        story.arrives()
        workers.live(60)
    answered = Counter(entry["service"] for entry in story.ledger() if entry["status"] == 429)
    assert answered["graph"] >= 3
    assert answered["workspace_one"] >= 1
    found = agrees(story)["throttled"]
    told = {row["remote"]: (row["wanted_fewer"], row["days"]) for row in found}
    assert told == {
        "directory": (answered["graph"], 2),
        "mdm:ws1": (answered["workspace_one"], 1),
        "all": (answered.total(), 3),
    }
    today = story.world.clock().date()
    now = counted(story, first=today, last=today)["throttled"]
    assert [row["remote"] for row in now] == ["directory", "all"]
    assert 0 < row_of(now, remote="all")["wanted_fewer"] < answered["graph"]
    assert [row["remote"] for row in counted(story, connection="ws1")["throttled"]] == ["mdm:ws1", "all"]


def test_behind_a_number_of_refusals_are_its_days_and_remotes() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    days = [
        Throttling("mdm:ws1", 3, noon, "1012"),
        Throttling("directory", 2, noon, None),
        Throttling("mdm:ws1", 1, noon + DAY, None),
    ]
    period = Period(noon - DAY, noon + 2 * DAY)
    made = {table.name: table for table in tables(Told(period, throttlings=days), noon)}
    assert made["throttled"].rows == (("directory", 2, 1), ("mdm:ws1", 4, 2), ("all", 6, 3))
    counted = figures.Counted(choose({}, [], noon), made)
    every = paged(counted, Number("throttled", ("all",), "wanted_fewer"))
    assert (every[0].at, every[0].count) == (noon + DAY, 1)
    assert {(item.remote, item.count, item.code) for item in every[1:]} == {("mdm:ws1", 3, "1012"), ("directory", 2, None)}
    [item] = paged(counted, Number("throttled", ("directory",), "days"))
    assert (item.at, item.remote, item.count, item.oid) == (noon, "directory", 2, None)


def test_nothing_is_read_that_is_not_of_the_period(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    with asked(story.engine) as statements:
        assert counted(story)["journeys"]
    assert len(statements) >= 6
    assert reads_everything(story.engine, statements) == []


def test_too_much_for_once_is_said_and_not_counted_in_part(tell: Tell) -> None:
    story = tell("blocked_just_registered")
    story.gets_through()
    now = story.world.clock()
    found = figures.count(reads(story), choose({}, [], now), now, most=3)
    assert (found.too_many, found.tables) == (True, {})
    assert not figures.count(reads(story), choose({}, [], now), now, most=None).too_many


def test_nothing_in_a_table_names_anybody(tell: Tell) -> None:
    """And what somebody wrote into a row is `other`."""
    story = tell("blocked_just_registered")
    story.gets_through()
    told = reads(story).told(choose({}, [], story.world.clock()).period, story.world.clock(), most=None)
    planted = [deed._replace(detail={**deed.detail, "because": "Mia Berger", "reasons": ["Mia's rule"]}) for deed in told.deeds]
    needs = Deed(planted[0].at, "journey.needs_help", "worker", "1", "journey", story.journey_id, {"because": "Mia Berger"})
    cells = {
        str(cell)
        for table in tables(replace(told, deeds=[*planted, needs]), story.world.clock())
        for row in table.rows
        for cell in row
    }
    assert "other" in cells
    known = {story.oid, story.journey.person.name, story.journey_id, story.push.link_id, story.journey.case_code, "Mia Berger"}
    assert not cells & known
    assert not [cell for cell in cells if "mia" in cell.lower() or len(cell) > 40]


# what somebody may ask for

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked_for", "faults"),
    [
        ({"from": "yesterday"}, ("day",)),
        ({"to": "2026-02-30"}, ("day",)),
        ({"from": "0001-01-01"}, ("day",)),
        ({"to": "9999-12-31"}, ("day",)),
        ({"from": "٢٠٢٦-١١-٠١x"}, ("day",)),
        ({"from": "2026-11-20", "to": "2026-11-01"}, ("order",)),
        ({"from": "2026-12-20", "to": "2026-12-21"}, ("future",)),
        ({"from": "2025-10-01", "to": "2026-11-26"}, ("long",)),
        ({"platform": "symbian"}, ("platform",)),
        ({"connection": "'; DROP TABLE audit"}, ("connection",)),
        ({"from": "x", "platform": "y", "connection": "z"}, ("day", "platform", "connection")),
    ],
)
def test_what_is_wrong_is_said(asked_for: dict[str, str], faults: tuple[str, ...]) -> None:
    assert choose(asked_for, ["ws1"], NOW).faults == faults


def test_what_is_right_is_taken() -> None:
    usual = choose({}, [], NOW)
    assert ((usual.last - usual.first).days, usual.last.isoformat(), usual.faults) == (27, "2026-11-26", ())
    most = choose({"from": "2025-10-23", "to": "2026-11-26", "platform": "ios", "connection": "ws1"}, ["ws1"], NOW)
    assert (most.faults, most.platform, most.connection) == ((), "ios", "ws1")
    assert choose(most.as_asked, ["ws1"], NOW) == most
    assert choose({"to": "2030-01-01", "from": "2026-11-25"}, [], NOW) == Choice(NOW.date() - timedelta(days=1), NOW.date())


def test_a_link_that_nobody_knows_any_more_belongs_to_no_platform() -> None:
    period = Period(NOW - timedelta(days=1), NOW)
    deed = Deed(period.since, "verdict.changed", "worker", "1", "link", "gone", {"verdict": "compliant", "reasons": []})
    known = KnownLink("known", "mia", Platform.IOS, "ws1", "1", period.since)
    told = Told(period, deeds=[deed, deed._replace(about_id="known")], links={"known": known})
    for platform, number in ((None, 2), ("ios", 1), ("macos", 0)):
        [table] = [table for table in tables(told, NOW, platform=platform) if table.name == "pushes"]
        assert row_of(as_rows(table), lane="person")["desired"] == number


def test_what_microsoft_asked_to_be_told_once_more_is_a_lane_of_its_own_and_no_new_verdict() -> None:
    period = Period(NOW - timedelta(days=1), NOW)
    rows: list[tuple[str, dict[str, Any]]] = [
        ("verdict.changed", {"verdict": "not_compliant", "reasons": ["rules_fail"]}),
        ("push.confirmed", {"shown": False}),
        ("push.resync", {"verdict": "not_compliant", "reasons": ["rules_fail"]}),
        ("push.failed", {"verdict": "not_compliant", "reasons": ["rules_fail"]}),
        ("push.confirmed", {"shown": False}),
    ]
    deeds = [
        Deed(period.since + timedelta(minutes=place), why, "worker", "1", "link", "l1", detail)
        for place, (why, detail) in enumerate(rows)
    ]
    found = {table.name: as_rows(table) for table in tables(Told(period, deeds=deeds), NOW)}
    assert causes(found, "verdict") == {"rules_fail": 1}
    for lane, seconds in (("person", 60), ("resync", 120), ("revocation", None)):
        assert row_of(found["pushes"], lane=lane)["median_s"] == seconds
