"""Message ids, update times and the two rhythms of looking again (P2, P8, I11)."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.push import back_off, look_again, message_id, update_time
from tests.people import NOON, minutes


def test_P2_the_message_id_is_the_same_after_a_crash_and_another_for_other_news() -> None:
    assert message_id("t", "d", 1) == message_id("t", "d", 1)
    assert len({message_id(t, d, s) for t in ("t", "u") for d in ("d", "e") for s in (1, 2)}) == 8


@given(st.lists(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)), min_size=2))  # noqa: DTZ001
def test_I11_the_update_time_strictly_grows_whatever_the_clock_does(moments: list[datetime]) -> None:
    stamps: list[datetime] = []
    for moment in moments:
        stamps.append(update_time(stamps[-1] if stamps else None, moment.replace(tzinfo=NOON.tzinfo)))
    assert all(a < b for a, b in pairwise(stamps))


def test_looking_again_slows_down_while_a_person_may_wait_and_is_hourly_after() -> None:
    gaps = [look_again(NOON, waiting_since=NOON, attempts=n) - NOON for n in range(7)]
    assert [g.seconds for g in gaps] == [2, 4, 8, 16, 30, 30, 30]
    assert look_again(NOON, waiting_since=NOON - minutes(10), attempts=0) - NOON == timedelta(hours=1)
    assert look_again(NOON, waiting_since=NOON - minutes(10), attempts=9, failed=True) - NOON == minutes(2)


def test_P8_errors_back_off_up_to_an_hour() -> None:
    gaps = [(back_off(NOON, n) - NOON).total_seconds() for n in (0, 1, 2, 20)]
    assert gaps == [4, 8, 16, 3600]
