"""No more calls than a limit allows, none while a remote wants none, one probe at a time: over any interleaving of calls."""

from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.budget import (
    A_WHOLE_LOOK,
    BUSY,
    FIRST_PAUSE,
    LONGEST_CLOSED,
    LONGEST_PAUSE,
    NO_TOKEN,
    OPENS_AT,
    PROBE_LASTS,
    REFUSED,
    UNREACHABLE,
    Admitted,
    Budget,
    Limit,
    Limits,
    Outcome,
    Refused,
    after,
    enter,
    room,
    tokens,
    woken,
)
from remediation.domain.push import Lane
from tests.people import NOON

GOOD = Outcome()
LIMIT = Limits(Limit(rate=2, burst=6, reserve=2), writes=Limit(rate=1, burst=3, reserve=1))
WIDE = Limits(Limit(rate=1000, burst=1000))

lanes = st.sampled_from(Lane)
limits = st.builds(
    lambda rate, burst, reserve: Limit(rate, burst, min(reserve, burst - 1)),
    st.floats(0.05, 500),
    st.integers(1, 60),
    st.integers(0, 10),
)
outcomes = st.one_of(
    st.just(GOOD),
    st.just(Outcome(UNREACHABLE)),
    st.builds(Outcome, st.just(BUSY), st.none() | st.floats(0, 7200)),
    st.builds(Outcome, st.none(), st.floats(0, 7200)),
    st.just(Outcome(REFUSED, 60, "AADSTS7000215")),
)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def admitted(answer: Admitted | Refused) -> Admitted:
    assert isinstance(answer, Admitted)
    return answer


def refused(answer: Admitted | Refused) -> Refused:
    assert isinstance(answer, Refused)
    return answer


def drained(budget: Budget, limits: Limits, now: datetime, lane: Lane, *, writes: bool = False) -> tuple[Budget, int]:
    """All that one lane can get now."""
    count = 0
    while isinstance(answer := enter(budget, limits, now, lane, writes=writes), Admitted):
        budget, count = answer.budget, count + 1
    return budget, count


@given(
    limit=limits, steps=st.lists(st.tuples(st.floats(0, 30), lanes), max_size=150), skews=st.lists(st.floats(-60, 60), min_size=1)
)
def test_no_window_holds_more_than_burst_and_rate(limit: Limit, steps: list[tuple[float, Lane]], skews: list[float]) -> None:
    """Each caller has a clock of its own. One that is wrong buys at most what its error is worth, and that once."""
    budget, true, made = Budget(), 0.0, list[float]()
    for n, (pause, lane) in enumerate(steps):
        true += pause
        answer = enter(budget, Limits(limit), at(true + skews[n % len(skews)]), lane)
        budget = answer.budget
        if isinstance(answer, Admitted):
            made.append(true)
    spread = max(skews) - min(skews)
    for i, first in enumerate(made):
        for j in range(i, len(made)):
            assert j - i + 1 <= limit.burst + limit.rate * (made[j] - first + spread) + 1e-6


@given(limit=limits, nows=st.lists(st.floats(0, 600), max_size=100))
def test_a_clock_that_goes_back_mints_nothing(limit: Limit, nows: list[float]) -> None:
    budget, made = Budget(), 0
    for now in [0.0, *nows]:
        budget, count = drained(budget, Limits(limit), at(now), Lane.REVOKE)
        made += count
    assert made <= limit.burst + limit.rate * max(nows, default=0.0) + 1e-6


@given(st.integers(4, 100_000), st.integers(1, 3600))
def test_a_limit_is_kept_in_every_window_of_its_length(calls: int, seconds: int) -> None:
    limit = Limit.of(calls, seconds)
    assert limit.burst + limit.rate * seconds == pytest.approx(calls)
    assert 0 < limit.reserve < limit.burst


@pytest.mark.parametrize(("calls", "seconds"), [(20, 60), (30, 20), (500, 60)])
def test_a_whole_look_fits_into_however_few_calls_are_allowed(calls: int, seconds: int) -> None:
    """It begins at the top each time it is refused, so with a smaller burst it would never end."""
    limit = Limit.of(calls, seconds, at_once=A_WHOLE_LOOK)
    assert limit.open_to(Lane.SWEEP) >= A_WHOLE_LOOK
    assert limit.burst + limit.rate * seconds == pytest.approx(calls)


def test_what_a_drain_costs_beside_the_least_time() -> None:
    """Ten thousand writes at a hundred in twenty seconds take 1,980 s at the least."""
    limit = Limit.of(100, 20)
    assert (10_000 - limit.burst) / limit.rate < 1.07 * 1980


def test_the_reserve_is_for_revocations() -> None:
    budget, count = drained(Budget(), LIMIT, NOON, Lane.SWEEP)
    assert count == LIMIT.calls.burst - LIMIT.calls.reserve
    assert refused(enter(budget, LIMIT, NOON, Lane.PERSON)).why == NO_TOKEN
    _, count = drained(budget, LIMIT, NOON, Lane.REVOKE)
    assert count == LIMIT.calls.reserve


@given(lane=lanes, writes=st.booleans(), early=st.floats(0.001, 0.2))
def test_a_refusal_says_when_to_come_again(lane: Lane, writes: bool, early: float) -> None:
    budget, _ = drained(Budget(), LIMIT, NOON, lane, writes=writes)
    no = refused(enter(budget, LIMIT, NOON, lane, writes=writes))
    assert no.budget == budget, "a refusal costs nothing"
    admitted(enter(budget, LIMIT, at(no.wait), lane, writes=writes))
    refused(enter(budget, LIMIT, at(no.wait - early), lane, writes=writes))


def test_writes_are_counted_twice_and_reads_once() -> None:
    budget, count = drained(Budget(), LIMIT, NOON, Lane.REVOKE, writes=True)
    assert count == 3
    assert tokens(budget, LIMIT, NOON, Lane.REVOKE) == 3
    assert tokens(budget, LIMIT, NOON, Lane.REVOKE, writes=True) == 0


@given(
    steps=st.lists(st.tuples(st.floats(0, 40), lanes, outcomes, st.floats(0, 1), st.integers(0, 3)), max_size=60),
)
def test_nothing_is_let_in_while_it_is_closed_and_probes_go_alone(steps: list[tuple[float, Lane, Outcome, float, int]]) -> None:
    """Callers come, and calls end in any order, some never."""
    budget, now, under_way = Budget(), 0.0, list[Admitted]()
    for pause, lane, outcome, jitter, which in steps:
        now += pause
        before, answer = budget, enter(budget, WIDE, at(now), lane)
        budget = answer.budget
        if isinstance(answer, Admitted):
            assert not before.closed_at(at(now))
            if before.broken:
                assert answer.probe is not None
                assert before.probe_until is None or before.probe_until <= at(now)
            under_way.append(answer)
        else:
            assert answer.wait > 0
        if which < len(under_way):
            ended, closed = under_way.pop(which), budget.closed_until
            budget = after(budget, outcome, at(now), jitter, probe=ended.probe)
            if closed is not None and closed > at(now):
                assert budget.closed_until is not None
                assert budget.closed_until >= closed, "no answer shortens what a remote asked for"
            if budget.closed_until is not None:
                assert budget.closed_until <= at(now + LONGEST_CLOSED)


@given(seconds=st.floats(1, LONGEST_CLOSED))
def test_what_one_is_told_holds_for_all(seconds: float) -> None:
    one, other = (admitted(enter(Budget(), WIDE, NOON, Lane.SWEEP)) for _ in range(2))
    budget = after(one.budget, Outcome(BUSY, seconds), NOON, 0.5, probe=one.probe)
    budget = after(budget, GOOD, NOON, 0.5, probe=other.probe)
    no = refused(enter(budget, WIDE, NOON, Lane.REVOKE))
    assert no.why == BUSY
    assert no.wait == pytest.approx(seconds)
    for_all = enter(budget, WIDE, at(seconds), Lane.SWEEP)
    assert (admitted(for_all).probe, for_all.budget.closed_until, for_all.budget.reason) == (None, None, None)


@given(jitters=st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_untold_the_pause_grows_from_five_seconds_and_is_capped(jitters: list[float]) -> None:
    budget, now, pauses = Budget(), NOON, list[float]()
    for jitter in jitters:
        call = admitted(enter(budget, WIDE, now, Lane.REVOKE))
        budget = after(call.budget, Outcome(BUSY), now, jitter, probe=call.probe)
        pauses.append(refused(enter(budget, WIDE, now, Lane.REVOKE)).wait)
        now = budget.closed_until or now
    bases = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(len(jitters))]
    assert pauses == pytest.approx([base * (1 + jitter / 2) for base, jitter in zip(bases, jitters, strict=True)], abs=1e-5)


def test_a_storm_of_failures_is_one() -> None:
    budget = Budget()
    for _ in range(OPENS_AT - 1):
        budget = after(budget, Outcome(UNREACHABLE), NOON, 0)
        admitted(enter(budget, WIDE, NOON, Lane.SWEEP))
    for _ in range(50):
        budget = after(budget, Outcome(UNREACHABLE), NOON, 0)
    assert budget.failures == OPENS_AT
    no = refused(enter(budget, WIDE, NOON, Lane.REVOKE))
    assert (no.why, no.wait) == (UNREACHABLE, FIRST_PAUSE)


def test_further_troubles_of_a_closed_remote_are_none() -> None:
    closed = after(Budget(), Outcome(BUSY, 30), NOON, 0)
    assert after(after(closed, Outcome(BUSY), NOON, 0), Outcome(UNREACHABLE), NOON, 0) == closed


def opened(*, jitter: float = 0) -> Budget:
    budget = Budget()
    for _ in range(OPENS_AT):
        budget = after(budget, Outcome(UNREACHABLE), NOON, jitter)
    return budget


def test_a_good_probe_resets_and_a_bad_one_waits_longer() -> None:
    probe = admitted(enter(opened(), WIDE, at(5), Lane.SWEEP))
    assert refused(enter(probe.budget, WIDE, at(5), Lane.REVOKE)).why == UNREACHABLE
    good = after(probe.budget, GOOD, at(6), 0, probe=probe.probe)
    assert (good.failures, good.closed_until, good.probe_until, good.reason) == (0, None, None, None)
    bad = after(probe.budget, Outcome(UNREACHABLE), at(6), 0, probe=probe.probe)
    assert refused(enter(bad, WIDE, at(6), Lane.REVOKE)).wait == 2 * FIRST_PAUSE


@pytest.mark.parametrize("outcome", [GOOD, Outcome(UNREACHABLE), Outcome(BUSY)])
def test_only_the_probe_is_believed(outcome: Outcome) -> None:
    probe = admitted(enter(opened(), WIDE, at(5), Lane.SWEEP))
    assert after(probe.budget, outcome, at(6), 0) == probe.budget


def test_a_probe_that_nobody_answers_for_is_given_up_and_its_late_answer_frees_no_other() -> None:
    lost = admitted(enter(opened(), WIDE, at(5), Lane.SWEEP))
    later = at(5) + PROBE_LASTS
    second = admitted(enter(lost.budget, WIDE, later, Lane.SWEEP))
    assert second.probe is not None
    assert after(second.budget, GOOD, later, 0, probe=lost.probe) == second.budget


def test_a_refused_credential_is_told_with_its_code() -> None:
    budget = after(Budget(), Outcome(REFUSED, 60, "AADSTS7000215"), NOON, 0)
    no = refused(enter(budget, WIDE, NOON, Lane.PERSON))
    assert (no.why, no.code, no.wait) == (REFUSED, "AADSTS7000215", 60)
    probe = admitted(enter(budget, WIDE, at(61), Lane.SWEEP))
    assert refused(enter(probe.budget, WIDE, at(61), Lane.REVOKE)).why == REFUSED, "one call alone asks again"
    again = after(probe.budget, Outcome(REFUSED, 60, "AADSTS7000215"), at(62), 0, probe=probe.probe)
    assert refused(enter(again, WIDE, at(63), Lane.PERSON)).wait == 59
    assert after(probe.budget, GOOD, at(62), 0, probe=probe.probe).failures == 0


def test_a_clock_of_another_year_shuts_nobody_out() -> None:
    wrong = admitted(enter(Budget(), LIMIT, at(1e8), Lane.SWEEP)).budget
    wrong = after(wrong, Outcome(BUSY, 60), at(1e8), 0)
    no = refused(enter(wrong, LIMIT, NOON, Lane.SWEEP))
    assert no.why == NO_TOKEN
    assert no.wait < 10, "it begins anew, with an empty bucket"
    admitted(enter(no.budget, LIMIT, at(no.wait), Lane.SWEEP))


def test_room_follows_the_narrowest_remote_and_never_ends() -> None:
    limit = {"directory": Limits(Limit(10, 60, 6)), "channel": LIMIT, "mdm": Limits(Limit(10, 40, 4))}
    of = lambda remote: limit[remote.partition(":")[0]]  # noqa: E731
    full = room({"mdm:ws1": Budget()}, of, NOON)
    assert (full.revocations, full.on_their_way, full.others) == (3, 18, 2)
    shut = after(Budget(), Outcome(BUSY, 60), NOON, 0)
    silent = room({"mdm:ws1": Budget(), "directory": shut}, of, NOON)
    assert (silent.revocations, silent.on_their_way, silent.others) == (1, 1, 1)
    one_of_two = room({"mdm:ws1": Budget(), "mdm:ws2": shut}, of, NOON)
    assert one_of_two == full
    assert tokens(opened(), WIDE, at(5), Lane.SWEEP) == 1, "a probe"
    assert tokens(admitted(enter(opened(), WIDE, at(5), Lane.SWEEP)).budget, WIDE, at(6), Lane.REVOKE) == 0


@pytest.mark.parametrize(("latency", "longer", "more"), [(0.1, 1.01, 1.01), (0.5, 1.01, 1.3), (1.5, 1.05, 1.4), (4, 1.12, 1.6)])
@pytest.mark.parametrize("workers", [1, 3])
def test_waking_by_room_keeps_the_channel_busy_and_few_read_in_vain(
    workers: int, latency: float, longer: float, more: float
) -> None:
    """Each worker's pulse wakes rows, which write a little later; whoever is refused comes again when told."""
    storm = Storm(workers, latency, rows=1500)
    assert storm.ends() <= longer * 1500 / storm.bucket.rate
    assert storm.passes <= more * 1500


@pytest.mark.parametrize("latency", [0.1, 1.5])
def test_rows_with_nothing_to_write_do_not_wait_for_those_that_write(latency: float) -> None:
    storm = Storm(3, latency, rows=600, writes=False)
    assert storm.ends() <= 0.25 * 600 / storm.bucket.rate
    assert storm.passes == 600


class Storm:
    """As `wiring` has it, by hand: each row has something to write, or none has."""

    def __init__(self, workers: int, latency: float, *, rows: int, writes: bool = True) -> None:
        self.limits = {"directory": Limits(Limit.of(1500, 10)), "channel": Limits(Limit.of(1000, 20), Limit.of(100, 20))}
        bucket = self.limits["channel"].writes
        assert bucket is not None
        self.bucket, self.latency, self.writes = bucket, latency, writes
        self.channel, self.passes, self.chance = Budget(), 0, Random(7)
        self.due = [0.0] * rows
        self.comes = [(self.chance.uniform(0, 0.5), "pulse") for _ in range(workers)]
        heapify(self.comes)
        self.last, self.left = 0.0, rows

    def ends(self) -> float:
        """Seconds until every row has written, or has found nothing to write."""
        while self.left:
            now, what = heappop(self.comes)
            self._wake(now) if what == "pulse" else self._pass(now)
        return self.last

    def _wake(self, now: float) -> None:
        ready = sorted(moment for moment in self.due if moment <= now)[: room({"channel": self.channel}, self._of, at(now)).others]
        for moment in ready:
            self.due.remove(moment)
            heappush(self.comes, (now + self.latency * self.chance.uniform(0.5, 1.5), "pass"))
        self.channel = woken(self.channel, self.limits["channel"], at(now), len(ready))
        heappush(self.comes, (now + 0.5, "pulse"))

    def _pass(self, now: float) -> None:
        self.passes += 1
        if self.writes:
            answer = enter(self.channel, self.limits["channel"], at(now), Lane.SWEEP, writes=True)
            self.channel = answer.budget
            if isinstance(answer, Refused):
                self.due.append(now + answer.wait)
                return
        self.left, self.last = self.left - 1, now

    def _of(self, remote: str) -> Limits:
        return self.limits[remote]
