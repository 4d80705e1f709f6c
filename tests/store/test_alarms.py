"""An alarm is told once per level: by one of several workers, across a restart, and again where a way of telling failed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.compliance import Verdict
from remediation.errors import PossessionRefused, Unreachable
from remediation.ports import Alarm
from remediation.services.alarms import judge, tell
from remediation.services.prove_possession import not_me, token_hash
from remediation.store.alarms import SqlAlarms
from remediation.store.figures import SqlFigures
from remediation.store.leases import SqlLeases
from remediation.store.stuck import SqlStuckRows
from remediation.store.tables import alarms, watches
from tests.people import NOON, minutes
from tests.store.scenes import BAD, BROWSER, GOOD, TENANT, Scene, all_at_once

HOURS = [timedelta(hours=hours) for hours in range(40)]


class Sink:
    """Another way of telling: it keeps what it was told, or fails while it is told to."""

    def __init__(self, name: str = "mail") -> None:
        self.name, self.broken = name, False
        self.heard: list[Alarm] = []

    def tell(self, alarm: Alarm) -> None:
        if self.broken:
            raise Unreachable("no answer in time", remote=self.name)
        self.heard.append(alarm)


class Worker:
    def __init__(self, scene: Scene, *sinks: Sink) -> None:
        self.rows, self.leases = SqlAlarms(scene.engine, TENANT), SqlLeases(scene.engine, TENANT)
        self.sinks = sinks or (Sink(),)

    def judges(self, at: datetime) -> int:
        return judge(self.rows, self.leases, at, sinks=[sink.name for sink in self.sinks])

    def beats(self, at: datetime) -> Sequence[Alarm]:
        self.judges(at)
        tell(self.rows, self.sinks, at)
        return self.sinks[0].heard


def fails(scene: Scene, name: str = "mdm:ws1/poll", **values: Any) -> None:
    row = {"failing_since": NOON, "good_at": NOON - minutes(5), "reason": "mdm_refused", **values}
    with scene.engine.begin() as connection:
        connection.execute(sa.insert(watches).values(tenant_id=TENANT, name=name, **row))


def now_is(scene: Scene, **values: Any) -> None:
    with scene.engine.begin() as connection:
        connection.execute(sa.update(watches).values(**values))


def test_each_level_once_and_one_when_it_is_back(scene: Scene) -> None:
    fails(scene)
    fails(scene, "mdm:ws1/sweep")
    worker = Worker(scene)
    for hour in HOURS:
        worker.beats(NOON + hour)
        worker = Worker(scene, *worker.sinks)  # a restart
    now_is(scene, failing_since=None, good_at=NOON + HOURS[-1])
    for _ in range(3):
        heard = worker.beats(NOON + HOURS[-1] + minutes(1))
    assert [alarm.level for alarm in heard] == [1, 12, 24, 0]
    now_is(scene, failing_since=NOON + HOURS[-1] + minutes(9))
    heard = worker.beats(NOON + HOURS[-1] + minutes(70))
    assert [alarm.level for alarm in heard] == [1, 12, 24, 0, 1], "the next outage begins anew"


def test_one_that_begins_late_tells_the_level_reached_and_none_before(scene: Scene) -> None:
    fails(scene)
    assert [alarm.level for alarm in Worker(scene).beats(NOON + timedelta(hours=13))] == [12]


def test_of_several_workers_one_tells(scene: Scene) -> None:
    fails(scene)
    sink = Sink()
    workers = [Worker(scene, sink) for _ in range(6)]
    assert all_at_once([lambda w=w: w.beats(NOON + minutes(61)) for w in workers]) == {"done": 6}  # type: ignore[misc]
    for worker in workers:
        worker.beats(NOON + minutes(62))
    assert len(sink.heard) == 1
    rows, [alarm] = workers[0].rows, sink.heard
    late = [rows.raise_alarm("mdm:ws1/poll", told=told, alarm=alarm, sinks=["log"]) for told in (0, 12, 1)]
    assert late == [False, False, True], "what somebody told meanwhile is not told again"


def test_a_sink_that_fails_is_tried_again_and_holds_up_no_other(scene: Scene) -> None:
    fails(scene)
    mail, webhook = Sink("mail"), Sink("webhook")
    mail.broken = True
    worker = Worker(scene, mail, webhook)
    at = NOON + minutes(61)
    for _ in range(5):
        worker.beats(at)
    assert (len(mail.heard), len(webhook.heard)) == (0, 1)
    [row] = [row for row in SqlStuckRows(scene.engine, TENANT).rows(at, limit=9).rows if row.kind == "alarm"]
    assert (row.what, row.reason, row.attempts) == ("mail", "not_told", 1)
    mail.broken = False
    worker.beats(at + minutes(2))
    worker.beats(at + minutes(20))
    assert (len(mail.heard), len(webhook.heard)) == (1, 1)
    assert [row for row in SqlStuckRows(scene.engine, TENANT).rows(at, limit=9).rows if row.kind == "alarm"] == []


def test_killed_before_it_was_told_it_is_told_by_the_next(scene: Scene) -> None:
    fails(scene)
    worker = Worker(scene)
    at = NOON + minutes(61)
    worker.judges(at)
    assert len(worker.rows.claim(at, ["mail"])) == 1
    assert SqlStuckRows(scene.engine, TENANT).count(at) == {("watch", "mdm_refused"): 1}, "being told is no trouble"
    assert worker.beats(at + minutes(1)) == []
    assert [alarm.level for alarm in worker.beats(at + minutes(6))] == [1]


@pytest.mark.parametrize(
    ("reason", "who"),
    [
        ("mdm_refused", "Who can act: an administrator. Look at the credential first"),
        ("mdm_unreachable", "Who can act: whoever runs that system, or the network"),
        ("mdm_busy", "Who can act: whoever runs that system"),
        ("mdm_garbled", "Who can act: whoever runs this product. The answers are not as specified"),
        ("our_fault", "look for `wake-up failed`"),
        (None, "Who can act"),
    ],
)
def test_it_says_who_can_act_and_what_is_at_stake(scene: Scene, reason: str | None, who: str) -> None:
    scene.link()
    scene.desire(GOOD)
    fails(scene, reason=reason)
    [alarm] = Worker(scene).beats(NOON + timedelta(hours=61))
    assert "the MDM connection ws1 for 24 hours" in alarm.subject
    assert who in alarm.text
    assert "The last good answer came at 2026-11-21 11:55 UTC" in alarm.text
    assert "1 device stands as compliant" in alarm.text
    assert "0 within 1 h, 1 within 12 h, 1 within 24 h, 1 within 72 h" in alarm.text
    assert "remediation leases extend ws1 --why" in alarm.text


def test_the_directory_is_told_too(scene: Scene) -> None:
    fails(scene, "directory/sweep", reason="directory_unreachable")
    [alarm] = Worker(scene).beats(NOON + minutes(61))
    assert alarm.subject == "No good answer from Microsoft's directory for 1 hour"
    assert "extend" not in alarm.text


# the channel, which nobody sweeps


def waits_for_the_channel(scene: Scene, reason: str) -> None:
    scene.link()
    scene.desire(GOOD)
    scene.store.note_push("l1", wake=scene.push().wake, seq=scene.push().desired_seq, next_at=NOON, attempts=3, reason=reason)


def test_a_channel_that_takes_nothing_is_told_and_then_its_return(scene: Scene) -> None:
    waits_for_the_channel(scene, "channel_unreachable")
    worker = Worker(scene)
    assert worker.beats(NOON + minutes(59)) == []
    [alarm] = worker.beats(NOON + minutes(60))
    assert (alarm.source, alarm.subject) == ("channel", "No good answer from Microsoft's compliance service for 1 hour")
    seq = scene.push().desired_seq
    with scene.change("accepted", at=NOON + minutes(70)) as change:
        change.sent("l1", seq=seq)
        change.accepted("l1", seq=seq)
    assert [alarm.level for alarm in worker.beats(NOON + minutes(71))] == [1, 0]


def test_other_reasons_and_one_devices_own_trouble_are_not_the_channels(scene: Scene) -> None:
    waits_for_the_channel(scene, "mdm_unreachable")
    assert Worker(scene).beats(NOON + minutes(90)) == []
    scene.store.note_push(
        "l1", wake=scene.push().wake, seq=scene.push().desired_seq, next_at=NOON, attempts=3, reason="channel_refused"
    )
    with scene.engine.begin() as connection:  # another device's news were taken since
        connection.execute(sa.text("UPDATE pushes SET accepted_at = desired_at"))
    assert Worker(scene).beats(NOON + minutes(90)) == []
    assert scene.rows(sa.select(sa.func.count()).select_from(alarms)) == [(0,)]


# what a person says, in a process that knows no way of telling


def says_not_me(scene: Scene, at: datetime) -> None:
    not_me(scene.store, "token", oid="mia", browser=BROWSER, now=at)


def told_in(scene: Scene) -> list[tuple[str, str]]:
    return [(row.sink, row.source) for row in scene.rows(sa.select(alarms).order_by(alarms.c.sink))]


def test_T3_each_way_of_telling_gets_it_once_however_often_and_by_how_many_it_is_said(scene: Scene) -> None:
    scene.ask_for_proof()
    scene.mint(token_hash("token"))
    assert all_at_once([partial(says_not_me, scene, NOON)] * 16) == {"done": 16}
    assert told_in(scene) == [("", "not_me")]
    mail, log = Sink("mail"), Sink("log")
    workers = [Worker(scene, mail, log) for _ in range(6)]
    assert all_at_once([partial(worker.beats, NOON) for worker in workers]) == {"done": 6}
    says_not_me(scene, NOON + minutes(1))
    for worker in workers:
        worker.beats(NOON + minutes(2))
    assert (len(mail.heard), len(log.heard)) == (1, 1)
    assert told_in(scene) == [("log", "not_me"), ("mail", "not_me")]
    scene.ask_for_proof()  # the message of another attempt is another matter
    scene.mint(token_hash("another"))
    not_me(scene.store, "another", oid="mia", browser=BROWSER, now=NOON + minutes(3))
    assert len(workers[0].beats(NOON + minutes(4))) == 2


def test_T3_what_is_not_saved_alarms_nobody_and_what_is_waits_for_a_worker(scene: Scene) -> None:
    scene.ask_for_proof()
    scene.mint(token_hash("token"))
    for oid, token in (("eve", "token"), ("mia", "unknown")):
        with pytest.raises(PossessionRefused):
            not_me(scene.store, token, oid=oid, browser=BROWSER, now=NOON)
    assert told_in(scene) == []
    says_not_me(scene, NOON)
    assert SqlStuckRows(scene.engine, TENANT).rows(NOON, limit=9).rows[-1].kind != "alarm"
    worker = Worker(scene)
    assert len(worker.rows.claim(NOON, ["mail"])) == 1  # and killed
    assert [alarm.source for alarm in worker.beats(NOON + minutes(6))] == ["not_me"]


# figures


def test_figures_of_a_day(scene: Scene) -> None:
    scene.link()
    scene.desire(GOOD)
    scene.desire(BAD)
    fails(scene)
    figures = SqlFigures(scene.engine, TENANT).read(NOON + minutes(10))
    assert figures.links == {Verdict.COMPLIANT: 0, Verdict.NOT_COMPLIANT: 1, Verdict.UNKNOWN: 0}
    assert figures.oldest_revocation == 600
    assert figures.since_good == {"mdm:ws1/poll": 900}
    assert figures.stuck[("watch", "mdm_refused")] == 1
    assert (figures.well["mdm:ws1"], figures.since_good_call["mdm:ws1"]) == (False, 900)
    other = SqlFigures(scene.engine, "another").read(NOON)
    assert (other.stuck, other.leases_ending, other.oldest_revocation) == ({}, {}, 0)
