"""What rows, lists and budgets together say of how a remote is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediation.domain.budget import Budget
from remediation.domain.health import Cause, Condition, Connection, Dependents, Health, Remembered, judge
from remediation.domain.watch import Pace, Watch
from tests.people import NOON, minutes

GOOD = Remembered("mdm:ws1", good_at=NOON)
BAD = replace(GOOD, failed_at=NOON, failing_since=NOON - minutes(3), failures=2, error="unreachable", cause="timeout")
POLL = Watch("mdm:ws1/poll", good_at=NOON, done_at=NOON, next_look_at=NOON + minutes(5))


def health(row: Remembered | None, *watches: Watch, name: str = "mdm:ws1") -> Health:
    [found] = judge([Connection(name, (row,) if row is not None else (), (), watches)], NOON)
    return found


def failing(reason: str, *, attempts: int = 2) -> Watch:
    return replace(POLL, failing_since=NOON - minutes(4), reason=reason, attempts=attempts)


@pytest.mark.parametrize(
    ("row", "watch", "condition", "cause"),
    [
        (GOOD, POLL, Condition.WELL, None),
        (None, replace(POLL, good_at=None), Condition.UNKNOWN, None),
        (BAD, POLL, Condition.FAILING, Cause.TIMEOUT),
        (replace(BAD, failures=1), POLL, Condition.WELL, None),
        (replace(BAD, failures=1, error="refused", cause="credentials"), POLL, Condition.FAILING, Cause.CREDENTIALS),
        (replace(BAD, failures=1, error="refused", cause="revoked"), POLL, Condition.WELL, None),
        (replace(BAD, cause="a word of a later version"), POLL, Condition.FAILING, Cause.AWAY),
        (replace(BAD, error="later", cause=None), POLL, Condition.FAILING, Cause.ODD),
        (GOOD, failing("mdm_garbled"), Condition.FAILING, Cause.ODD),
        (GOOD, failing("mdm_garbled", attempts=1), Condition.WELL, None),
        (GOOD, failing("mdm_refused", attempts=1), Condition.FAILING, Cause.REFUSED),
        (GOOD, failing("mdm_not_found"), Condition.FAILING, Cause.MISSING),
        (GOOD, failing("our_fault"), Condition.FAILING, Cause.OUR_FAULT),
        (GOOD, failing(""), Condition.FAILING, Cause.ODD),
        (replace(BAD, failures=0, error="garbled", cause="half"), failing("mdm_garbled"), Condition.FAILING, Cause.HALF),
        (replace(BAD, failures=0, failed_at=NOON - minutes(9)), failing("mdm_unreachable"), Condition.FAILING, Cause.AWAY),
        (GOOD, replace(POLL, next_look_at=NOON - minutes(3)), Condition.FAILING, Cause.NO_WORKER),
        (replace(BAD, failures=0, error="refused", cause="permission"), POLL, Condition.PARTLY, Cause.PERMISSION),
        (replace(BAD, failures=0, cause="permission", failed_at=NOON - minutes(70)), POLL, Condition.WELL, None),
    ],
)
def test_how_a_remote_is(row: Remembered | None, watch: Watch, condition: Condition, cause: Cause | None) -> None:
    found = health(row, watch)
    assert (found.condition, found.cause) == (condition, cause)
    assert (found.since is None) is (cause is None)


def test_a_list_without_any_row_is_trouble_where_links_depend_on_it() -> None:
    empty = Watch("mdm:ws1/sweep", good_at=NOON).whole(NOON, Pace(), empty=True)
    for links, condition in ((0, Condition.WELL), (3, Condition.FAILING)):
        [found] = judge([Connection("mdm:ws1", (GOOD,), (), (empty,), Dependents(links))], NOON)
        assert found.condition is condition
    assert (found.cause, found.since) == (Cause.NOTHING, NOON)
    assert replace(POLL, began_at=NOON).whole(NOON, Pace(), empty=True).reason is None, "a poll has often nothing to tell"
    assert empty.whole(NOON, Pace()).reason is None


def test_it_fails_since_the_first_of_what_fails() -> None:
    assert health(BAD, POLL).since == NOON - minutes(3)
    assert health(BAD, failing("mdm_busy")).since == NOON - minutes(4)


def test_without_a_token_graph_and_the_channel_point_to_entra_and_an_mdm_does_not() -> None:
    refused = replace(BAD, remote="tokens", error="refused", cause="expired", failing_since=NOON)
    lists = (Watch("directory/sweep", failing_since=NOON, attempts=2, reason="directory_refused"),)
    channel = (Watch("channel/send", failing_since=NOON, reason="channel_refused"),)
    names = {"directory": lists, "channel": channel, "mdm:ws1": (failing("mdm_refused"),)}
    known = [Connection("entra", (replace(refused, failures=0), refused)), *(Connection(n, (), (), w) for n, w in names.items())]
    assert [one.cause for one in judge(known, NOON)] == [Cause.EXPIRED, Cause.SIGN_IN, Cause.SIGN_IN, Cause.REFUSED]
    known[0] = Connection("entra", (GOOD,))
    assert [one.cause for one in judge(known, NOON)] == [None, Cause.PERMISSION, Cause.PERMISSION, Cause.REFUSED]


def test_a_circuit_is_closed_until_its_time_has_come() -> None:
    budgets = (Budget(), Budget(closed_until=NOON + timedelta(seconds=9)))
    one = Connection("mdm:ws1", (GOOD,), budgets)
    assert one.closed_until(NOON) == NOON + timedelta(seconds=9)
    assert one.closed_until(NOON + minutes(1)) is None
