"""`remediation impact` on a real database: what it shows, what it asks the worker for, and that each wish leaves its audit row."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from remediation.domain.device import ManagedKey, Person
from remediation.domain.impact import Missing, Reason
from remediation.domain.standing import Standing
from remediation.ports import Actor, ListRead, Somebody
from tests.test_operator_commands import Ground

WORKER = Actor("worker", "w")


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    made = Ground(tmp_path)
    yield made
    made.engine.dispose()


def comes_to_its_end(ground: Ground) -> None:
    """As the worker makes it: two people, of whom one lacks a link."""
    store, now = ground.store, ground.now + timedelta(minutes=1)
    count = store.claim_count(now, hold=timedelta(minutes=3))
    assert count is not None
    fine = Standing(account_enabled=True, guest=False, licensed=True, in_scope=None, read_at=now)
    people = [Somebody(Person(oid, oid, f"{oid}@contoso.example", f"{oid}@contoso.example"), fine) for oid in ("mia", "noah")]
    store.keep_people(count, people, count)
    store.keep_missing(count, {"mia": [Missing(Reason.LINK, "ios", ManagedKey("ws1", "1"))]}, count)
    with store.change(WORKER, "impact.done", about=("impact", count.id), at=now) as change:
        change.end_count(count, state="done")


def test_it_shows_nothing_then_how_far_it_is_then_numbers(ground: Ground) -> None:
    assert "Nothing was counted yet" in ground.says("impact", status=1)
    assert json.loads(ground.says("impact", "--json", status=1)) == {"state": "never"}
    assert "Nothing was counted yet" in ground.says("impact", "--csv", status=2)
    ground.says("impact", "count", "--why", "before the policy")
    assert "Counting since" in ground.says("impact", status=1)
    assert "A count is under way" in ground.says("impact", "count", "--why", "again", status=2)
    comes_to_its_end(ground)
    told = ground.says("impact")
    assert "2 people in scope, 1 of them lack something." in told
    assert told.splitlines()[-1].split() == ["all", "0", "0", "0", "1", "0"]
    assert list(csv.reader(io.StringIO(ground.says("impact", "--csv"))))[1] == ["ios", "0", "0", "0", "1", "0"]
    assert json.loads(ground.says("impact", "--json"))["touched"] == 1
    [row] = ground.audited("impact.asked")
    assert (row.actor_kind, row.detail) == ("operator", {"because": "before the policy"})


def test_it_is_stopped(ground: Ground) -> None:
    assert "It is over already" in ground.says("impact", "stop", "--why", "x", status=2)
    ground.says("impact", "count", "--why", "before the policy")
    assert ground.says("impact", "stop", "--why", "not now") == "Stopped.\n"
    assert "was stopped" in ground.says("impact", status=1)
    [row] = ground.audited("impact.stopped")
    assert row.detail == {"because": "not now"}


def test_a_count_without_whole_lists_says_which(ground: Ground) -> None:
    ground.says("impact", "count", "--why", "before the policy")
    count = ground.store.claim_count(ground.now + timedelta(minutes=1), hold=timedelta(minutes=3))
    assert count is not None
    with ground.store.change(WORKER, "impact.incomplete", about=("impact", count.id), at=ground.now) as change:
        change.end_count(replace(count, lists={"mdm:ws1": ListRead(500, why="refused")}), state="incomplete")
    told = ground.says("impact", status=1)
    assert "has no numbers" in told
    assert "mdm:ws1: 500 rows, not whole: it was refused" in told


def test_people_are_told_in_waves_and_it_is_stopped(ground: Ground) -> None:
    assert "Nothing was counted yet" in ground.says("impact", "tell", "link", "ios", "--why", "x", status=2)
    ground.says("impact", "count", "--why", "before the policy")
    comes_to_its_end(ground)
    assert "by mail alone" in ground.says("impact", "tell", "enrollment", "none", "--why", "x", status=2)
    assert "Nobody of that group" in ground.says("impact", "tell", "link", "android", "--why", "x", status=2)
    assert "1 person" in ground.says("impact", "tell", "link", "ios", "--size", "10", "--why", "the pilot is over")
    assert "A wave is under way" in ground.says("impact", "tell", "link", "ios", "--why", "x", status=2)
    told = ground.says("impact", "waves")
    assert "link ios by device: sending; 1 waiting" in told
    assert "stopped" in ground.says("impact", "waves", "--stop", told.split()[0], "--why", "not yet")
    [asked], [stopped] = ground.audited("wave.asked"), ground.audited("wave.stopped")
    assert (asked.detail["because"], asked.detail["people"], stopped.detail) == ("the pilot is over", 1, {"because": "not yet"})
    assert "Nobody was told yet" not in ground.says("impact", "waves")
