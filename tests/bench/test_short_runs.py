"""Each bench once, as short as can be, and once with its seeded fault: a figure whose fault goes unnoticed is worth nothing."""

import random
from dataclasses import replace
from typing import Any

import pytest

from bench import (
    corridor,
    deploy,
    fuzz,
    hints,
    histories,
    impact,
    kill,
    laundering,
    mutations,
    outage,
    pages,
    quiet_day,
    race,
    search,
    secrets,
    single_use,
    storm,
    zombie,
)
from bench.stage.specification import Case
from bench.stage.troubled import Size as Troubles
from bench.stage.watchman import COUNTED
from bench.stage.worker import Death

pytestmark = pytest.mark.slow
CLEAN = {"lost": 0, "stale": 0, "wrong": 0, "unjustified": 0, "duplicates_effective": 0}


def clean(figures: dict[str, Any]) -> bool:
    return {name: figures[name] for name in CLEAN} == CLEAN


def test_kill() -> None:
    size = kill.Size(devices=20, pushes=16, kills=2, open_at_once=16, deaths=(Death("call", 1, True, kill.THE_MESSAGE),))
    figures = kill.play(size, "sqlite", 1, None, print)
    assert clean(figures)
    assert figures["kills"] == 3
    assert figures["duplicates_sent"] >= 1, "the message whose sender died with its answer is sent again"


@pytest.mark.long
def test_kill_notices_what_is_marked_before_it_is_sent() -> None:
    size = kill.Size(devices=4, pushes=0, kills=0, open_at_once=0, deaths=(Death("call", 1, False, kill.THE_MESSAGE),))
    assert kill.play(size, "sqlite", 1, "mark_first", print)["lost"] == 1


def test_zombie() -> None:
    figures = zombie.play(zombie.Size(devices=30, events=1), "postgresql", 1, None, print)
    assert clean(figures)
    assert figures["overtaken"] >= 1


@pytest.mark.long
def test_zombie_notices_what_is_set_without_comparing() -> None:
    figures = zombie.play(zombie.Size(devices=14, events=2), "sqlite", 1, "no_compare", print)
    assert figures["stale"] + figures["wrong"] + figures["duplicates_effective"] > 0


def test_race() -> None:
    assert clean(race.play(race.Size(devices=8, flips=100), "sqlite", 1, None, print))


def test_race_notices_what_is_set_without_comparing() -> None:
    figures = race.play(race.Size(devices=6, flips=120), "sqlite", 1, "no_compare", print)
    assert figures["stale"] + figures["wrong"] + figures["duplicates_effective"] > 0


def test_storm() -> None:
    size = storm.Size(devices=24, revocations=2, closures=1, pace=4)
    figures = storm.play(size, "sqlite", 1, None, print)
    assert clean(figures)
    assert figures["drained"]
    assert figures["revocation_seconds"]["seen"] == 2
    assert figures["inside_latest_ms"] < 1000, "a busy machine may take longer than 50 ms to hear of a 429, but not a second"


def test_a_quick_storm_is_as_large_as_the_machine_carries() -> None:
    """1,500 devices where there are cores for them; and the limit alone, not counting the machine, leaves room within 45 s."""
    sizes = {cores: storm.size(cores, quick=True) for cores in (1, 2, 4, 8, 64)}
    assert [size.devices for size in sizes.values()] == [250, 500, 1000, 1500, 1500]
    assert all(storm.least_seconds(size) / size.pace < 40 for size in sizes.values())


@pytest.mark.long
def test_storm_notices_processes_that_count_each_for_itself() -> None:
    size = storm.Size(devices=30, revocations=0, closures=3, pace=4)
    assert storm.play(size, "sqlite", 1, "apart", print)["inside"] > 3


def test_outage() -> None:
    silent = outage.play(outage.Size(devices=20, away=1, leases=4), "sqlite", 1, None, print)["mdm_silent"]
    assert (silent["wrong"], silent["early"], silent["not_back"]) == (0, 0, 0)
    assert silent["late_seconds"] < 60


def test_outage_notices_a_lease_that_never_ends() -> None:
    assert outage.play(outage.Size(devices=0, away=0, leases=2), "sqlite", 1, "forgiving", print)["mdm_silent"]["wrong"] == 2


def test_quiet_day() -> None:
    figures = quiet_day.play(quiet_day.Size(links=100, hours=1.5, memory=()), "sqlite", 1, None, print)
    assert clean(figures)
    assert figures["pushes"] == figures["changes"] == 1
    assert figures["calls"] - figures["calls_least"] <= 20, "tokens, discovery, the two calls of a push that could be spared"


def test_quiet_day_notices_who_looks_at_each_link_by_itself() -> None:
    figures = quiet_day.play(quiet_day.Size(links=60, hours=1.5, memory=()), "sqlite", 1, "direct", print)
    assert figures["calls_ratio"] > 2


def test_impact() -> None:
    figures = impact.play(impact.Size(people=600), "sqlite", 1, None, print)
    assert (figures["wrong"], figures["calls_ratio"]) == (0, 1.0)


def test_impact_notices_who_asks_for_each_person() -> None:
    figures = impact.play(impact.Size(people=60), "sqlite", 1, "per_person", print)
    assert (figures["wrong"], figures["calls_ratio"] > 10) == (0, True)


in_a_checkout = pytest.mark.skipif(not (deploy.ROOT / ".git").exists(), reason="the version before is taken from git")


@in_a_checkout
def test_deploy() -> None:
    figures = deploy.play(deploy.Size(devices=20, rounds=1, pushes_between=4), "postgresql", 1, None, print)
    assert clean(figures)
    assert figures["exchanges"] == 6


@pytest.mark.long
@in_a_checkout
def test_deploy_notices_a_workflow_that_was_renamed() -> None:
    assert deploy.play(deploy.Size(devices=20, rounds=1, pushes_between=4), "sqlite", 1, "renamed", print)["wrong"] > 0


def test_laundering() -> None:
    figures = laundering.play(laundering.sample(40, random.Random(1)), "sqlite", 1, None, print)
    assert (figures["decided"], figures["open"], figures["disagreements"]) == (40, 10, 0)


@pytest.mark.parametrize(
    ("fault", "case"),
    [
        ("age", Case("registers_the_other", "old", "well", "pressed", "possession")),
        ("generation", Case("owner", "after", "well", "used_before", "possession")),
    ],
)
def test_laundering_notices(fault: str, case: Case) -> None:
    assert laundering.play([case], "sqlite", 1, None, print)["disagreements"] == 0
    assert laundering.play([case], "sqlite", 1, fault, print)["laundered"] == 1


@pytest.mark.parametrize("db", ["sqlite", "postgresql"])
def test_histories(db: str) -> None:
    figures = histories.play(histories.Size(pure=500, stored=15, carried=3), db, 1, None, print)
    assert (figures["violations"], figures["surprises"], figures["never_up"]) == (0, 0, 0)


def test_histories_notice_what_is_forgotten() -> None:
    found = histories.play(histories.Size(pure=100, stored=5, carried=0), "sqlite", 1, "forgetful", print)["by_invariant"]
    assert found["I2"] > 0 and found["I6"] > 0  # noqa: PT018


def test_histories_notice_a_new_device_that_is_up_before_the_old_one_is_down() -> None:
    """T1: two entries of one phone compliant at once."""
    found = histories.play(histories.Size(pure=0, stored=0, carried=6), "sqlite", 1, "up_first", print)["by_invariant"]
    assert found["down_before_up"] > 0


HINTS = hints.Size(devices=8, changes=6, pace=60, polls=0.5, events=160)


def test_hints() -> None:
    figures = hints.play(HINTS, "sqlite", 1, None, print)
    assert clean(figures)
    event, poll, storm = figures["by_event"], figures["by_poll"], figures["storm"]
    assert (event["late"], poll["late"], storm["pushes"]) == (0, 0, 0)
    assert event["median"] < 10 < poll["median"]
    assert set(storm["statuses"]) == {"202", "401"}
    assert storm["reads_per_device"] <= 3
    assert storm["wake_ups_per_device"] <= 15


@pytest.mark.long
def test_hints_notice_events_that_are_forgotten() -> None:
    assert hints.play(HINTS, "sqlite", 1, "deaf", print)["by_event"]["late"] > 0


@pytest.mark.long
def test_hints_notice_a_wake_up_for_each_event() -> None:
    one = replace(HINTS, changes=1)
    assert hints.play(one, "sqlite", 1, "eager", print)["storm"]["wake_ups_per_device"] > 15


def test_fuzz() -> None:
    figures = fuzz.play(2_500, "sqlite", 3, None, print)
    assert {name: figures[name] for name in ("decided", "violations", "routes_missed")} == {
        "decided": 2_500,
        "violations": 0,
        "routes_missed": 0,
    }
    assert figures["changes"] > 10


RARE = {"offsite": 3_000, "reflected": 3_000}  # a few pages and parameters have these


@pytest.mark.parametrize("fault", [f if f == "unaudited" else pytest.param(f, marks=pytest.mark.long) for f in COUNTED])
def test_fuzz_notices_each_of_its_faults(fault: str) -> None:
    requests = RARE.get(fault, 400)
    assert fuzz.play(requests, "sqlite", 3, fault, print)[fault] > 0


@pytest.mark.parametrize("db", ["sqlite", "postgresql"])
def test_single_use(db: str) -> None:
    figures = single_use.play(single_use.Size(rounds=2), db, 1, None, print)
    assert (figures["decided"], figures["winners_wrong"]) == (16, 0)


@pytest.mark.parametrize(
    ("broken", "noticed"),
    [
        ("look_first", {"button", "message", "state", "row", "probe"}),
        ("no_index", {"button", "message", "state", "device", "record", "row", "probe"}),
    ],
)
def test_single_use_notices_who_looks_and_then_writes(broken: str, noticed: set[str]) -> None:
    things = single_use.play(single_use.Size(rounds=2), "postgresql", 1, broken, print)["things"]
    assert {name for name, figure in things.items() if figure["winners_wrong"]} == noticed


NO_TROUBLE = Troubles(troubles=(), alarm=False)


def test_secrets() -> None:
    figures = secrets.play(NO_TROUBLE, "postgresql", 1, None, print)
    assert (figures["found"], figures["in_web"], figures["allowed"]) == (0, 0, 0)
    assert figures["planted"] == 15
    assert figures["refused"] > 80


@pytest.mark.long
def test_secrets_notices_a_web_that_was_given_the_workers_settings() -> None:
    figures = secrets.play(NO_TROUBLE, "sqlite", 1, "one_environment", print)
    assert figures["found"] >= figures["in_web"] > 0


def test_corridor() -> None:
    figures = corridor.play(3, 0, 6, None, print)
    assert (figures["unaided"], figures["handed_over"], figures["dead_ends"], figures["otherwise"]) == (1, 1, 0, {})


@pytest.mark.long
@pytest.mark.parametrize(("fault", "figure"), [("mute", "unaided"), ("no_code", "handed_over"), ("deaf", "unaided")])
def test_corridor_notices_a_page_without_its_way_on_and_a_worker_that_looks_once(fault: str, figure: str) -> None:
    figures = corridor.play(6, 0, 2, fault, print)
    assert figures["dead_ends"] > 0
    assert figures[figure] < 1


def test_pages_reads_what_lighthouse_reports_and_notices_what_it_marks_down() -> None:
    """Lighthouse itself comes from npm, and no test needs it."""

    def report(accessibility: float) -> dict[str, Any]:
        scores = {"performance": 0.98, "accessibility": accessibility, "best-practices": 1}
        parts = {name: {"score": score, "auditRefs": [{"id": name, "weight": 1}]} for name, score in scores.items()}
        audits: dict[str, Any] = {name: {"score": score, "title": name} for name, score in scores.items()}
        audits["network-requests"] = {"details": {"items": [{"transferSize": 900}, {"transferSize": 100}]}}
        return {"categories": parts, "audits": audits}

    said: list[str] = []
    page = pages.of_report(report(0.84), said.append)
    assert page == {"bytes": 1000, "requests": 2, "performance": 98, "accessibility": 84, "best_practices": 100}
    assert ["accessibility" in line for line in said] == [True]
    assert (pages.misses(page), pages.misses(pages.of_report(report(1)))) == (True, False)


def test_search() -> None:
    figures = search.play((60, 300), 24, "sqlite", 1, None, print)
    assert (figures["links"], figures["requests"]) == ([60, 300], 48)
    assert figures["p95_small_ms"] > 0


def test_mutations() -> None:
    figures = mutations.play(300, 1, None, print)
    named = ("mutations", "upgrades_unjustified", "vanished", "not_of_the_five", "untouched_accepted")
    assert [figures[name] for name in named] == [900, 0, 0, 0, True]


@pytest.mark.parametrize(("fault", "figure"), [("unknown_is_good", "upgrades_unjustified"), ("garbled_is_gone", "vanished")])
def test_mutations_notice_what_believes_too_much(fault: str, figure: str) -> None:
    assert mutations.play(100, 1, fault, print)[figure] > 10
