"""When a list is read, from where, and what a row of it calls for."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from remediation.domain.compliance import Lease, MdmWord, Verdict
from remediation.domain.device import DirectoryDevice, LinkState, ManagedDevice
from remediation.domain.evidence import Level
from remediation.domain.listing import Held, Renewal, Rules, of_directory, of_records
from remediation.domain.push import Lane
from remediation.domain.watch import Pace, Watch, poll_of, sweep_of
from tests.people import HEALTHY, LINK, MANAGED_PHONE, NOON, OPENED, REGISTERED_PHONE, minutes

PACE = Pace()
POLL, SWEEP = Watch(poll_of("ws1")), Watch(sweep_of("ws1"))
HOUR = timedelta(hours=1)
RULES = Rules(Lease(), Level.POSSESSION, timedelta(days=7))
SEEN = replace(HEALTHY, read_at=NOON + HOUR, last_seen=NOON + minutes(50))
ROW = replace(MANAGED_PHONE, posture=SEEN)
SHOWN = replace(REGISTERED_PHONE, compliant=True, read_at=NOON + HOUR)
HELD = Held(LINK, OPENED, SHOWN, None, HEALTHY.last_seen)


def test_rounds_begin_in_their_period_and_never_in_the_past() -> None:
    began = POLL.begun(NOON)
    assert began.whole(NOON + minutes(1), PACE).next_look_at == NOON + PACE.poll
    assert began.whole(NOON + HOUR, PACE).next_look_at == NOON + HOUR
    assert SWEEP.begun(NOON).whole(NOON + minutes(1), PACE).next_look_at == NOON + PACE.sweep


def test_a_checkpoint_is_the_rounds_beginning_held_back_and_a_sweep_has_none() -> None:
    assert POLL.begun(NOON).whole(NOON + minutes(2), PACE).checkpoint == NOON - PACE.overlap
    assert SWEEP.begun(NOON).whole(NOON + minutes(2), PACE).checkpoint is None
    assert POLL.begun(NOON).good(NOON + minutes(1), "1.500").checkpoint is None
    assert SWEEP.begun(NOON).since(PACE) is None


@pytest.mark.parametrize(("checkpoint", "since"), [(None, HOUR), (minutes(10), minutes(10)), (timedelta(days=1), HOUR)])
def test_a_poll_reaches_back_to_its_checkpoint_but_no_further_than_a_sweep(checkpoint: timedelta | None, since: timedelta) -> None:
    watch = replace(POLL, checkpoint=None if checkpoint is None else NOON - checkpoint)
    assert watch.begun(NOON).since(PACE) == NOON - since


def test_a_round_that_stands_at_a_cursor_goes_on() -> None:
    standing = SWEEP.begun(NOON).good(NOON + minutes(1), "1.500")
    assert standing.begun(NOON + HOUR).began_at == NOON
    assert standing.whole(NOON + HOUR, PACE).begun(NOON + 2 * HOUR).began_at == NOON + 2 * HOUR


def fails(watch: Watch, at: datetime, *, wait: float | None = None, keep_place: bool = True, blame: bool = True) -> Watch:
    return watch.failed(at, PACE, reason="mdm_busy", wait=wait, keep_place=keep_place, blame=blame)


def test_failing_backs_off_no_further_than_a_polls_period_and_remembers_since_when() -> None:
    watch = replace(SWEEP, cursor="1.500", began_at=NOON)
    for n in range(12):
        watch = fails(watch, NOON + minutes(n))
    assert (watch.attempts, watch.failing_since, watch.cursor) == (12, NOON, "1.500")
    assert watch.next_look_at == NOON + minutes(11) + PACE.poll
    assert fails(watch, NOON, wait=1800).next_look_at == NOON + minutes(30)
    assert fails(watch, NOON, keep_place=False).cursor is None
    good = watch.good(NOON + HOUR, "2.1000")
    assert (good.failing_since, good.attempts, good.reason, good.good_at) == (None, 0, None, NOON + HOUR)
    assert fails(SWEEP, NOON, blame=False).failing_since is None


# what a row calls for


def calls_for(row: ManagedDevice | None, held: Held, *, now: datetime = NOON + HOUR) -> Renewal | Lane | None:
    news = of_records([] if row is None else [row], [held], now, RULES)
    assert news.listed == (LINK.id,)
    if news.renewals:
        assert not news.look
        return news.renewals[0]
    return next(iter(news.look), None)


def said(word: MdmWord = MdmWord.COMPLIANT, **posture: object) -> ManagedDevice:
    return replace(ROW, posture=replace(SEEN, word=word, **posture))  # type: ignore[arg-type]


def down(**more: object) -> Held:
    push = replace(OPENED, desired=Verdict.NOT_COMPLIANT, observed=False, **more)  # type: ignore[arg-type]
    return replace(HELD, push=push)


WAY = replace(HELD, push=replace(OPENED, confirmed_seq=0))


def test_a_row_that_agrees_renews_by_the_clock_that_ends_first() -> None:
    by_read = calls_for(ROW, HELD)
    assert by_read == Renewal(LINK.id, NOON + HOUR, NOON + 73 * HOUR, NOON + 37 * HOUR)
    long_ago = NOON + HOUR - timedelta(days=13)
    by_check_in = calls_for(said(last_seen=long_ago), replace(HELD, last_seen=long_ago))
    assert isinstance(by_check_in, Renewal)
    assert by_check_in.until == long_ago + timedelta(days=14)


def test_the_directorys_side_bounds_it() -> None:
    by_directory = calls_for(ROW, replace(HELD, directory=replace(SHOWN, read_at=NOON - 10 * HOUR)))
    assert isinstance(by_directory, Renewal)
    assert by_directory.until == NOON + 62 * HOUR
    listed = calls_for(ROW, replace(HELD, directory=replace(SHOWN, read_at=NOON - 99 * HOUR), listed_at=NOON))
    assert isinstance(listed, Renewal)
    assert listed.until == NOON + 72 * HOUR


@pytest.mark.parametrize(
    "held",
    [
        replace(HELD, directory=None),
        replace(HELD, directory=replace(SHOWN, enabled=False)),
        replace(HELD, directory=replace(SHOWN, owner_oid="noah")),
        replace(HELD, directory=replace(SHOWN, owner_oid=None)),
        replace(HELD, directory=replace(SHOWN, object_id="o2")),
        replace(HELD, directory=replace(SHOWN, read_at=NOON - 80 * HOUR)),
        replace(HELD, link=replace(LINK, evidence=replace(LINK.evidence, level=Level.FRESH))),
        replace(HELD, last_seen=NOON + minutes(51)),
    ],
)
def test_what_a_direct_look_would_not_grant_is_not_renewed(held: Held) -> None:
    assert calls_for(ROW, held) is None


@pytest.mark.parametrize(
    ("row", "held", "wanted"),
    [
        (said(MdmWord.NOT_COMPLIANT), HELD, Lane.REVOKE),
        (said(compromised=True), HELD, Lane.REVOKE),
        (said(enrolled=False), HELD, Lane.REVOKE),
        (said(last_seen=NOON - timedelta(days=15)), HELD, Lane.REVOKE),
        (replace(ROW, generation="g2"), HELD, Lane.REVOKE),
        (replace(ROW, generation="g2"), down(), Lane.SWEEP),
        (said(MdmWord.PENDING), HELD, Lane.SWEEP),
        (said(MdmWord.UNKNOWN, compromised=None), HELD, Lane.SWEEP),
        (said(MdmWord.PENDING), replace(HELD, push=replace(OPENED, reason="mdm_pending")), None),
        (said(MdmWord.PENDING), down(), None),
        (said(MdmWord.NOT_COMPLIANT), down(), None),
        (ROW, down(), Lane.SWEEP),
        (ROW, down(confirmed_seq=0), None),
        (None, HELD, Lane.SWEEP),
        (ROW, replace(HELD, link=replace(LINK, state=LinkState.ENDED)), None),
        (said(MdmWord.NOT_COMPLIANT), replace(HELD, push=replace(OPENED, desired=None)), None),
    ],
)
def test_what_differs_is_looked_at_bad_news_first(row: ManagedDevice | None, held: Held, wanted: Lane | None) -> None:
    assert calls_for(row, held) == wanted


ENDED = replace(LINK, state=LinkState.ENDED, ended_at=NOON)


@pytest.mark.parametrize(
    ("row", "held", "wanted"),
    [
        (SHOWN, HELD, None),
        (replace(SHOWN, compliant=False), HELD, Lane.SWEEP),
        (replace(SHOWN, compliant=None), HELD, Lane.SWEEP),
        (SHOWN, down(), Lane.REVOKE),
        (replace(SHOWN, compliant=None), down(), None),
        (replace(SHOWN, enabled=False), HELD, Lane.REVOKE),
        (replace(SHOWN, object_id="o2"), HELD, Lane.REVOKE),
        (replace(SHOWN, owner_oid="noah"), HELD, Lane.REVOKE),
        (replace(SHOWN, owner_oid=None), HELD, None),
        (replace(SHOWN, owner_oid="noah", compliant=None), down(), Lane.SWEEP),
        (SHOWN, WAY, Lane.SWEEP),
        (replace(SHOWN, compliant=False), WAY, None),
        (None, HELD, Lane.SWEEP),
        (SHOWN, replace(down(), link=ENDED), Lane.REVOKE),
        (replace(SHOWN, compliant=False), replace(down(), link=ENDED), None),
    ],
)
def test_the_directorys_rows_show_drift(row: DirectoryDevice | None, held: Held, wanted: Lane | None) -> None:
    news = of_directory([] if row is None else [row], [held])
    assert (next(iter(news.look), None), news.listed) == (wanted, (LINK.id,))


def test_the_active_link_answers_for_a_device_and_else_the_one_that_ended_last() -> None:
    def ended(link_id: str, at: datetime, *, told: int = 1) -> Held:
        link = replace(ENDED, id=link_id, ended_at=at)
        return replace(down(desired_seq=told, confirmed_seq=told), link=link)

    old, newer, never_told = ended("l8", NOON), ended("l9", NOON + minutes(1)), ended("l10", NOON + minutes(2), told=0)
    pending = replace(HELD, link=replace(LINK, id="l11", state=LinkState.PENDING))
    assert of_directory([SHOWN], [old, newer, never_told, pending]).look == {Lane.REVOKE: ("l9",)}
    assert of_directory([SHOWN], [old, HELD, newer]).listed == (LINK.id,)
    assert of_directory([SHOWN], [pending, never_told]).listed == ()
