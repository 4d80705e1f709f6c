"""Counts and waves on both databases: one at a time, each row claimed by one caller, and nobody told twice by however many."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from remediation.domain.device import ManagedKey, Person
from remediation.domain.impact import Missing, Reason
from remediation.domain.standing import Standing
from remediation.errors import ImpactRefused
from remediation.ports import Actor, Count, Somebody, StartMessage
from remediation.services.impact import ask_for_count
from remediation.services.waves import WaveAsked, begin_wave, stop_wave
from tests.people import NOON, minutes
from tests.store.scenes import Scene, all_at_once

ADAM = Actor("admin", "adam")
PEOPLE = [f"person-{number:02}" for number in range(12)]
FINE = Standing(account_enabled=True, guest=False, licensed=True, in_scope=None, read_at=NOON)


def counted(scene: Scene) -> str:
    store = scene.store
    ask_for_count(store, actor=ADAM, now=NOON)
    count = store.claim_count(NOON, hold=minutes(3))
    assert count is not None
    people = [Somebody(Person(oid, oid, f"{oid}@contoso.example"), FINE) for oid in PEOPLE]
    assert store.keep_people(count, people, count)
    assert store.keep_people(count, people, count), "a page that is read again changes nothing"
    lacks = {oid: [Missing(Reason.LINK, "ios", ManagedKey("ws1", oid))] for oid in PEOPLE}
    assert store.keep_missing(count, lacks, count)
    with store.change(ADAM, "impact.done", about=("impact", count.id), at=NOON) as change:
        assert change.end_count(count, state="done") == {"people": 12, "touched": 12}
    return count.id


def wave(scene: Scene, **other: Any) -> str:
    asked = WaveAsked(**{"count_id": counted(scene), "reason": "link", "platform": "ios", "way": "device", **SIZED, **other})
    return begin_wave(scene.store, asked, actor=ADAM, now=NOON)[0]


SIZED = {"size": 100, "pause": timedelta(hours=1)}


def test_of_many_that_ask_at_once_one_count_begins(scene: Scene) -> None:
    asks = [partial(ask_for_count, scene.store, actor=ADAM, now=NOON)] * 5
    assert all_at_once(asks) == {"done": 1, "counting_already": 4}


def test_of_many_that_claim_at_once_one_counts(scene: Scene) -> None:
    ask_for_count(scene.store, actor=ADAM, now=NOON)
    found: list[Count | None] = []
    all_at_once([lambda: found.append(scene.store.claim_count(NOON, hold=minutes(3)))] * 5)
    assert [count for count in found if count is not None] == [scene.store.newest_count()]


def test_P2_of_many_that_claim_at_once_each_message_is_one_callers(scene: Scene) -> None:
    wave(scene)
    found: list[StartMessage] = []

    def claims() -> None:
        while (message := scene.store.claim_start_message(NOON)) is not None or scene.store.waves()[0].state == "sending":
            if message is not None:
                found.append(message)

    assert all_at_once([claims] * 4) == {"done": 4}
    assert Counter(message.oid for message in found) == Counter(PEOPLE)


def test_a_wave_is_full_by_its_size_and_goes_on_after_its_pause(scene: Scene) -> None:
    wave(scene, size=5)

    def claimed(at: float) -> int:
        return len([1 for _ in range(20) if scene.store.claim_start_message(NOON + minutes(at)) is not None])

    assert [claimed(at) for at in (0, 59, 60, 119, 121, 200)] == [5, 0, 5, 0, 2, 0]


def test_what_is_put_back_waits_and_takes_no_place(scene: Scene) -> None:
    wave(scene, size=5)
    message = scene.store.claim_start_message(NOON)
    assert message is not None
    scene.store.put_back(message, until=NOON + minutes(2), reason="mdm_busy")
    scene.store.put_back(message, until=NOON + minutes(9), reason="mdm_busy")
    assert scene.store.claim_start_message(NOON + minutes(1)) is None
    assert sum(scene.store.claim_start_message(NOON + minutes(2)) is not None for _ in range(20)) == 5


def test_after_stop_nothing_is_claimed_and_what_is_on_its_way_ends_as_it_does(scene: Scene) -> None:
    of_wave = wave(scene)
    message = scene.store.claim_start_message(NOON)
    assert message is not None
    stop_wave(scene.store, of_wave, actor=ADAM, now=NOON)
    assert scene.store.claim_start_message(NOON) is None
    with scene.store.change(ADAM, "start_message.sent", about=("person", message.oid), at=NOON) as change:
        change.message_ended(message, state="sent", reason=None)
    assert dict(scene.store.waves()[0].told) == {"sent": 1, "waiting": 11}


def test_a_wave_is_of_the_people_behind_the_newest_numbers_alone(scene: Scene) -> None:
    older = counted(scene)
    counted(scene)
    asked = WaveAsked(older, "link", "ios", "device", 10, timedelta(0))
    with pytest.raises(ImpactRefused, match="counted_anew"):
        begin_wave(scene.store, asked, actor=ADAM, now=NOON)
    with pytest.raises(ImpactRefused, match="nobody"):
        begin_wave(scene.store, WaveAsked(counted(scene), "link", "ios", "mail", 10, timedelta(0)), actor=ADAM, now=NOON)
    assert scene.store.waves() == []
